import { sha256 } from '../../src/base/digest';
import { type Disposable, toDisposable } from '../../src/base/disposable';
import { Emitter } from '../../src/base/emitter';
import { UserError } from '../../src/base/errors';
import { builtInPersonas } from '../../src/core/builtInPersonas';
import type { DataDeletion, DeletedData } from '../../src/core/dataDeletion';
import type { AirlockEvent, EventBody } from '../../src/core/events';
import { currentVersion } from '../../src/core/events';
import type { Executor, ExecutorPlace, RestoredSnapshot, ResultChanges } from '../../src/core/executor';
import { applyEvent } from '../../src/core/fold';
import type { ConflictReport, ConflictSide, Resolution } from '../../src/core/conflict';
import type { HistoryAnswer, HistoryQuery } from '../../src/core/history';
import type { Digest, ObjectId, RunId, SessionId, TaskId } from '../../src/core/ids';
import type { JailProof, JailReadiness } from '../../src/core/jail';
import type { Keyboard, TerminalSize } from '../../src/core/keyboard';
import type { Landed, LandingOptions, LandingTargets } from '../../src/core/landing';
import { emptyState, type LiveState, type TaskState } from '../../src/core/liveState';
import type { ApprovalDecision } from '../../src/core/approval';
import type { PersonaList } from '../../src/core/persona';
import type { NewComment } from '../../src/core/reviewComment';
import type { SessionUse } from '../../src/core/sessionUse';
import type { Cleaning, CleanedWorkspace, StoredWorkspace } from '../../src/core/storedWorkspace';
import { isEnded, newTaskSchema, type NewTask } from '../../src/core/task';
import type { FileChange } from '../../src/core/workspace';

/** A proof with one canary that held. */
export const sampleProof: JailProof = {
  proven: true,
  durationMs: 12,
  canaries: [
    { attempt: 'read the home folder', expected: 'not there', seen: 'not there', held: true, controlSucceeded: true },
  ],
};

/**
 * An executor that holds everything in memory and runs nothing. Its commands append the events that a real one would
 * append at once; what a run would add, a test appends itself with `append`. State and events go through the real fold.
 */
export class FakeExecutor implements Executor {
  place: ExecutorPlace = { kind: 'here' };
  state: LiveState = emptyState();
  /** Every call of a command, by name and arguments, in order. */
  readonly calls: { readonly command: string; readonly args: readonly unknown[] }[] = [];
  readonly blobs = new Map<Digest, Uint8Array>();
  /** Files of results: `<taskId>:<side>:<path>`. */
  readonly resultFiles = new Map<string, Uint8Array>();
  /** What any two snapshots differ in. */
  snapshotFiles: readonly FileChange[] = [];
  readonly resultChanges = new Map<TaskId, ResultChanges>();
  readonly watchers = new Map<SessionId, Set<(text: string) => void>>();
  readonly scrollback = new Map<SessionId, string>();
  personaList: PersonaList = {
    personas: builtInPersonas.map((persona) => ({ persona, origin: { kind: 'builtIn' } })),
    diagnostics: [],
  };
  historyAnswer: HistoryAnswer = { kind: 'daily', rows: [] };
  readiness: JailReadiness = { kind: 'ready', bwrapVersion: '0.8.0', bwrapPath: '/usr/bin/bwrap' };
  nowMs = Date.UTC(2026, 0, 5, 12);
  disposed = false;
  shutdowns = 0;
  private readonly failures = new Map<string, Error>();
  private readonly holds = new Map<string, Promise<void>>();
  private readonly appended = new Emitter<readonly AirlockEvent[]>();
  private readonly replaced = new Emitter<void>();
  private nextTask = 1;

  readonly onDidAppend = this.appended.event;
  readonly onDidReset = this.replaced.event;

