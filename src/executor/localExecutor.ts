import { Emitter, type Event } from '../base/emitter';
import type { Disposable } from '../base/disposable';
import { messageOf } from '../base/errors';
import { freeMemoryBytes } from '../base/freeMemory';
import { newId } from '../base/ids';
import type { ApprovalDecision } from '../core/approval';
import type { DataDeletion, DeletedData } from '../core/dataDeletion';
import type { AirlockEvent } from '../core/events';
import type { Executor, ExecutorPlace, RestoredSnapshot, ResultChanges } from '../core/executor';
import type { ConflictReport, ConflictSide, Resolution } from '../core/conflict';
import type { HistoryAnswer, HistoryQuery } from '../core/history';
import type { Digest, ObjectId, SessionId, TaskId } from '../core/ids';
import type { JailProof, JailReadiness } from '../core/jail';
import { jailPolicySchema } from '../core/jailPolicy';
import type { Keyboard, TerminalSize } from '../core/keyboard';
import type { Landed, LandingOptions, LandingTargets } from '../core/landing';
import type { LiveState, TaskState } from '../core/liveState';
import type { PersonaList } from '../core/persona';
import type { NewComment } from '../core/reviewComment';
import type { ProcessIdentity } from '../core/session';
import type { SessionUse } from '../core/sessionUse';
import type { Cleaning, CleanedWorkspace, StoredWorkspace } from '../core/storedWorkspace';
import { isEnded, type NewTask } from '../core/task';
import type { FileChange } from '../core/workspace';
import { Approvals } from './approvals';
import { BudgetLedger } from './budgetLedger';
import { BudgetWatch } from './budgetWatch';
import { DataRemoval } from './dataRemoval';
import { ConflictRadar } from './conflictRadar';
import { Dispatcher } from './dispatcher';
import { takeOverFromEarlierProcess } from './earlierProcess';
import { HostWatch } from './hostWatch';
import { Intake } from './intake';
import { JoinedClaims } from './joinedClaims';
import { Conflicts } from './conflicts';
import { Landings } from './landings';
import { LaneGovernor } from './laneGovernor';
import { LentSources } from './lentSources';
import { Leases } from './leases';
import { endsUnsaid } from './leftOpen';
import { tidyWorkspaces } from './leftWorkspaces';
import { Outbox } from './outbox';
import type { ExecutorPorts, ExecutorSettings } from './ports';
import { Reviews } from './reviews';
import { SessionArchive } from './sessionArchive';
import { Results } from './results';
import { ReviewDesk } from './reviewDesk';
import { RoomWatch } from './roomWatch';
import { endWithoutRun } from './runlessEnd';
import { foundTask, Steering, wrongState } from './steering';
import { SessionShelf } from './sessionShelf';
import { useOfSessions } from './sessionUse';
import { SnapshotDesk } from './snapshotDesk';
import { TakeOvers } from './takeOvers';
import { Tries } from './tries';
import { UserQuestions } from './userQuestions';
import { WarmSessions } from './warmSessions';
import { LocalWarmMaker } from './warmStart';
import { WorkspaceKeeper } from './workspaceKeeper';

export interface LocalExecutorOptions {
  readonly ports: ExecutorPorts;
  readonly settings: ExecutorSettings;
  readonly process: ProcessIdentity;
  readonly version: string;
  /** Closes what was opened for this executor: store, socket, lock. */
  readonly afterEnd: () => Promise<void>;
}

/**
 * The executor itself, in the process that owns the storage. Commands ask; what they decide becomes events, and everything
 * else follows from those.
 */
export class LocalExecutor implements Executor {
  readonly place: ExecutorPlace = { kind: 'here' };
  private readonly replaced = new Emitter<void>();
  readonly onDidReset: Event<void> = this.replaced.event;
  /** Where the sources of other windows' folders are given. */
  readonly lentSources: LentSources;
  private readonly ports: ExecutorPorts;
  private readonly executorId = newId('executor');
  private readonly shelf = new SessionShelf();
  private readonly takeOvers: TakeOvers;
  private readonly snapshots: SnapshotDesk;
  private readonly archive: SessionArchive;
  private readonly data: DataRemoval;
  private readonly keeper: WorkspaceKeeper;
  private readonly landings: Landings;
  private readonly conflicts: Conflicts;
  private readonly review: ReviewDesk;
  private readonly radar: ConflictRadar;
  private readonly questions: UserQuestions;
  private readonly approvals: Approvals;
  private readonly reviews: Reviews;
  private readonly intake: Intake;
  private readonly warm: WarmSessions;
  private readonly dispatcher: Dispatcher;
  private readonly steering: Steering;
  private readonly tries: Tries;
  private readonly results: Results;
  private readonly outbox: Outbox;
  private readonly roomWatch: RoomWatch;
  private readonly hostWatch: HostWatch;
  private readonly joinedClaims: JoinedClaims;
  private readonly leases: Leases;
  private readonly budgetWatch: BudgetWatch;
  private readonly stopping = new AbortController();
  private tidying: Promise<void> = Promise.resolve();
  private ending: Promise<void> | undefined;

