import { connect, type Socket } from 'node:net';
import type { z } from 'zod';
import type { Clock } from '../base/clock';
import type { Disposable } from '../base/disposable';
import { CancelledError, messageOf, UserError } from '../base/errors';
import { LineCutter } from '../base/lineCutter';
import {
  maxReplyBytes,
  resultSchemas,
  serverMessageSchema,
  type CallInput,
  type ResultOf,
  type ServerMessage,
} from '../protocol/executorProtocol';
import { fromWireError } from './wireError';

/** What the server sends by itself, and its greeting. */
export type Push = Exclude<ServerMessage, { kind: 'reply' | 'failure' }>;

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly deadline: Disposable;
}

export interface LinkOptions {
  readonly socketPath: string;
  readonly clock: Clock;
  /** Called for each push, in order. What it throws ends the connection: the two ends are out of step. */
  readonly onPush: (push: Push) => void;
  /** Called once, with why the connection is over. */
  readonly onClosed: (error: Error) => void;
}

/** The client's end of the socket: requests find their replies, and nobody waits for ever. */
export class GatewayLink implements Disposable {
  private readonly waiting = new Map<number, Waiting>();
  private readonly socket: Socket;
  private nextId = 1;
  private closed: Error | undefined;

  constructor(private readonly options: LinkOptions) {
    this.socket = connect(options.socketPath);
    const lines = new LineCutter(maxReplyBytes, (line) => {
      if (this.closed) return;
      if (line === undefined) this.close(unreachable('it sent a line that is too long'));
      else this.receive(line);
    });
    this.socket.on('data', (chunk: Buffer) => lines.push(chunk));
    this.socket.on('error', (error) => this.close(unreachable(messageOf(error), error)));
    this.socket.on('close', () => this.close(unreachable('it hung up')));
  }

  /** Sends a line that has no reply. */
  send(message: object): void {
    if (!this.closed) this.socket.write(`${JSON.stringify(message)}\n`);
  }

  /**
   * Does a call and answers its result.
   * @throws what the executor threw. @throws {UserError} `executor-unreachable`, `executor-timeout`: then nobody knows
   * whether it was done.
   */
  request<C extends CallInput>(call: C, timeoutMs: number): Promise<ResultOf<C['method']>> {
    const schema: z.ZodType = resultSchemas[call.method];
    const result = new Promise<unknown>((resolve, reject) => {
      if (this.closed) {
        reject(this.closed);
        return;
      }
      const id = this.nextId++;
      const deadline = this.options.clock.setTimer(timeoutMs, () => {
        this.waiting.delete(id);
        reject(
          new UserError('executor-timeout', 'The executor took too long to answer.', {
            method: call.method,
            timeoutMs,
          }),
        );
      });
      this.waiting.set(id, { resolve, reject, deadline });
      this.send({ kind: 'request', id, call });
    });
    return result.then((value) => schema.parse(value) as ResultOf<C['method']>);
  }

  dispose(): void {
    this.close(new CancelledError('Disconnected from the executor'));
  }

  private receive(line: string): void {
    if (this.closed) return;
    try {
      const message = serverMessageSchema.parse(JSON.parse(line));
      if (message.kind === 'reply') this.take(message.id)?.resolve(message.result);
      else if (message.kind === 'failure') this.take(message.id)?.reject(fromWireError(message.error));
      else this.options.onPush(message);
    } catch (error) {
      this.close(error instanceof UserError ? error : unreachable('it sent what is not understood', error));
    }
  }

  /** A reply that nobody waits for any more came after its deadline. */
  private take(id: number): Waiting | undefined {
    const waiting = this.waiting.get(id);
    this.waiting.delete(id);
    waiting?.deadline.dispose();
    return waiting;
  }

  /** Ends it for that reason: who waits is told. */
  close(error: Error): void {
    if (this.closed) return;
    this.closed = error;
    this.socket.destroy();
    for (const { reject, deadline } of this.waiting.values()) {
      deadline.dispose();
      reject(error);
    }
    this.waiting.clear();
    this.options.onClosed(error);
  }
}

export function unreachable(why: string, cause?: unknown): UserError {
  return new UserError(
    'executor-unreachable',
    `The executor in the other process cannot be reached: ${why}.`,
    {},
    { cause },
  );
}
