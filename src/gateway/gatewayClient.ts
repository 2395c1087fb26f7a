import type { Clock } from '../base/clock';
import { type Disposable, toDisposable } from '../base/disposable';
import { Emitter } from '../base/emitter';
import { assertNever, messageOf, UserError } from '../base/errors';
import { newId } from '../base/ids';
import type { Logger } from '../base/logger';
import type { DataDeletion, DeletedData } from '../core/dataDeletion';
import type { DiagnosticSink } from '../core/diagnostic';
import type { AirlockEvent } from '../core/events';
import type { Executor, ExecutorPlace, RestoredSnapshot, ResultChanges } from '../core/executor';
import type { FolderSource } from '../core/folderSource';
import { applyEvent } from '../core/fold';
import type { ConflictReport, ConflictSide, Resolution } from '../core/conflict';
import type { HistoryAnswer, HistoryQuery } from '../core/history';
import type { Digest, ObjectId, SessionId, TaskId } from '../core/ids';
import type { JailProof, JailReadiness } from '../core/jail';
import type { Keyboard, TerminalSize } from '../core/keyboard';
import type { Landed, LandingOptions, LandingTargets } from '../core/landing';
import { emptyState, type LiveState } from '../core/liveState';
import type { NewComment } from '../core/reviewComment';
import { fromWire } from '../core/snapshot';
import type { SessionUse } from '../core/sessionUse';
import type { Cleaning, CleanedWorkspace, StoredWorkspace } from '../core/storedWorkspace';
import type { ApprovalDecision } from '../core/approval';
import type { PersonaList } from '../core/persona';
import type { NewTask } from '../core/task';
import type { FileChange } from '../core/workspace';
import { protocolVersion, type CallInput, type ResultOf } from '../protocol/executorProtocol';
import { GatewayLink, unreachable, type Push } from './gatewayLink';
import { RemoteKeyboard } from './remoteKeyboard';
import { fromWireError } from './wireError';

const welcomeTimeoutMs = 10_000;
const requestTimeoutMs = 60_000;
/** A proof starts a jail and waits for every attempt to get out of it; a cancelled run is waited for. */
const slowRequestTimeoutMs = 300_000;
/** Checks are run in it, and the landings of others come before. */
const landingTimeoutMs = 6 * 3_600_000;

export interface GatewayClientOptions {
  readonly socketPath: string;
  /** Folders of this process, which the executor is to follow while it is connected. Absent: none. */
  readonly lent?: readonly FolderSource[];
  /** Told what is wrong in their files. */
  readonly onDiagnostics?: DiagnosticSink;
  readonly version: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Connects to the executor of another process.
 * @throws {UserError} `executor-unreachable` when nobody answers; `executor-version` when the two cannot talk.
 */
export async function connectExecutor(options: GatewayClientOptions): Promise<Executor> {
  const client = new GatewayClient(options);
  try {
    await client.connected;
    await client.lend();
    return client;
  } catch (error) {
    client.dispose();
    throw error;
  }
}

/**
 * An executor that lives in another process: commands go over, and a replica of its state follows its events. When the
 * connection ends its place is `nowhere`, and it stays so; the last state can still be read.
 */
class GatewayClient implements Executor {
  place: ExecutorPlace = { kind: 'nowhere' };
  state: LiveState = emptyState();
  /** Resolves once the state is here. */
  readonly connected: Promise<void>;

  private readonly appended: Emitter<readonly AirlockEvent[]>;
  private readonly replaced: Emitter<void>;
  private readonly watchers = new Map<string, (text: string) => void>();
  private readonly keyboards = new Map<string, RemoteKeyboard>();
  private readonly link: GatewayLink;
  private greet: { readonly resolve: () => void; readonly reject: (error: Error) => void } | undefined;