  constructor(private readonly options: LocalExecutorOptions) {
    const { settings } = options;
    const sources = [...options.ports.sources];
    const ports = (this.ports = { ...options.ports, sources });
    this.outbox = new Outbox(ports);
    this.hostWatch = new HostWatch(ports, settings);
    this.warm = new WarmSessions(ports, settings, new LocalWarmMaker(ports, settings), {
      freeBytes: freeMemoryBytes,
      isBusy: () => this.hostWatch.holdsBack,
    });
    this.joinedClaims = new JoinedClaims(ports);
    this.leases = new Leases(ports, (taskId, reason) => this.cancelAs(taskId, reason, 'lost'));
    const lanes = new LaneGovernor(ports.clock);
    this.dispatcher = new Dispatcher(
      ports,
      settings,
      { lanes, ledger: new BudgetLedger(ports, settings.budget), queue: (task) => this.intake.add(task) },
      this.shelf,
      { host: this.hostWatch, warm: this.warm },
    );
    this.budgetWatch = new BudgetWatch(ports);
    this.intake = new Intake(ports, (taskId, reason) => this.cancelAs(taskId, reason));
    this.lentSources = new LentSources(ports, sources, this.intake);
    this.roomWatch = new RoomWatch(ports, {
      whenShort: () => this.dispatcher.interruptAll('disk'),
      whenEnough: () => this.goOn(),
    });
    this.roomWatch.onDidChangeUnsaid(() => this.replaced.fire());
    this.steering = new Steering(ports, this.dispatcher);
    this.tries = new Tries(ports, this.dispatcher, lanes);
    this.results = new Results(ports);
    this.takeOvers = new TakeOvers(ports, this.shelf);
    this.keeper = new WorkspaceKeeper(ports);
    this.snapshots = new SnapshotDesk(ports, settings, this.dispatcher, this.shelf);
    this.questions = new UserQuestions(ports);
    this.approvals = new Approvals(ports, this.dispatcher);
    this.reviews = new Reviews(ports, settings, (task) => this.intake.add(task));
    this.archive = new SessionArchive(ports, this.shelf);
    this.data = new DataRemoval(ports, this.archive);
    this.review = new ReviewDesk(ports);
    this.radar = new ConflictRadar(ports);
    this.landings = new Landings(ports, settings, this.stopping.signal);
    this.conflicts = new Conflicts(ports);
  }

  get state(): LiveState {
    return this.roomWatch.shown(this.ports.events.state);
  }

  get onDidAppend(): Event<readonly AirlockEvent[]> {
    return this.ports.events.onDidAppend;
  }

  /** Takes over what an earlier process left, and begins. Call it once, before anything else. */
  async start(): Promise<void> {
    const { settings, process, version } = this.options;
    await takeOverFromEarlierProcess(this.ports, settings, { id: this.executorId, process, version });
    await this.landings.settle();
    this.roomWatch.start();
    this.hostWatch.start();
    this.budgetWatch.start();
    this.outbox.start();
    this.radar.start();
    this.joinedClaims.start();
    this.leases.start();
    this.dispatcher.start();
    this.intake.start();
    this.approvals.start();
    this.reviews.start();
    this.tidying = tidyWorkspaces(
      this.ports,
      this.keeper,
      this.options.settings.keepWorkspacesMs,
      this.stopping.signal,
    );
  }

  /** Nothing is queued that could start, nothing runs, and every source has been told. */
  get isIdle(): boolean {
    const open = [...this.state.tasks.values()].some(
      ({ status }) => status === 'queued' || status === 'accepting' || status === 'running',
    );
    return !open && this.dispatcher.isIdle && this.outbox.isEmpty;
  }

  async add(task: NewTask): Promise<TaskId> {
    this.roomWatch.throwIfShort();
    return this.intake.add(task);
  }

  async startQueue(): Promise<void> {
    await this.append([{ kind: 'queue.changed', mode: 'running', by: 'user' }]);
  }

  async pauseQueue(): Promise<void> {
    await this.append([{ kind: 'queue.changed', mode: 'paused', by: 'user' }]);
  }

  async stopQueue(): Promise<void> {
    await this.pauseQueue();
    await this.dispatcher.interruptAll('stop');
  }

  async cancel(taskId: TaskId): Promise<void> {
    const task = this.find(taskId);
    if (isEnded(task.status)) throw wrongState(task, 'cancelled');
    this.roomWatch.throwIfUnwritable();
    await this.cancelAs(taskId, 'The user cancelled it.');
  }

