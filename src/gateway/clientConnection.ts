import type { Socket } from 'node:net';
import type { z } from 'zod';
import type { Clock } from '../base/clock';
import { type Disposable, DisposableStore } from '../base/disposable';
import { messageOf, UserError } from '../base/errors';
import { LineCutter } from '../base/lineCutter';
import type { Logger } from '../base/logger';
import type { Executor } from '../core/executor';
import type { FolderSource, LendFolders } from '../core/folderSource';
import { toWire } from '../core/snapshot';
import {
  helloSchema,
  maxRequestBytes,
  protocolVersion,
  requestOutlineSchema,
  requestSchema,
  type Call,
  type ServerMessage,
} from '../protocol/executorProtocol';
import { dispatch } from './dispatch';
import { KeyboardDesk } from './keyboardDesk';
import { toWireError } from './wireError';

/** Who connects says hello at once, or is no client of ours. */
const helloTimeoutMs = 5_000;
/** A client whose unread events come to this is let go of; it connects again and gets the state anew. */
const maxLagBytes = 16 * 1024 * 1024;
/** Terminals can miss something: their output is skipped long before a client is let go of. */
const maxOutputLagBytes = 2 * 1024 * 1024;
const skippedMark = '\r\n\u001b[2m[output skipped]\u001b[0m\r\n';
/** Requests that are worked on at once for one client; more wait in its socket. */
const maxRequests = 32;

export interface ConnectionOptions {
  readonly executor: Executor;
  /** Absent: what clients lend is not followed. */
  readonly lend?: LendFolders;
  readonly version: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** One client of the executor, as the server sees it. Whatever it does harms nobody but itself. */
export class ClientConnection implements Disposable {
  private readonly owned = new DisposableStore();
  private readonly watches = new Map<string, Promise<Disposable>>();
  private readonly keyboards: KeyboardDesk;
  private readonly helloDeadline: Disposable;
  /** What it lends, once all that it lent before is given back. It never rejects. */
  private loan: Promise<Disposable | undefined> = Promise.resolve(undefined);
  private greeted = false;
  private closed = false;
  private underway = 0;
  private pushedBytes = 0;
  private skipping = false;

  constructor(
    private readonly socket: Socket,
    private readonly options: ConnectionOptions,
    private readonly onClosed: () => void,
  ) {
    this.keyboards = this.owned.add(
      new KeyboardDesk({ ...options, onEnd: (keyboard) => this.push({ kind: 'keyboardEnded', keyboard }) }),
    );
    const lines = new LineCutter(maxRequestBytes, (line) => {
      if (this.closed) return;
      if (line === undefined) this.drop('a line is too long');
      else this.receive(line);
    });
    socket.on('data', (chunk: Buffer) => lines.push(chunk));
    socket.on('drain', () => this.throttle());
    socket.on('error', (error) => this.options.logger.debug('A client broke off', { reason: messageOf(error) }));
    socket.on('close', () => this.dispose());
    this.helloDeadline = this.owned.add(options.clock.setTimer(helloTimeoutMs, () => this.drop('no hello')));
  }

  dispose(): void {
    if (this.closed) return;
    this.closed = true;
    this.owned.dispose();
    for (const watch of this.watches.values()) release(watch);
    this.watches.clear();
    void this.loan.then((loan) => loan?.dispose());
    this.socket.destroy();
    this.onClosed();
  }

  private receive(line: string): void {
    if (this.closed) return;
    let message: unknown;
    try {
      message = JSON.parse(line);
    } catch {
      this.drop('a line is not JSON');
      return;
    }
    if (this.greeted) this.receiveRequest(message);
    else this.receiveHello(message);
  }

  private receiveHello(message: unknown): void {
    const hello = helloSchema.safeParse(message);
    if (!hello.success) return this.drop('the first line is no hello');
    this.helloDeadline.dispose();
    if (hello.data.protocol !== protocolVersion) {
      const error = new UserError(
        'executor-version',
        `Another version of Airlock (${this.options.version}) is at work, and this one (${hello.data.version}) cannot ` +
          'talk to it. Close the older one, or update it.',
        { theirs: this.options.version, ours: hello.data.version },
      );
      this.socket.end(lineOf({ kind: 'refused', error: toWireError(error) }));
      return;
    }
    this.greeted = true;
    this.welcome();
  }

