import { fullJitterMs } from '../base/backoff';
import { sleep, type Clock } from '../base/clock';
import { type Disposable, DisposableStore } from '../base/disposable';
import { Emitter } from '../base/emitter';
import { CancelledError, messageOf, UserError } from '../base/errors';
import type { Logger } from '../base/logger';
import type { DataDeletion, DeletedData } from '../core/dataDeletion';
import type { AirlockEvent } from '../core/events';
import type { Executor, ExecutorPlace, RestoredSnapshot, ResultChanges } from '../core/executor';
import type { ConflictReport, ConflictSide, Resolution } from '../core/conflict';
import type { HistoryAnswer, HistoryQuery } from '../core/history';
import type { Digest, ObjectId, SessionId, TaskId } from '../core/ids';
import type { JailProof, JailReadiness } from '../core/jail';
import type { Keyboard, TerminalSize } from '../core/keyboard';
import type { Landed, LandingOptions, LandingTargets } from '../core/landing';
import { emptyState, type LiveState } from '../core/liveState';
import type { NewComment } from '../core/reviewComment';
import type { SessionUse } from '../core/sessionUse';
import type { Cleaning, CleanedWorkspace, StoredWorkspace } from '../core/storedWorkspace';
import type { ApprovalDecision } from '../core/approval';
import type { PersonaList } from '../core/persona';
import type { NewTask } from '../core/task';
import type { FileChange } from '../core/workspace';

/** How long a command waits for a new owner. Reading a long journal at a take-over takes about a second. */
const defaultGapMs = 10_000;
const searchBackoff = { firstMs: 100, maxMs: 3_000 };
const minSearchDelayMs = 20;

export interface RoamingOptions {
  /** The executor in this process, if the storage can be had; `undefined` while another process has it. */
  readonly tryOwn: () => Promise<Executor | undefined>;
  /** The executor of the process that has the storage. When that ends, its place becomes `nowhere` and it tells. */
  readonly connect: () => Promise<Executor>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly gapMs?: number;
  /** Nobody to be found is no failure: `start` resolves all the same, with the place `nowhere`, and the search goes on. */
  readonly waits?: boolean;
}

/**
 * The executor, wherever it is: in this process when the storage can be had, else in the one that has it. When that one
 * ends, this takes over or connects to who did, and tells that the state was replaced. Commands that are given in between
 * wait for a short while.
 */
export class RoamingExecutor implements Executor {
  private readonly appended: Emitter<readonly AirlockEvent[]>;
  private readonly replaced: Emitter<void>;
  private readonly ended = new AbortController();
  private home: Executor | undefined;
  private atHome = new DisposableStore();
  private lastState: LiveState = emptyState();
  private lastError: unknown;
  /** The search that is under way, if there is one; it never rejects. */
  private search: Promise<void> | undefined;

  private constructor(private readonly options: RoamingOptions) {
    const onListenerError = (error: unknown): void => options.logger.error('A listener to the executor failed', error);
    this.appended = new Emitter(onListenerError);
    this.replaced = new Emitter(onListenerError);
  }

  /**
   * Resolves when the executor was found, or at once with `waits`.
   * @throws what `tryOwn` or `connect` threw last, when it was not found within the gap; at once what the user has to mend.
   */
  static async start(options: RoamingOptions): Promise<RoamingExecutor> {
    const roaming = new RoamingExecutor(options);
    try {
      await roaming.findFirst();
      return roaming;
    } catch (error) {
      await roaming.shutdown();
      throw error;
    }
  }

  get place(): ExecutorPlace {
    return this.home?.place ?? { kind: 'nowhere' };
  }

  get state(): LiveState {
    return this.home?.state ?? this.lastState;
  }

  get onDidAppend(): Executor['onDidAppend'] {
    return this.appended.event;
  }

  get onDidReset(): Executor['onDidReset'] {
    return this.replaced.event;
  }

  async add(task: NewTask): Promise<TaskId> {
    return (await this.found()).add(task);
  }

  async startQueue(): Promise<void> {
    return (await this.found()).startQueue();
  }

  async pauseQueue(): Promise<void> {
    return (await this.found()).pauseQueue();
  }

  async stopQueue(): Promise<void> {
    return (await this.found()).stopQueue();
  }

  async cancel(taskId: TaskId): Promise<void> {
    return (await this.found()).cancel(taskId);
  }

  async retry(taskId: TaskId): Promise<void> {
    return (await this.found()).retry(taskId);
  }

  async runNow(taskId: TaskId): Promise<void> {
    return (await this.found()).runNow(taskId);
  }

  async assignRepository(taskId: TaskId, repo: string): Promise<void> {
    return (await this.found()).assignRepository(taskId, repo);
  }

  async answer(taskId: TaskId, text: string): Promise<void> {
    return (await this.found()).answer(taskId, text);
  }