  /** Appends facts as one group, as the journal would: they get their place, are folded, and are told. */
  append(...bodies: EventBody[]): readonly AirlockEvent[] {
    const events = bodies.map((body, index): AirlockEvent => ({
      ...body,
      seq: this.state.seq + 1 + index,
      atMs: (this.nowMs += 1000),
      v: currentVersion(body.kind),
    }));
    for (const event of events) applyEvent(this.state, event);
    this.appended.fire(events);
    return events;
  }

  /** Replaces the state as a whole, as a move to another executor does. */
  reset(state: LiveState, place: ExecutorPlace = this.place): void {
    this.state = state;
    this.place = place;
    this.replaced.fire();
  }

  /** The next call of `command` rejects with `error`. */
  failNext(command: keyof Executor, error: Error): void {
    this.failures.set(command, error);
  }

  /** Calls of `command` wait until the answer is called. */
  hold(command: keyof Executor): () => void {
    let release = (): void => {};
    this.holds.set(command, new Promise<void>((resolve) => (release = resolve)));
    return () => {
      this.holds.delete(command);
      release();
    };
  }

  /** Keeps bytes as a blob and answers their name. */
  keep(bytes: string | Uint8Array): Digest {
    const digest = sha256(bytes);
    this.blobs.set(digest, typeof bytes === 'string' ? Buffer.from(bytes) : bytes);
    return digest;
  }

  /** Lets a run of a task begin: it is accepted, prepared and has a session. */
  beginRun(
    taskId: TaskId,
    names: { readonly runId: RunId; readonly sessionId: SessionId; readonly repo?: string },
  ): void {
    const task = this.task(taskId);
    this.append(
      {
        kind: 'run.started',
        runId: names.runId,
        taskId,
        attempt: task.attempts + 1,
        repo: names.repo ?? '/home/dev/project',
        engine: 'scripted',
        model: 'scripted-1',
        persona: 'implementer',
      },
      { kind: 'run.prepared', runId: names.runId, baseCommit: 'a'.repeat(40), baseTree: 'b'.repeat(40), notes: [] },
      {
        kind: 'session.created',
        sessionId: names.sessionId,
        runId: names.runId,
        process: { pid: 4711, startTicks: 100, bootId: 'boot' },
        proof: sampleProof,
      },
      { kind: 'run.phase', runId: names.runId, phase: 'working' },
    );
  }

  /** Shows text in a session's terminal. */
  show(sessionId: SessionId, text: string): void {
    this.scrollback.set(sessionId, (this.scrollback.get(sessionId) ?? '') + text);
    for (const watcher of this.watchers.get(sessionId) ?? []) watcher(text);
  }

  async add(task: NewTask): Promise<TaskId> {
    await this.called('add', task);
    const parsed = newTaskSchema.parse(task);
    const same = [...this.state.tasks.values()].find(
      ({ spec }) =>
        parsed.origin &&
        spec.origin.sourceId === parsed.origin.sourceId &&
        spec.origin.externalId === parsed.origin.externalId,
    );
    if (same) return same.id;
    const taskId = `task-${this.nextTask++}`;
    this.append({
      kind: 'task.queued',
      taskId,
      spec: {
        title: parsed.title,
        prompt: this.keep(parsed.prompt),
        priority: parsed.priority,
        persona: parsed.persona,
        checks: parsed.checks,
        limits: parsed.limits,
        dependsOn: parsed.dependsOn,
        repo: parsed.repo,
        origin: parsed.origin ?? { sourceId: 'user', externalId: taskId },
        context: parsed.context && this.keep(JSON.stringify(parsed.context)),
        refusal: parsed.refusal,
      },
    });
    return taskId;
  }

  async startQueue(): Promise<void> {
    await this.called('startQueue');
    this.append({ kind: 'queue.changed', mode: 'running', by: 'user' });
  }

  async pauseQueue(): Promise<void> {
    await this.called('pauseQueue');
    this.append({ kind: 'queue.changed', mode: 'paused', by: 'user' });
  }

  async stopQueue(): Promise<void> {
    await this.called('stopQueue');
    this.append({ kind: 'queue.changed', mode: 'paused', by: 'user' });
  }