  /** The state and the events after it leave in one turn, so that there is no gap between them. */
  private welcome(): void {
    const { executor, version } = this.options;
    this.send({ kind: 'welcome', protocol: protocolVersion, version, pid: process.pid, state: toWire(executor.state) });
    this.owned.add(executor.onDidAppend((events) => this.push({ kind: 'events', events: [...events] })));
    this.owned.add(executor.onDidReset(() => this.push({ kind: 'reset', state: toWire(executor.state) })));
  }

  private receiveRequest(message: unknown): void {
    const request = requestSchema.safeParse(message);
    if (request.success) {
      void this.answer(request.data.id, request.data.call);
      return;
    }
    const outline = requestOutlineSchema.safeParse(message);
    if (!outline.success) return this.drop('a line is no request');
    this.send({ kind: 'failure', id: outline.data.id, error: toWireError(badRequest(request.error)) });
  }

  private async answer(id: number, call: Call): Promise<void> {
    this.underway += 1;
    this.throttle();
    try {
      this.send({ kind: 'reply', id, result: await this.perform(call) });
    } catch (error) {
      if (!(error instanceof UserError)) {
        this.options.logger.warn('A command of a client failed', { method: call.method, reason: messageOf(error) });
      }
      this.send({ kind: 'failure', id, error: toWireError(error) });
    } finally {
      this.underway -= 1;
      this.throttle();
    }
  }

  private perform(call: Call): Promise<unknown> {
    switch (call.method) {
      case 'watchSession':
        return this.watch(call.watch, call.sessionId);
      case 'unwatchSession':
        return this.unwatch(call.watch);
      case 'lendFolders':
        return this.lendFolders(call.folders);
      case 'takeOver':
      case 'typeKeys':
      case 'resizeTerminal':
      case 'giveBack':
        return this.keyboards.perform(call);
      default:
        return dispatch(this.options.executor, call);
    }
  }

  private async lendFolders(folders: readonly FolderSource[]): Promise<null> {
    const before = this.loan;
    const lent = before.then((loan) => {
      loan?.dispose();
      return this.options.lend?.(folders, (owner, diagnostics) => {
        this.push({ kind: 'diagnostics', owner, diagnostics: [...diagnostics] });
      });
    });
    this.loan = lent.catch(() => undefined);
    await lent;
    // It may have gone while its folders were opened.
    if (this.closed) (await this.loan)?.dispose();
    return null;
  }

  private async watch(name: string, sessionId: string): Promise<null> {
    if (this.watches.has(name)) throw new UserError('bad-request', 'Something is watched under that name already.');
    const watch = this.options.executor.watchSession(sessionId, (text) => this.pushOutput(name, text));
    this.watches.set(name, watch);
    try {
      await watch;
      return null;
    } catch (error) {
      this.watches.delete(name);
      throw error;
    }
  }

  private async unwatch(name: string): Promise<null> {
    const watch = this.watches.get(name);
    this.watches.delete(name);
    if (watch) release(watch);
    return null;
  }

  private pushOutput(watch: string, text: string): void {
    if (this.pushedBytes > maxOutputLagBytes) {
      this.skipping = true;
      return;
    }
    this.push({ kind: 'output', watch, text: this.skipping ? skippedMark + text : text });
    this.skipping = false;
  }

  /** Sends what nobody asked for; a client that does not read it is let go of. */
  private push(message: ServerMessage): void {
    if (this.closed) return;
    if (this.pushedBytes > maxLagBytes) return this.drop('it does not read what it is sent');
    const line = lineOf(message);
    this.pushedBytes += line.length;
    this.socket.write(line, () => {
      this.pushedBytes -= line.length;
    });
  }

  private send(message: ServerMessage): void {
    if (!this.closed) this.socket.write(lineOf(message));
  }

  /** Reads on only while what was asked for is being taken. */
  private throttle(): void {
    const busy = this.underway >= maxRequests || this.socket.writableNeedDrain;
    if (busy && !this.socket.isPaused()) this.socket.pause();
    else if (!busy && this.socket.isPaused()) this.socket.resume();
  }

  private drop(reason: string): void {
    this.options.logger.warn('A client is let go of', { reason });
    this.dispose();
  }
}

function lineOf(message: ServerMessage): string {
  return `${JSON.stringify(message)}\n`;
}

function release(watch: Promise<Disposable>): void {
  watch.then(
    (subscription) => subscription.dispose(),
    () => {},
  );
}

function badRequest(error: z.ZodError): UserError {
  const [issue] = error.issues;
  const where = issue?.path.slice(1).join('.') ?? '';
  return new UserError(
    'bad-request',
    `The executor does not understand ${where}: ${issue?.message ?? 'unknown shape'}.`,
  );
}