  private async cancelAs(taskId: TaskId, reason: string, how: 'cancel' | 'lost' = 'cancel'): Promise<void> {
    const task = this.find(taskId);
    await this.dispatcher.withhold(taskId, async () => {
      await this.dispatcher.interrupt(taskId, how);
      if (!isEnded(task.status)) await endWithoutRun(this.ports, task, 'cancelled', reason);
    });
  }

  retry(taskId: TaskId): Promise<void> {
    return this.tries.retry(taskId);
  }

  runNow(taskId: TaskId): Promise<void> {
    return this.tries.runNow(taskId);
  }

  async assignRepository(taskId: TaskId, repo: string): Promise<void> {
    const task = this.find(taskId);
    if (isEnded(task.status) || task.status === 'running') throw wrongState(task, 'given to a repository');
    await this.append([
      { kind: 'task.changed', taskId, repo, priority: task.spec.priority },
      ...(task.status === 'waiting' ? [{ kind: 'task.resumed', taskId } as const] : []),
    ]);
  }

  decide(taskId: TaskId, decision: ApprovalDecision): Promise<void> {
    return this.approvals.decide(taskId, decision);
  }

  answer(taskId: TaskId, text: string): Promise<void> {
    return this.questions.answer(taskId, text);
  }

  pauseTask(taskId: TaskId): Promise<void> {
    return this.ifKept(() => this.steering.pauseTask(taskId));
  }

  resumeTask(taskId: TaskId): Promise<void> {
    return this.steering.resumeTask(taskId);
  }

  moveTask(taskId: TaskId, before: TaskId | null): Promise<void> {
    return this.steering.moveTask(taskId, before);
  }

  retryReport(taskId: TaskId): Promise<void> {
    return this.steering.retryReport(taskId);
  }

  pauseSource(sourceId: string): Promise<void> {
    return this.steering.pauseSource(sourceId);
  }

  resumeSource(sourceId: string): Promise<void> {
    return this.steering.resumeSource(sourceId);
  }

  async refreshSources(): Promise<void> {
    await this.ports.room.look();
    for (const source of this.ports.sources) source.refresh();
    this.outbox.retryNow();
  }

  credentialsChanged(): Promise<void> {
    return this.tries.credentialsChanged();
  }

  readBlob(digest: Digest): Promise<Uint8Array | undefined> {
    return this.ports.blobs.get(digest);
  }

  changes(taskId: TaskId): Promise<ResultChanges> {
    return this.results.changes(taskId);
  }

  readResultFile(taskId: TaskId, side: 'base' | 'result', path: string): Promise<Uint8Array | undefined> {
    return this.results.readFile(taskId, side, path);
  }

  snapshotChanges(taskId: TaskId, from: number, to: number): Promise<readonly FileChange[]> {
    return this.snapshots.changes(taskId, from, to);
  }

  readSnapshotFile(taskId: TaskId, index: number, path: string): Promise<Uint8Array | undefined> {
    return this.snapshots.readFile(taskId, index, path);
  }

  restoreSnapshot(taskId: TaskId, index: number): Promise<RestoredSnapshot> {
    return this.ifKept(() => this.snapshots.restore(taskId, index));
  }

  publishSnapshot(taskId: TaskId, index: number): Promise<{ readonly branch: string; readonly commit: ObjectId }> {
    return this.ifKept(() => this.snapshots.publish(taskId, index));
  }

  workspaces(): Promise<readonly StoredWorkspace[]> {
    return this.keeper.list();
  }

  cleanWorkspaces(cleaning: Cleaning): Promise<readonly CleanedWorkspace[]> {
    return this.ifKept(() => this.keeper.clean(cleaning));
  }

  deleteData(deletion: DataDeletion): Promise<DeletedData> {
    return this.ifKept(() => this.data.remove(deletion));
  }

  watchSession(sessionId: SessionId, onOutput: (text: string) => void): Promise<Disposable> {
    return this.archive.watch(sessionId, onOutput);
  }

  sessionUse(): Promise<readonly SessionUse[]> {
    return Promise.resolve(useOfSessions(this.ports));
  }

  readRecording(sessionId: SessionId): Promise<Uint8Array> {
    return this.archive.recording(sessionId);
  }

  archiveSession(sessionId: SessionId): Promise<void> {
    return this.ifKept(() => this.archive.archive(sessionId));
  }

  deleteSession(sessionId: SessionId): Promise<void> {
    return this.ifKept(() => this.archive.delete(sessionId));
  }

  takeOver(sessionId: SessionId, size: TerminalSize): Promise<Keyboard> {
    return this.takeOvers.takeOver(sessionId, size);
  }

  land(taskId: TaskId, options: LandingOptions = {}): Promise<Landed> {
    return this.landings.land(taskId, options);
  }

