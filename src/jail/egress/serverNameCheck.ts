import { Transform, type TransformCallback } from 'node:stream';
import { readGreeting } from './clientHello';
import { EgressRefused } from './destination';

/**
 * Lets through what a client sends into a tunnel for `host`, unless that begins as TLS that asks for another host: a server
 * of many names would answer for that one. What is not TLS passes as it is. Fails with `EgressRefused`, before a byte
 * has left.
 */
export class ServerNameCheck extends Transform {
  private held: Buffer | undefined = Buffer.alloc(0);

  constructor(private readonly host: string) {
    super();
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, callback: TransformCallback): void {
    if (this.held === undefined) {
      callback(null, chunk);
      return;
    }
    this.held = Buffer.concat([this.held, chunk]);
    const greeting = readGreeting(this.held);
    if (greeting.kind === 'incomplete') {
      callback();
      return;
    }
    const refusal =
      greeting.kind === 'broken'
        ? 'what was sent begins like TLS and is not'
        : greeting.kind === 'hello' && greeting.serverName !== this.host
          ? `the connection asks for another server (${greeting.serverName ?? 'none named'}) than the one it was allowed for`
          : undefined;
    if (refusal !== undefined) {
      callback(new EgressRefused(403, refusal));
      return;
    }
    const passed = this.held;
    this.held = undefined;
    callback(null, passed);
  }

  /** A hello that was never finished leads nowhere. */
  override _flush(callback: TransformCallback): void {
    callback();
  }
}