  constructor(private readonly options: GatewayClientOptions) {
    const onListenerError = (error: unknown): void => options.logger.error('A listener to the executor failed', error);
    this.appended = new Emitter(onListenerError);
    this.replaced = new Emitter(onListenerError);
    this.connected = new Promise((resolve, reject) => {
      this.greet = { resolve, reject };
    });
    this.link = new GatewayLink({
      socketPath: options.socketPath,
      clock: options.clock,
      onPush: (push) => this.receive(push),
      onClosed: (error) => this.lost(error),
    });
    const deadline = options.clock.setTimer(welcomeTimeoutMs, () => this.link.close(unreachable('it does not answer')));
    const settled = (): void => deadline.dispose();
    this.connected.then(settled, settled);
    this.link.send({ kind: 'hello', protocol: protocolVersion, version: options.version, pid: process.pid });
  }

  get onDidAppend(): Executor['onDidAppend'] {
    return this.appended.event;
  }

  get onDidReset(): Executor['onDidReset'] {
    return this.replaced.event;
  }

  /** That folders cannot be followed keeps nobody from following the executor. */
  async lend(): Promise<void> {
    const { lent = [], logger } = this.options;
    if (lent.length === 0) return;
    try {
      await this.call({ method: 'lendFolders', folders: [...lent] });
    } catch (error) {
      logger.error('The tasks of the folders that are open here are not followed', error);
    }
  }

  add(task: NewTask): Promise<TaskId> {
    return this.call({ method: 'add', task });
  }

  async startQueue(): Promise<void> {
    await this.call({ method: 'startQueue' });
  }

  async pauseQueue(): Promise<void> {
    await this.call({ method: 'pauseQueue' });
  }

  async stopQueue(): Promise<void> {
    await this.call({ method: 'stopQueue' }, slowRequestTimeoutMs);
  }

  async cancel(taskId: TaskId): Promise<void> {
    await this.call({ method: 'cancel', taskId }, slowRequestTimeoutMs);
  }

  async retry(taskId: TaskId): Promise<void> {
    await this.call({ method: 'retry', taskId });
  }

  async runNow(taskId: TaskId): Promise<void> {
    await this.call({ method: 'runNow', taskId });
  }

  async assignRepository(taskId: TaskId, repo: string): Promise<void> {
    await this.call({ method: 'assignRepository', taskId, repo });
  }

  async answer(taskId: TaskId, text: string): Promise<void> {
    await this.call({ method: 'answer', taskId, text });
  }

  async decide(taskId: TaskId, decision: ApprovalDecision): Promise<void> {
    await this.call({ method: 'decide', taskId, decision });
  }

  async pauseTask(taskId: TaskId): Promise<void> {
    await this.call({ method: 'pauseTask', taskId });
  }

  async resumeTask(taskId: TaskId): Promise<void> {
    await this.call({ method: 'resumeTask', taskId });
  }

  async moveTask(taskId: TaskId, before: TaskId | null): Promise<void> {
    await this.call({ method: 'moveTask', taskId, before });
  }

  async retryReport(taskId: TaskId): Promise<void> {
    await this.call({ method: 'retryReport', taskId });
  }

  async pauseSource(sourceId: string): Promise<void> {
    await this.call({ method: 'pauseSource', sourceId });
  }

  async resumeSource(sourceId: string): Promise<void> {
    await this.call({ method: 'resumeSource', sourceId });
  }

  async refreshSources(): Promise<void> {
    await this.call({ method: 'refreshSources' });
  }

  async readBlob(digest: Digest): Promise<Uint8Array | undefined> {
    return decode(await this.call({ method: 'readBlob', digest }));
  }

  changes(taskId: TaskId): Promise<ResultChanges> {
    return this.call({ method: 'changes', taskId }, slowRequestTimeoutMs);
  }

  async readResultFile(taskId: TaskId, side: 'base' | 'result', path: string): Promise<Uint8Array | undefined> {
    return decode(await this.call({ method: 'readResultFile', taskId, side, path }));
  }

  snapshotChanges(taskId: TaskId, from: number, to: number): Promise<readonly FileChange[]> {
    return this.call({ method: 'snapshotChanges', taskId, from, to }, slowRequestTimeoutMs);
  }

  async readSnapshotFile(taskId: TaskId, index: number, path: string): Promise<Uint8Array | undefined> {
    return decode(await this.call({ method: 'readSnapshotFile', taskId, index, path }));
  }

