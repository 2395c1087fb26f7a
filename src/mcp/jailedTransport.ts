import { PassThrough, Writable } from 'node:stream';
import { isCancellation, messageOf } from '../base/errors';
import type { EgressConnection, Jails } from '../core/jail';
import { jailPolicySchema, workspaceInJail } from '../core/jailPolicy';
import type { McpServer } from '../core/mcp';
import { JSONRPCMessageSchema, type JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';

/** One message. A longer one is dropped, and what waits for it fails in its time. */
const maxLineBytes = 8 * 1024 ** 2;
const keptWords = 2000;
/** Longer than any run: what ends it is the run's own end. */
const wallMs = 7 * 24 * 3_600_000;

export interface JailedTransportOptions {
  readonly jails: Jails;
  /** As in `McpServersOptions`. */
  readonly emptyFolder: string;
  readonly account: string;
  readonly server: Extract<McpServer, { type: 'stdio' }>;
  readonly onConnection: (connection: EgressConnection) => void;
}

/** The standard streams of a program in a jail of its own: no workspace, and the network that it declares. */
export class JailedTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage) => void;
  /** What it last said on its error stream. */
  words = '';
  private readonly input = new PassThrough();
  private readonly stop = new AbortController();
  private ended: Promise<void> = Promise.resolve();

  constructor(private readonly options: JailedTransportOptions) {}

  async start(): Promise<void> {
    const { jails, emptyFolder, account, server, onConnection } = this.options;
    const { network, env, command, args } = server;
    const running = jails.run({
      policy: jailPolicySchema.parse({
        account,
        mounts: [{ from: emptyFolder, at: workspaceInJail, access: 'read' }],
        environment: env,
        network: network.length === 0 ? { kind: 'none' } : { kind: 'allowlist', domains: network },
        limits: { memoryBytes: 2 * 1024 ** 3, wallMs },
      }),
      argv: ['env', command, ...args],
      stdin: this.input,
      stdoutTo: this.lines(),
      onOutput: (stream, bytes) => {
        if (stream === 'stderr') this.words = (this.words + Buffer.from(bytes).toString('utf8')).slice(-keptWords);
      },
      onConnection,
      signal: this.stop.signal,
    });
    this.ended = running.then(
      ({ exitCode, breach }) => {
        this.words ||= breach ? `${breach.limit}: ${breach.detail}` : `exit code ${exitCode}`;
        this.onclose?.();
      },
      (error: unknown) => {
        if (!isCancellation(error)) this.words ||= messageOf(error);
        this.onclose?.();
      },
    );
  }

  async send(message: JSONRPCMessage): Promise<void> {
    this.input.write(`${JSON.stringify(message)}\n`);
  }

  async close(): Promise<void> {
    this.input.end();
    this.stop.abort();
    await this.ended;
  }

  private lines(): Writable {
    let pieces: Buffer[] = [];
    let bytes = 0;
    return new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        let rest = chunk;
        for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
          if (bytes + end <= maxLineBytes)
            this.receive(Buffer.concat([...pieces, rest.subarray(0, end)]).toString('utf8'));
          [pieces, bytes] = [[], 0];
          rest = rest.subarray(end + 1);
        }
        bytes += rest.length;
        if (bytes <= maxLineBytes) pieces.push(rest);
        else pieces = [];
        done();
      },
    });
  }

  /** What is no message is some program's chatter. */
  private receive(line: string): void {
    try {
      const message = JSONRPCMessageSchema.safeParse(JSON.parse(line)).data;
      if (message) this.onmessage?.(message);
    } catch {
      this.words = `${this.words}\n${line}`.slice(-keptWords);
    }
  }
}
