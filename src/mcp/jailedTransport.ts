import { PassThrough, Writable } from 'node:stream';
import { isCancellation, messageOf } from '../base/errors';
import { LineCutter } from '../base/lineCutter';
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
  /** Takes the server's secrets out of what it says. */
  readonly redact: (text: string) => string;
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
    const lines = new LineCutter(maxLineBytes, (line) => line !== undefined && this.receive(line));
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
      stdoutTo: new Writable({
        write: (chunk: Buffer, _encoding, done) => {
          lines.push(chunk);
          done();
        },
      }),
      onOutput: (stream, bytes) => {
        if (stream === 'stderr') this.said(Buffer.from(bytes).toString('utf8'));
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

  /** What is no message is some program's chatter. */
  private receive(line: string): void {
    try {
      const message = JSONRPCMessageSchema.safeParse(JSON.parse(line)).data;
      if (message) this.onmessage?.(message);
    } catch {
      this.said(`\n${line}`);
    }
  }

  /** A secret goes before the rest is cut: half of one would not be known for one. */
  private said(text: string): void {
    this.words = this.options.redact(this.words + text).slice(-keptWords);
  }
}