  restoreSnapshot(taskId: TaskId, index: number): Promise<RestoredSnapshot> {
    return this.call({ method: 'restoreSnapshot', taskId, index }, slowRequestTimeoutMs);
  }

  publishSnapshot(taskId: TaskId, index: number): Promise<{ readonly branch: string; readonly commit: ObjectId }> {
    return this.call({ method: 'publishSnapshot', taskId, index }, slowRequestTimeoutMs);
  }

  workspaces(): Promise<readonly StoredWorkspace[]> {
    return this.call({ method: 'workspaces' });
  }

  cleanWorkspaces(cleaning: Cleaning): Promise<readonly CleanedWorkspace[]> {
    return this.call({ method: 'cleanWorkspaces', cleaning }, slowRequestTimeoutMs);
  }

  deleteData(deletion: DataDeletion): Promise<DeletedData> {
    return this.call({ method: 'deleteData', deletion }, slowRequestTimeoutMs);
  }

  async watchSession(sessionId: SessionId, onOutput: (text: string) => void): Promise<Disposable> {
    const watch = newId('watch');
    // Before the request: what was shown so far comes before the reply.
    this.watchers.set(watch, onOutput);
    try {
      await this.call({ method: 'watchSession', sessionId, watch });
    } catch (error) {
      this.watchers.delete(watch);
      throw error;
    }
    return toDisposable(() => {
      this.watchers.delete(watch);
      // Nothing hangs on it: at worst some output comes that nobody reads.
      this.call({ method: 'unwatchSession', watch }).catch(() => {});
    });
  }

  sessionUse(): Promise<readonly SessionUse[]> {
    return this.call({ method: 'sessionUse' });
  }

  async readRecording(sessionId: SessionId): Promise<Uint8Array> {
    return Buffer.from(await this.call({ method: 'readRecording', sessionId }, slowRequestTimeoutMs), 'base64');
  }

  async archiveSession(sessionId: SessionId): Promise<void> {
    await this.call({ method: 'archiveSession', sessionId });
  }

  async deleteSession(sessionId: SessionId): Promise<void> {
    await this.call({ method: 'deleteSession', sessionId });
  }

  async takeOver(sessionId: SessionId, size: TerminalSize): Promise<Keyboard> {
    const keyboard = newId('keyboard');
    const remote = new RemoteKeyboard(
      {
        type: (keys) => this.call({ method: 'typeKeys', keyboard, keys }),
        resize: (newSize) => this.call({ method: 'resizeTerminal', keyboard, size: newSize }),
        giveBack: () => this.call({ method: 'giveBack', keyboard }),
      },
      (error) => this.options.logger.warn('A key did not get to the session', { reason: messageOf(error) }),
    );
    // Before the request: it may end before the reply is read.
    this.keyboards.set(keyboard, remote);
    try {
      await this.call({ method: 'takeOver', sessionId, size, keyboard });
      return remote;
    } catch (error) {
      this.keyboards.delete(keyboard);
      throw error;
    }
  }

  land(taskId: TaskId, { onto, files }: LandingOptions = {}): Promise<Landed> {
    const only = files === undefined ? {} : { files: [...files] };
    return this.call({ method: 'land', taskId, ...(onto === undefined ? {} : { onto }), ...only }, landingTimeoutMs);
  }

  landingTargets(taskId: TaskId): Promise<LandingTargets> {
    return this.call({ method: 'landingTargets', taskId });
  }

  async cancelLanding(taskId: TaskId): Promise<void> {
    await this.call({ method: 'cancelLanding', taskId }, slowRequestTimeoutMs);
  }

  async notePullRequest(taskId: TaskId, url: string): Promise<void> {
    await this.call({ method: 'notePullRequest', taskId, url });
  }

  async keepAsBranch(taskId: TaskId, name: string): Promise<void> {
    await this.call({ method: 'keepAsBranch', taskId, name });
  }

  comment(taskId: TaskId, comment: NewComment): Promise<string> {
    return this.call({ method: 'comment', taskId, comment });
  }