  async cancel(taskId: TaskId): Promise<void> {
    await this.called('cancel', taskId);
    const task = this.task(taskId);
    if (isEnded(task.status))
      throw new UserError('wrong-state', 'The task has ended already.', { status: task.status });
    this.append({
      kind: 'task.ended',
      taskId,
      outcome: 'cancelled',
      reason: 'cancelled by the user',
      runId: task.runId,
    });
  }

  async retry(taskId: TaskId): Promise<void> {
    await this.called('retry', taskId);
    const task = this.task(taskId);
    if (!isEnded(task.status)) throw new UserError('wrong-state', 'The task has not ended.', { status: task.status });
    this.append({ kind: 'task.requeued', taskId, reason: 'asked for by the user', notBeforeMs: 0 });
  }

  async runNow(taskId: TaskId): Promise<void> {
    await this.called('runNow', taskId);
    this.task(taskId);
  }

  async assignRepository(taskId: TaskId, repo: string): Promise<void> {
    await this.called('assignRepository', taskId, repo);
    const { spec } = this.task(taskId);
    this.append({ kind: 'task.changed', taskId, repo, priority: spec.priority }, { kind: 'task.resumed', taskId });
  }

  async answer(taskId: TaskId, text: string): Promise<void> {
    await this.called('answer', taskId, text);
  }

  async decide(taskId: TaskId, decision: ApprovalDecision): Promise<void> {
    await this.called('decide', taskId, decision);
    const run = this.state.runs.get(this.task(taskId).runId ?? '');
    const { callId, allow: allowed, reason = '' } = decision;
    if (run) this.append({ kind: 'approval.answered', runId: run.id, callId, allowed, by: 'user', reason, rule: null });
  }

  async pauseTask(taskId: TaskId): Promise<void> {
    await this.called('pauseTask', taskId);
  }

  async resumeTask(taskId: TaskId): Promise<void> {
    await this.called('resumeTask', taskId);
  }

  async moveTask(taskId: TaskId, before: TaskId | null): Promise<void> {
    await this.called('moveTask', taskId, before);
  }

  async retryReport(taskId: TaskId): Promise<void> {
    await this.called('retryReport', taskId);
  }

  async pauseSource(sourceId: string): Promise<void> {
    await this.called('pauseSource', sourceId);
  }

  async resumeSource(sourceId: string): Promise<void> {
    await this.called('resumeSource', sourceId);
  }

  async refreshSources(): Promise<void> {
    await this.called('refreshSources');
  }

  async readBlob(digest: Digest): Promise<Uint8Array | undefined> {
    await this.called('readBlob', digest);
    return this.blobs.get(digest);
  }

  async changes(taskId: TaskId): Promise<ResultChanges> {
    await this.called('changes', taskId);
    const changes = this.resultChanges.get(taskId);
    if (!changes) throw new UserError('no-result', 'The task has no published result.', { taskId });
    return changes;
  }

  async readResultFile(taskId: TaskId, side: 'base' | 'result', path: string): Promise<Uint8Array | undefined> {
    await this.called('readResultFile', taskId, side, path);
    return this.resultFiles.get(`${taskId}:${side}:${path}`);
  }

  async snapshotChanges(taskId: TaskId, from: number, to: number): Promise<readonly FileChange[]> {
    await this.called('snapshotChanges', taskId, from, to);
    return this.snapshotFiles;
  }

  async readSnapshotFile(taskId: TaskId, index: number, path: string): Promise<Uint8Array | undefined> {
    await this.called('readSnapshotFile', taskId, index, path);
    return this.resultFiles.get(`${taskId}:${index}:${path}`);
  }

  async restoreSnapshot(taskId: TaskId, index: number): Promise<RestoredSnapshot> {
    await this.called('restoreSnapshot', taskId, index);
    return { savedAs: index + 1, files: this.snapshotFiles };
  }