  async decide(taskId: TaskId, decision: ApprovalDecision): Promise<void> {
    return (await this.found()).decide(taskId, decision);
  }

  async pauseTask(taskId: TaskId): Promise<void> {
    return (await this.found()).pauseTask(taskId);
  }

  async resumeTask(taskId: TaskId): Promise<void> {
    return (await this.found()).resumeTask(taskId);
  }

  async moveTask(taskId: TaskId, before: TaskId | null): Promise<void> {
    return (await this.found()).moveTask(taskId, before);
  }

  async retryReport(taskId: TaskId): Promise<void> {
    return (await this.found()).retryReport(taskId);
  }

  async pauseSource(sourceId: string): Promise<void> {
    return (await this.found()).pauseSource(sourceId);
  }

  async resumeSource(sourceId: string): Promise<void> {
    return (await this.found()).resumeSource(sourceId);
  }

  async refreshSources(): Promise<void> {
    return (await this.found()).refreshSources();
  }

  async readBlob(digest: Digest): Promise<Uint8Array | undefined> {
    return (await this.found()).readBlob(digest);
  }

  async changes(taskId: TaskId): Promise<ResultChanges> {
    return (await this.found()).changes(taskId);
  }

  async readResultFile(taskId: TaskId, side: 'base' | 'result', path: string): Promise<Uint8Array | undefined> {
    return (await this.found()).readResultFile(taskId, side, path);
  }

  async snapshotChanges(taskId: TaskId, from: number, to: number): Promise<readonly FileChange[]> {
    return (await this.found()).snapshotChanges(taskId, from, to);
  }

  async readSnapshotFile(taskId: TaskId, index: number, path: string): Promise<Uint8Array | undefined> {
    return (await this.found()).readSnapshotFile(taskId, index, path);
  }

  async restoreSnapshot(taskId: TaskId, index: number): Promise<RestoredSnapshot> {
    return (await this.found()).restoreSnapshot(taskId, index);
  }

  async publishSnapshot(
    taskId: TaskId,
    index: number,
  ): Promise<{ readonly branch: string; readonly commit: ObjectId }> {
    return (await this.found()).publishSnapshot(taskId, index);
  }

  async workspaces(): Promise<readonly StoredWorkspace[]> {
    return (await this.found()).workspaces();
  }

  async cleanWorkspaces(cleaning: Cleaning): Promise<readonly CleanedWorkspace[]> {
    return (await this.found()).cleanWorkspaces(cleaning);
  }

  async deleteData(deletion: DataDeletion): Promise<DeletedData> {
    return (await this.found()).deleteData(deletion);
  }

  async watchSession(sessionId: SessionId, onOutput: (text: string) => void): Promise<Disposable> {
    return (await this.found()).watchSession(sessionId, onOutput);
  }

  async sessionUse(): Promise<readonly SessionUse[]> {
    return (await this.found()).sessionUse();
  }

  async readRecording(sessionId: SessionId): Promise<Uint8Array> {
    return (await this.found()).readRecording(sessionId);
  }

  async archiveSession(sessionId: SessionId): Promise<void> {
    return (await this.found()).archiveSession(sessionId);
  }

  async deleteSession(sessionId: SessionId): Promise<void> {
    return (await this.found()).deleteSession(sessionId);
  }

  async takeOver(sessionId: SessionId, size: TerminalSize): Promise<Keyboard> {
    return (await this.found()).takeOver(sessionId, size);
  }

  async land(taskId: TaskId, options?: LandingOptions): Promise<Landed> {
    return (await this.found()).land(taskId, options);
  }

  async landingTargets(taskId: TaskId): Promise<LandingTargets> {
    return (await this.found()).landingTargets(taskId);
  }

  async cancelLanding(taskId: TaskId): Promise<void> {
    return (await this.found()).cancelLanding(taskId);
  }

  async notePullRequest(taskId: TaskId, url: string): Promise<void> {
    return (await this.found()).notePullRequest(taskId, url);
  }

  async keepAsBranch(taskId: TaskId, name: string): Promise<void> {
    return (await this.found()).keepAsBranch(taskId, name);
  }

  async comment(taskId: TaskId, comment: NewComment): Promise<string> {
    return (await this.found()).comment(taskId, comment);
  }

  async deleteComment(taskId: TaskId, commentId: string): Promise<void> {
    return (await this.found()).deleteComment(taskId, commentId);
  }

  async sendBack(taskId: TaskId, text?: string): Promise<void> {
    return (await this.found()).sendBack(taskId, text);
  }

  async sendBackConflict(taskId: TaskId): Promise<void> {
    return (await this.found()).sendBackConflict(taskId);
  }

  async conflict(taskId: TaskId): Promise<ConflictReport> {
    return (await this.found()).conflict(taskId);
  }