  async deleteComment(taskId: TaskId, commentId: string): Promise<void> {
    await this.call({ method: 'deleteComment', taskId, commentId });
  }

  async sendBack(taskId: TaskId, text = ''): Promise<void> {
    await this.call({ method: 'sendBack', taskId, text });
  }

  async sendBackConflict(taskId: TaskId): Promise<void> {
    await this.call({ method: 'sendBackConflict', taskId });
  }

  conflict(taskId: TaskId): Promise<ConflictReport> {
    return this.call({ method: 'conflict', taskId }, slowRequestTimeoutMs);
  }

  async readConflictFile(taskId: TaskId, side: ConflictSide, path: string): Promise<Uint8Array | undefined> {
    return decode(await this.call({ method: 'readConflictFile', taskId, side, path }));
  }

  landResolved(taskId: TaskId, resolution: Resolution): Promise<Landed> {
    return this.call({ method: 'landResolved', taskId, resolution }, landingTimeoutMs);
  }

  async undoLanding(taskId: TaskId): Promise<void> {
    await this.call({ method: 'undoLanding', taskId }, slowRequestTimeoutMs);
  }

  async discard(taskId: TaskId): Promise<void> {
    await this.call({ method: 'discard', taskId }, slowRequestTimeoutMs);
  }

  history(query: HistoryQuery): Promise<HistoryAnswer> {
    return this.call({ method: 'history', query });
  }

  personas(repo: string | null): Promise<PersonaList> {
    return this.call({ method: 'personas', repo });
  }

  jailReadiness(): Promise<JailReadiness> {
    return this.call({ method: 'jailReadiness' });
  }

  proveJail(): Promise<JailProof> {
    return this.call({ method: 'proveJail' }, slowRequestTimeoutMs);
  }

  async shutdown(): Promise<void> {
    this.dispose();
  }

  dispose(): void {
    this.appended.dispose();
    this.replaced.dispose();
    this.watchers.clear();
    this.link.dispose();
  }

  private call<C extends CallInput>(call: C, timeoutMs = requestTimeoutMs): Promise<ResultOf<C['method']>> {
    return this.link.request(call, timeoutMs);
  }

  private receive(push: Push): void {
    switch (push.kind) {
      case 'welcome':
        this.state = fromWire(push.state);
        this.place = { kind: 'elsewhere', pid: push.pid };
        this.greet?.resolve();
        return;
      case 'refused':
        throw fromWireError(push.error);
      case 'events':
        return this.apply(push.events);
      case 'reset':
        this.state = fromWire(push.state);
        this.replaced.fire();
        return;
      case 'output':
        this.show(push.watch, push.text);
        return;
      case 'keyboardEnded':
        this.keyboards.get(push.keyboard)?.end();
        this.keyboards.delete(push.keyboard);
        return;
      case 'diagnostics':
        this.options.onDiagnostics?.(push.owner, push.diagnostics);
        return;
      default:
        assertNever(push);
    }
  }

  private apply(events: readonly AirlockEvent[]): void {
    for (const event of events) {
      if (event.seq !== this.state.seq + 1) {
        throw new UserError(
          'executor-unreachable',
          'The events of the executor have a gap; its state is fetched anew.',
          {
            expected: this.state.seq + 1,
            came: event.seq,
          },
        );
      }
      applyEvent(this.state, event);
    }
    this.appended.fire(events);
  }

  private show(watch: string, text: string): void {
    try {
      this.watchers.get(watch)?.(text);
    } catch (error) {
      this.options.logger.error('Output of a session could not be shown', error);
    }
  }

  private lost(error: Error): void {
    const wasConnected = this.place.kind !== 'nowhere';
    this.place = { kind: 'nowhere' };
    this.watchers.clear();
    for (const keyboard of this.keyboards.values()) keyboard.end();
    this.keyboards.clear();
    this.greet?.reject(error);
    if (wasConnected) this.replaced.fire();
  }
}

function decode(base64: string | null): Uint8Array | undefined {
  return base64 === null ? undefined : new Uint8Array(Buffer.from(base64, 'base64'));
}
