import { createRequire } from 'node:module';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Clock } from '../../base/clock';
import { messageOf, UserError } from '../../base/errors';
import type { Logger } from '../../base/logger';
import type { History, HistoryAnswer, HistoryQuery } from '../../core/history';
import { type WorkerData, type WorkerReply, workerReplySchema, type WorkerRequest } from './workerMessages';

/** The program of the worker thread. */
export interface WorkerProgram {
  readonly entry: string;
  /** Node's own options for it. */
  readonly execArgv?: readonly string[];
  /** Absent: `sql-wasm.wasm` is where sql.js looks itself, beside the bundle or in its package. */
  readonly wasmFile?: string;
}

export interface WorkerHistoryOptions {
  /** `history.sqlite`. */
  readonly file: string;
  readonly journalFolder: string;
  /** The last event that is durable. */
  readonly durableSeq: () => number;
  /** How long each request to a model and each message has a row of its own; the sums by day stay. Absent: 90 days. */
  readonly keepRawMs?: number | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly program?: WorkerProgram;
}

const defaultKeepRawMs = 90 * 24 * 3_600_000;

interface Pending {
  readonly resolve: (reply: WorkerReply) => void;
  readonly reject: (error: unknown) => void;
}

/** A request without its number. `Omit` of a union would lose its arms. */
type Unnumbered<T> = T extends unknown ? Omit<T, 'id'> : never;

/**
 * Bundled, the worker stands beside the bundle that this code is in; in the sources it is TypeScript, for which the thread
 * needs the loader that this process was started with.
 */
function defaultProgram(): WorkerProgram {
  if (!__filename.endsWith('.ts')) return { entry: path.join(__dirname, 'databaseWorker.js') };
  const loader = createRequire(__filename).resolve('tsx/cjs');
  return { entry: path.join(__dirname, '..', 'databaseWorker.ts'), execArgv: ['--require', loader] };
}

/** History from a worker thread, which is started when it is first asked and reads the journal's files itself. */
export class WorkerHistory implements History {
  private worker: Worker | undefined;
  private closed = false;
  private lastId = 0;
  private readonly pending = new Map<number, Pending>();

  constructor(private readonly options: WorkerHistoryOptions) {}

  async query(query: HistoryQuery): Promise<HistoryAnswer> {
    if (this.closed) throw failure('it is closed');
    const reply = await this.ask({
      kind: 'query',
      query,
      throughSeq: this.options.durableSeq(),
      nowMs: this.options.clock.nowMs(),
    });
    if (reply.kind !== 'answer') throw failure(`it answered ${reply.kind}`);
    return reply.answer;
  }

  /**
   * Makes the facts up to this event part of the file on disk, so that the journal may drop them.
   * @throws {UserError} as `query`.
   */
  async takeIn(throughSeq: number): Promise<void> {
    if (this.closed) throw failure('it is closed');
    const reply = await this.ask({ kind: 'takeIn', throughSeq, nowMs: this.options.clock.nowMs() });
    if (reply.kind !== 'tookIn') throw failure(`it answered ${reply.kind}`);
  }

  async close(): Promise<void> {
    this.closed = true;
    const { worker } = this;
    if (!worker) return;
    try {
      await this.ask({ kind: 'close' });
    } catch (error) {
      // Nothing is lost: what was not saved is read from the journal again.
      this.options.logger.warn('The history could not be saved', { reason: messageOf(error) });
    }
    await worker.terminate();
  }

  private ask(request: Unnumbered<WorkerRequest>): Promise<WorkerReply> {
    const worker = (this.worker ??= this.start());
    this.lastId += 1;
    const id = this.lastId;
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve, reject });
      // It keeps the process alive only while somebody waits for it.
      worker.ref();
      worker.postMessage({ ...request, id });
    });
  }

  private start(): Worker {
    const { file, journalFolder, keepRawMs = defaultKeepRawMs, program = defaultProgram() } = this.options;
    const workerData: WorkerData = { file, journalFolder, wasmFile: program.wasmFile ?? null, keepRawMs };
    const worker = new Worker(program.entry, {
      workerData,
      ...(program.execArgv && { execArgv: [...program.execArgv] }),
    });
    worker.on('message', (message) => this.receive(message));
    worker.on('error', (error) => this.lose(worker, messageOf(error)));
    worker.on('exit', (code) => this.lose(worker, `it ended with ${code}`));
    return worker;
  }

  private receive(message: unknown): void {
    const parsed = workerReplySchema.safeParse(message);
    if (!parsed.success) {
      this.options.logger.error('The database worker said something that is not understood', parsed.error);
      return;
    }
    const reply = parsed.data;
    if (reply.kind === 'note') {
      this.options.logger.warn(reply.note);
      return;
    }
    const pending = this.pending.get(reply.id);
    this.pending.delete(reply.id);
    if (this.pending.size === 0) this.worker?.unref();
    if (reply.kind !== 'failed') pending?.resolve(reply);
    else if (reply.code === null) pending?.reject(failure(reply.message));
    else pending?.reject(new UserError(reply.code, reply.message, reply.facts));
  }

  /** Who waits is told; the next question starts another worker. */
  private lose(worker: Worker, reason: string): void {
    if (this.worker !== worker) return;
    this.worker = undefined;
    for (const { reject } of this.pending.values()) reject(failure(reason));
    this.pending.clear();
  }
}

function failure(reason: string): UserError {
  return new UserError('history-failed', `The history database cannot answer: ${reason}. See the log, and ask again.`, {
    reason,
  });
}