  landingTargets(taskId: TaskId): Promise<LandingTargets> {
    return this.landings.targets(taskId);
  }

  cancelLanding(taskId: TaskId): Promise<void> {
    return this.landings.cancel(taskId);
  }

  notePullRequest(taskId: TaskId, url: string): Promise<void> {
    return this.landings.notePullRequest(taskId, url);
  }

  keepAsBranch(taskId: TaskId, name: string): Promise<void> {
    return this.ifKept(() => this.landings.keepAsBranch(taskId, name));
  }

  comment(taskId: TaskId, comment: NewComment): Promise<string> {
    return this.review.comment(taskId, comment);
  }

  deleteComment(taskId: TaskId, commentId: string): Promise<void> {
    return this.review.delete(taskId, commentId);
  }

  sendBack(taskId: TaskId, text = ''): Promise<void> {
    return this.review.sendBack(taskId, text);
  }

  sendBackConflict(taskId: TaskId): Promise<void> {
    return this.review.sendBackConflict(taskId);
  }

  conflict(taskId: TaskId): Promise<ConflictReport> {
    return this.conflicts.report(taskId);
  }

  readConflictFile(taskId: TaskId, side: ConflictSide, path: string): Promise<Uint8Array | undefined> {
    return this.conflicts.readFile(taskId, side, path);
  }

  landResolved(taskId: TaskId, resolution: Resolution): Promise<Landed> {
    return this.landings.landResolved(taskId, resolution);
  }

  undoLanding(taskId: TaskId): Promise<void> {
    return this.ifKept(() => this.landings.undo(taskId));
  }

  discard(taskId: TaskId): Promise<void> {
    return this.ifKept(() => this.landings.discard(taskId));
  }

  history(query: HistoryQuery): Promise<HistoryAnswer> {
    return this.ports.history.query(query);
  }

  personas(repo: string | null): Promise<PersonaList> {
    return this.ports.personas.of(repo);
  }

  jailReadiness(): Promise<JailReadiness> {
    return this.ports.jails.readiness({ again: true });
  }

  proveJail(): Promise<JailProof> {
    return this.ports.jails.prove(jailPolicySchema.parse({ account: newId('proof'), workingDirectory: '/tmp' }));
  }

  shutdown(): Promise<void> {
    this.ending ??= this.end();
    return this.ending;
  }

  dispose(): void {
    this.dispatcher.dispose();
    this.warm.dispose();
    this.intake.dispose();
    this.outbox.dispose();
    this.approvals.dispose();
    this.reviews.dispose();
    this.roomWatch.dispose();
    this.replaced.dispose();
    this.hostWatch.dispose();
    this.joinedClaims.dispose();
    this.leases.dispose();
    this.budgetWatch.dispose();
    this.radar.dispose();
    this.shelf.dispose();
  }

  private async end(): Promise<void> {
    this.dispatcher.dispose();
    this.lentSources.dispose();
    for (const source of this.ports.sources) source.dispose();
    this.intake.dispose();
    this.outbox.dispose();
    this.stopping.abort();
    await this.dispatcher.interruptAll('shutdown');
    await this.warm.shutdown();
    this.joinedClaims.dispose();
    this.leases.dispose();
    this.radar.dispose();
    await Promise.all([this.outbox.drain(), this.joinedClaims.drain(), this.leases.drain(), this.radar.settled()]);
    await this.tidying;
    await this.landings.ended();
    await this.ports.sessions.shutdown();
    await this.ports.jails.shutdown();
    try {
      await this.append([{ kind: 'executor.stopped', executorId: this.executorId }]);
    } catch (error) {
      // On a full disk too the lock, the socket and the files are let go of.
      this.ports.logger.warn('The end of the executor could not be kept', { reason: messageOf(error) });
    } finally {
      this.dispose();
      await this.options.afterEnd();
    }
  }

  /** A command that does something before that is kept: not while it cannot be. */
  private async ifKept<T>(command: () => Promise<T>): Promise<T> {
    this.roomWatch.throwIfUnwritable();
    return command();
  }

  /** All can be kept again. */
  private async goOn(): Promise<void> {
    const ends = endsUnsaid(this.ports.events.state, {
      isLiving: (sessionId) => this.shelf.living(sessionId) !== undefined,
      isWorking: (taskId) => this.dispatcher.isWorking(taskId),
    });
    if (ends.length > 0) await this.append(ends);
    this.dispatcher.wake();
    await this.refreshSources();
    await this.landings.settle();
  }

  private find(taskId: TaskId): TaskState {
    return foundTask(this.state, taskId);
  }

  private async append(bodies: Parameters<ExecutorPorts['events']['append']>[0]): Promise<void> {
    await this.ports.events.append(bodies);
  }
}