  async readConflictFile(taskId: TaskId, side: ConflictSide, path: string): Promise<Uint8Array | undefined> {
    return (await this.found()).readConflictFile(taskId, side, path);
  }

  async landResolved(taskId: TaskId, resolution: Resolution): Promise<Landed> {
    return (await this.found()).landResolved(taskId, resolution);
  }

  async undoLanding(taskId: TaskId): Promise<void> {
    return (await this.found()).undoLanding(taskId);
  }

  async discard(taskId: TaskId): Promise<void> {
    return (await this.found()).discard(taskId);
  }

  async history(query: HistoryQuery): Promise<HistoryAnswer> {
    return (await this.found()).history(query);
  }

  async personas(repo: string | null): Promise<PersonaList> {
    return (await this.found()).personas(repo);
  }

  async jailReadiness(): Promise<JailReadiness> {
    return (await this.found()).jailReadiness();
  }

  async proveJail(): Promise<JailProof> {
    return (await this.found()).proveJail();
  }

  async shutdown(): Promise<void> {
    this.ended.abort();
    await this.search;
    const home = this.home;
    this.leave();
    try {
      await home?.shutdown();
    } finally {
      home?.dispose();
    }
  }

  dispose(): void {
    this.ended.abort();
    const home = this.home;
    this.leave();
    home?.dispose();
    this.appended.dispose();
    this.replaced.dispose();
  }

  private async findFirst(): Promise<void> {
    const { clock, gapMs = defaultGapMs } = this.options;
    const deadlineMs = clock.monotonicMs() + gapMs;
    for (let failures = 1; ; failures += 1) {
      try {
        await this.look();
        return;
      } catch (error) {
        if (mayPass(error) && this.options.waits) return this.seek();
        if (!mayPass(error) || clock.monotonicMs() >= deadlineMs) throw error;
        await this.pause(failures);
      }
    }
  }

  /** The executor, waited for during a take-over. */
  private async found(): Promise<Executor> {
    if (this.home) return this.home;
    const { clock, gapMs = defaultGapMs } = this.options;
    const waiting = new AbortController();
    const gap = sleep(clock, gapMs, waiting.signal).catch(() => {});
    await Promise.race([this.search, gap]);
    waiting.abort();
    if (this.home) return this.home;
    throw new UserError(
      'executor-unreachable',
      this.lastError === undefined
        ? 'There is no executor at the moment. Try again in a moment.'
        : `There is no executor at the moment: ${messageOf(this.lastError)}`,
      {},
      { cause: this.lastError },
    );
  }

  /** Looks once. @throws when there is no executor, or it was lost again at once, or this has ended meanwhile. */
  private async look(): Promise<void> {
    const home = (await this.options.tryOwn()) ?? (await this.options.connect());
    if (this.ended.signal.aborted) {
      await home.shutdown();
      home.dispose();
      throw new CancelledError();
    }
    if (home.place.kind === 'nowhere') {
      home.dispose();
      throw new UserError('executor-unreachable', 'The executor ended just as it was found.');
    }
    this.home = home;
    this.lastError = undefined;
    this.atHome.add(home.onDidAppend((events) => this.appended.fire(events)));
    this.atHome.add(home.onDidReset(() => (home.place.kind === 'nowhere' ? this.lose() : this.replaced.fire())));
  }

  private leave(): void {
    if (this.home) this.lastState = this.home.state;
    this.home = undefined;
    this.atHome.dispose();
    this.atHome = new DisposableStore();
  }

  private lose(): void {
    const home = this.home;
    this.leave();
    home?.dispose();
    this.options.logger.warn('The executor is gone; looking for another');
    // Before anybody is told, so that a command given at once waits for what is found.
    this.seek();
    this.replaced.fire();
  }

  /** Has one search under way for as long as there is no executor. */
  private seek(): void {
    if (this.search || this.home || this.ended.signal.aborted) return;
    this.search = this.searchOn().finally(() => {
      this.search = undefined;
      // What was found may have been lost again before the search was over.
      this.seek();
    });
  }

  private async searchOn(): Promise<void> {
    for (let failures = 1; !this.ended.signal.aborted; failures += 1) {
      try {
        await this.look();
        this.options.logger.info('The executor was found again', { place: this.place.kind });
        this.replaced.fire();
        return;
      } catch (error) {
        this.lastError = error;
        this.options.logger.debug('There is no executor yet', { reason: messageOf(error) });
      }
      await this.pause(failures).catch(() => {});
    }
  }

  /** @throws {CancelledError} when this is ended. */
  private pause(failures: number): Promise<void> {
    const delayMs = Math.max(minSearchDelayMs, fullJitterMs(failures, searchBackoff));
    return sleep(this.options.clock, delayMs, this.ended.signal);
  }
}

/** The owner is just starting or just ending; anything else has to be mended by the user. */
function mayPass(error: unknown): boolean {
  return error instanceof UserError && error.code === 'executor-unreachable';
}