  async publishSnapshot(
    taskId: TaskId,
    index: number,
  ): Promise<{ readonly branch: string; readonly commit: ObjectId }> {
    await this.called('publishSnapshot', taskId, index);
    return { branch: `airlock/${taskId}-1-s${index}`, commit: 'c'.repeat(40) };
  }

  storedWorkspaces: readonly StoredWorkspace[] = [];

  async workspaces(): Promise<readonly StoredWorkspace[]> {
    await this.called('workspaces');
    return this.storedWorkspaces;
  }

  async cleanWorkspaces(cleaning: Cleaning): Promise<readonly CleanedWorkspace[]> {
    await this.called('cleanWorkspaces', cleaning);
    return this.storedWorkspaces.map((workspace) => ({ ...workspace, removed: true, reason: '' }));
  }

  async deleteData(deletion: DataDeletion): Promise<DeletedData> {
    await this.called('deleteData', deletion);
    return { tasks: 2, texts: 5, bytes: 3000, recordings: 1 };
  }

  async land(taskId: TaskId, options: LandingOptions = {}): Promise<Landed> {
    await this.called('land', taskId, options);
    const landed = { ref: `refs/heads/${options.onto ?? 'main'}`, from: 'a'.repeat(40), commit: 'b'.repeat(40) };
    this.append(
      { kind: 'landing.started', taskId, runId: 'run-landing', ref: landed.ref, only: null, resolved: [] },
      { kind: 'landing.moving', taskId, ...landed },
      { kind: 'task.landed', taskId, ...landed },
    );
    return landed;
  }

  async landingTargets(taskId: TaskId): Promise<LandingTargets> {
    await this.called('landingTargets', taskId);
    return { checkedOut: 'main', branches: ['main', 'release'] };
  }

  async cancelLanding(taskId: TaskId): Promise<void> {
    await this.called('cancelLanding', taskId);
  }

  async keepAsBranch(taskId: TaskId, name: string): Promise<void> {
    await this.called('keepAsBranch', taskId, name);
  }

  async notePullRequest(taskId: TaskId, url: string): Promise<void> {
    await this.called('notePullRequest', taskId, url);
  }

  async comment(taskId: TaskId, comment: NewComment): Promise<string> {
    await this.called('comment', taskId, comment);
    const { id = `comment-${this.state.seq}`, text, ...place } = comment;
    const words = this.keep(text);
    const commit = 'c'.repeat(40);
    this.append({ kind: 'comment.written', taskId, commentId: id, ...place, commit, text: words, quote: words });
    return id;
  }

  async deleteComment(taskId: TaskId, commentId: string): Promise<void> {
    await this.called('deleteComment', taskId, commentId);
    this.append({ kind: 'comment.deleted', taskId, commentId });
  }

  async sendBack(taskId: TaskId, text?: string): Promise<void> {
    await this.called('sendBack', taskId, text ?? '');
    this.append({ kind: 'task.requeued', taskId, reason: '', notBeforeMs: 0 });
  }

  async sendBackConflict(taskId: TaskId): Promise<void> {
    await this.called('sendBackConflict', taskId);
    this.append({ kind: 'task.requeued', taskId, reason: '', notBeforeMs: 0 });
  }

  async conflict(taskId: TaskId): Promise<ConflictReport> {
    await this.called('conflict', taskId);
    const file = { path: 'a', how: 'merge', isInTarget: true, isInResult: true } as const;
    return { ref: 'refs/heads/main', target: 'a'.repeat(40), files: [file] };
  }

  async readConflictFile(taskId: TaskId, side: ConflictSide, path: string): Promise<Uint8Array | undefined> {
    await this.called('readConflictFile', taskId, side, path);
    return side === 'base' ? undefined : Buffer.from(`${side} ${path}`);
  }

  async landResolved(taskId: TaskId, resolution: Resolution): Promise<Landed> {
    await this.called('landResolved', taskId, resolution);
    return { ref: 'refs/heads/main', from: resolution.target, commit: 'b'.repeat(40) };
  }

  async undoLanding(taskId: TaskId): Promise<void> {
    await this.called('undoLanding', taskId);
    this.append({ kind: 'task.unlanded', taskId });
  }

  async discard(taskId: TaskId): Promise<void> {
    await this.called('discard', taskId);
    this.append({ kind: 'task.discarded', taskId });
  }

  async watchSession(sessionId: SessionId, onOutput: (text: string) => void): Promise<Disposable> {
    await this.called('watchSession', sessionId);
    const watchers = this.watchers.get(sessionId) ?? new Set();
    this.watchers.set(sessionId, watchers);
    const own = (text: string): void => onOutput(text);
    watchers.add(own);
    const before = this.scrollback.get(sessionId);
    if (before) onOutput(before);
    return toDisposable(() => watchers.delete(own));
  }

  /** What the living sessions use. */
  uses: readonly SessionUse[] = [];

  async sessionUse(): Promise<readonly SessionUse[]> {
    await this.called('sessionUse');
    return this.uses;
  }

  /** By session. */
  readonly recordings = new Map<SessionId, Uint8Array>();

  async readRecording(sessionId: SessionId): Promise<Uint8Array> {
    await this.called('readRecording', sessionId);
    const recording = this.recordings.get(sessionId);
    if (!recording) throw new UserError('unknown-session', 'Its recording is gone.', { sessionId });
    return recording;
  }

  async archiveSession(sessionId: SessionId): Promise<void> {
    await this.called('archiveSession', sessionId);
    this.append({ kind: 'session.archived', sessionId });
  }

  async deleteSession(sessionId: SessionId): Promise<void> {
    await this.called('deleteSession', sessionId);
    this.append({ kind: 'session.deleted', sessionId });
  }

  /** Keyboards as they were taken: what was typed, the last size, and how to end one as a session does that is over. */
  readonly keyboards: { readonly sessionId: SessionId; size: TerminalSize; typed: string; end: () => void }[] = [];

  async takeOver(sessionId: SessionId, size: TerminalSize): Promise<Keyboard> {
    await this.called('takeOver', sessionId, size);
    if (this.state.sessions.get(sessionId)?.takenOver) throw new UserError('session-taken', 'Somebody has it.');
    const ended = new Emitter<void>();
    let over = false;
    const end = (): void => {
      if (over) return;
      over = true;
      this.append({ kind: 'session.givenBack', sessionId, changedFiles: 0 });
      ended.fire();
    };
    const taken = { sessionId, size, typed: '', end };
    this.keyboards.push(taken);
    this.append({ kind: 'session.takenOver', sessionId });
    return {
      write: (keys) => {
        if (!over) taken.typed += keys;
      },
      resize: (newSize) => {
        if (!over) taken.size = newSize;
      },
      giveBack: async () => end(),
      onDidEnd: ended.event,
    };
  }

  async history(query: HistoryQuery): Promise<HistoryAnswer> {
    await this.called('history', query);
    return this.historyAnswer;
  }

  async personas(repo: string | null): Promise<PersonaList> {
    await this.called('personas', repo);
    return this.personaList;
  }

  async jailReadiness(): Promise<JailReadiness> {
    await this.called('jailReadiness');
    return this.readiness;
  }

  async proveJail(): Promise<JailProof> {
    await this.called('proveJail');
    return sampleProof;
  }

  async shutdown(): Promise<void> {
    this.shutdowns += 1;
    await this.called('shutdown');
  }

  dispose(): void {
    this.disposed = true;
    this.appended.dispose();
    this.replaced.dispose();
  }

  private task(taskId: TaskId): TaskState {
    const task = this.state.tasks.get(taskId);
    if (!task) throw new UserError('unknown-task', `There is no task ${taskId}.`, { taskId });
    return task;
  }

  private async called(command: string, ...args: readonly unknown[]): Promise<void> {
    this.calls.push({ command, args });
    await this.holds.get(command);
    const failure = this.failures.get(command);
    this.failures.delete(command);
    if (failure) throw failure;
  }
}
