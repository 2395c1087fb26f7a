import { fullJitterMs } from '../base/backoff';
import { messageOf, UserError } from '../base/errors';
import { newId } from '../base/ids';
import type { EventBody } from '../core/events';
import type { ObjectId, TaskId } from '../core/ids';
import { runOf, type RunState, type TaskState } from '../core/liveState';
import type { Persona } from '../core/persona';
import { branchOf, type Workspace } from '../core/workspace';
import { budgetWaits } from './budgetWatch';
import { userSourceId } from './intake';
import { interruptionOf, lostReason, RunInterrupted } from './interruption';
import { reportsToJoined } from './joinedReports';
import type { RunGates } from './requestGates';
import type { ExecutorPorts, ExecutorSettings, SessionRegistry } from './ports';
import { removeEngineFolder, reopenedWorkspace } from './reopenedWorkspace';
import { engineOf, modelOf } from './runEngine';
import { RunClock } from './runClock';
import { heldReason } from './leftOpen';
import { treatmentOf, unapprovedServer } from './retryPolicy';
import { type PlannedReview, reviewOf } from './reviews';
import { commitMessage, reportBody, reportFor, type RunEnding } from './runReport';
import { narrowed, wallMsOf } from './runSession';
import { needsWord } from './userQuestions';
import { RunWork, type WorkResult } from './runWork';
import type { WarmSessions } from './warmSessions';
import { eventsOf, type WarmStart, type WarmWish } from './warmStart';
import { wishOfNext } from './warmWish';

/** So many branches of other results may have the name that a result wants. */
const maxBranchNumber = 50;
const resumptionBackoff = { firstMs: 2_000, maxMs: 60_000 };

export interface TaskToRun {
  readonly taskId: TaskId;
  /** What it is played by, from its first turn to its last. */
  readonly persona: Persona;
  /** What waits for tasks like this one. */
  readonly warm: WarmSessions;
}

/**
 * One attempt at a task, from its workspace to its end. It either ends the task, with exactly one outcome that is in the
 * journal together with the report to its source, or leaves the run so that it can go on where it was.
 */
export class TaskRun {
  private workspace: Workspace | undefined;
  /** What was prepared ahead, and is this run's. */
  private claimed: WarmStart | undefined;
  private readonly taskId: TaskId;
  private readonly persona: Persona;
  private readonly warm: WarmSessions;

  constructor(
    private readonly ports: ExecutorPorts,
    private readonly settings: ExecutorSettings,
    private readonly gates: RunGates,
    private readonly registry: SessionRegistry,
    { taskId, persona, warm }: TaskToRun,
  ) {
    this.taskId = taskId;
    this.persona = persona;
    this.warm = warm;
  }

  /**
   * Resolves when the run has ended or was left. `signal` is aborted with a `RunInterrupted`.
   * @throws {UserError} `disk-full`, `storage-unwritable`, …: nothing could be kept; the run can go on later.
   */
  async execute(signal: AbortSignal): Promise<void> {
    const timer = new AbortController();
    const wallMs = wallMsOf(this.task, this.persona, this.settings);
    const either = AbortSignal.any([signal, timer.signal]);
    const run = await this.begin(either);
    const runClock = new RunClock(this.ports, run.id, wallMs, () => timer.abort(new RunInterrupted('timeout')));
    try {
      await this.finish(run, await this.work(run, either));
    } catch (error) {
      await this.stopped(run, either, error);
    } finally {
      await runClock.stop();
      await this.claimed?.session.close('the run ended');
    }
  }

  private async begin(signal: AbortSignal): Promise<RunState> {
    const left = this.task.runId === null ? undefined : this.ports.events.state.runs.get(this.task.runId);
    if (left && left.outcome === null) {
      if (left.feedback) {
        await this.append([{ kind: 'run.resumed', runId: left.id }]);
        return left;
      }
      this.workspace = await reopenedWorkspace(this.ports, left, signal);
      // Left before its workspace was ready, it begins anew as the same run: nothing was done in it, and nothing paid for.
      if (this.workspace || left.baseTree === null) {
        const unsaid = this.workspace && left.baseTree === null ? [prepared(this.workspace)] : [];
        await this.append([{ kind: 'run.resumed', runId: left.id }, ...unsaid]);
        return left;
      }
      await this.append([
        {
          kind: 'run.ended',
          runId: left.id,
          outcome: 'failed',
          reason: 'It was interrupted, and its workspace is gone.',
        },
      ]);
    }
    return this.beginAnew();
  }

  /** What thinks. One that is not there is said once the run has begun, so that its task waits for the user. */
  private thinker(): { readonly kind: string; readonly model: string } {
    const { persona, ports, settings } = this;
    try {
      const engine = engineOf(ports, persona);
      return { kind: engine.kind, model: modelOf(engine, persona, settings) };
    } catch {
      return { kind: persona.engine ?? ports.engine.kind, model: modelOf(ports.engine, persona, settings) };
    }
  }

  /** With what was prepared ahead, when that is just what this task wants: then the run has its id. */
  private async beginAnew(): Promise<RunState> {
    const { events, blobs } = this.ports;
    const { kind, model } = this.thinker();
    const { repo } = this.task.spec;
    const wish = this.wish();
    const warm = wish && (await this.warm.claim(wish));
    const runId = warm?.runId ?? newId('run');
    try {
      await this.append([
        {
          kind: 'run.started',
          runId,
          taskId: this.taskId,
          attempt: this.task.attempts + 1,
          repo: repo ?? '',
          engine: kind,
          model,
          persona: this.persona.name,
          role: await blobs.put(JSON.stringify(this.persona)),
        },
        ...(warm ? [prepared(warm.workspace), ...eventsOf(warm)] : []),
      ]);
    } catch (error) {
      if (warm) this.warm.discard(warm, 'its run could not begin');
      throw error;
    }
    this.claimed = warm;
    this.workspace = warm?.workspace;
    const run = events.state.runs.get(runId);
    if (!run) throw new Error(`Run ${runId} is not in the state`);
    return run;
  }

  /** @returns `undefined` when it cannot be told what it wants: then its workspace says what is in the way. */
  private wish(): WarmWish | undefined {
    const { repo, limits } = this.task.spec;
    if (repo === null) return undefined;
    try {
      const base = this.baseCommit(repo);
      const wallMs = wallMsOf(this.task, this.persona, this.settings);
      return { repo, persona: narrowed(this.persona, limits), wallMs, ...(base === undefined ? {} : { base }) };
    } catch {
      return undefined;
    }
  }

  /** Now that this one works, there is time for the next. */
  private prepareNext(): void {
    const wish = this.wish();
    if (!wish) return;
    wishOfNext(this.ports, this.settings, wish)
      .then((next) => this.warm.expect(next))
      .catch((error: unknown) => this.ports.logger.debug('Nothing is prepared ahead', { reason: messageOf(error) }));
  }

  private async work(run: RunState, signal: AbortSignal): Promise<WorkResult> {
    this.tellSource(0, 'started');
    const workspace = (this.workspace ??= await this.workspaceOf(run, signal));
    const checks = this.task.spec.checks ?? (this.persona.workspace === 'read' ? [] : workspace.config.checks);
    const work = new RunWork(this.ports, this.settings, this.gates, this.registry, {
      task: this.task,
      run,
      workspace,
      persona: this.persona,
      checks,
      signal,
      onProgress: (percent, message) => this.tellSource(percent, message),
      warm: this.claimed,
      onSession: () => this.prepareNext(),
    });
    return work.toItsEnd();
  }

  /** Laying a result out again can fail, and take long, as making a workspace can: the run has begun by then. */
  private async workspaceOf(run: RunState, signal: AbortSignal): Promise<Workspace> {
    const reopened = run.feedback && (await reopenedWorkspace(this.ports, run, signal));
    return reopened ?? this.prepare(run, signal);
  }

  private async prepare(run: RunState, signal: AbortSignal): Promise<Workspace> {
    const { repo } = this.task.spec;
    if (repo === null) throw new UserError('no-repository', 'Nobody said which repository this task is for.');
    const workspace = await this.ports.workspaces.create({ runId: run.id, repo, base: this.baseCommit(repo), signal });
    await this.append([prepared(workspace)]);
    return workspace;
  }

  /** A task starts from the result of what it depends on; `undefined`: from where the repository is. */
  private baseCommit(repo: string): ObjectId | undefined {
    const { state } = this.ports.events;
    const { parent } = this.task.spec;
    const reviewed = parent?.kind === 'review' ? state.tasks.get(parent.taskId) : undefined;
    const result = reviewed && runOf(state, reviewed)?.commit;
    if (result) return result;
    const commits = this.task.spec.dependsOn.flatMap((id) => {
      const dependency = state.tasks.get(id);
      const run = dependency?.runId ? state.runs.get(dependency.runId) : undefined;
      const isOpen = dependency?.status === 'verified' && dependency.spec.repo === repo;
      return isOpen && run?.commit ? [run.commit] : [];
    });
    if (commits.length > 1) {
      throw new UserError(
        'several-bases',
        'It depends on several results that are not landed yet, and it can start from only one commit. Land them first, then retry.',
      );
    }
    return commits[0];
  }

  /** The one way in which a run ends: its result is published, then run, task and report end in one group of events. */
  private async finish(run: RunState, result: WorkResult): Promise<void> {
    await this.publish(run, result);
    await this.end(run, result.ending);
    if (result.complete) await this.removeWorkspace();
    else
      this.ports.logger.warn('A workspace is kept, because not all of it could be taken into the result', {
        runId: run.id,
      });
  }

  private async publish(run: RunState, { ending, tree }: WorkResult): Promise<void> {
    const { workspace } = this;
    if (!workspace || tree === workspace.baseTree) return;
    if (run.phase !== 'publishing') await this.append([{ kind: 'run.phase', runId: run.id, phase: 'publishing' }]);
    const { branch, commit } = await this.publishBranch(workspace, run, ending, tree);
    const files = await workspace.changes(workspace.baseTree, tree);
    await this.append([
      {
        kind: 'result.published',
        runId: run.id,
        branch,
        commit,
        filesChanged: files.length,
        insertions: files.reduce((sum, file) => sum + (file.insertions ?? 0), 0),
        deletions: files.reduce((sum, file) => sum + (file.deletions ?? 0), 0),
      },
    ]);
  }

  /** A branch of that name may be left from another storage or an earlier life of the backend: it stays, and ours gets a number. */
  private async publishBranch(
    workspace: Workspace,
    run: RunState,
    ending: RunEnding,
    tree: ObjectId,
  ): Promise<{ readonly branch: string; readonly commit: ObjectId }> {
    const message = commitMessage(this.task, run, ending);
    for (let number = 1; ; number += 1) {
      const branch = branchOf(this.taskId, run.attempt) + (number === 1 ? '' : `.${number}`);
      try {
        return { branch, ...(await workspace.publish({ tree, branch, message })) };
      } catch (error) {
        const isTaken = error instanceof UserError && error.code === 'branch-exists';
        if (!isTaken || number >= maxBranchNumber) throw error;
      }
    }
  }

  private async end(run: RunState, ending: RunEnding): Promise<void> {
    const { outcome, reason } = ending;
    await this.append([
      { kind: 'run.ended', runId: run.id, outcome, reason },
      ...(await endOfTask(this.ports, this.task, run, ending, reviewOf(this.settings, this.task, run, outcome))),
    ]);
  }

  private async stopped(run: RunState, signal: AbortSignal, error: unknown): Promise<void> {
    const interruption = interruptionOf(signal);
    switch (interruption) {
      case 'cancel':
        return this.salvage(run, { outcome: 'cancelled', reason: 'The user cancelled it.', response: '' });
      case 'lost':
        return this.salvage(run, { outcome: 'cancelled', reason: lostReason, response: '' });
      case 'timeout':
        return this.salvage(run, { outcome: 'failed', reason: 'It took longer than it may.', response: '' });
      case 'stop':
        return this.leave('It was interrupted and goes on where it was.');
      case 'disk':
        return this.leave(heldReason);
      case 'shutdown':
        return;
      case undefined:
        return this.failed(run, error);
    }
  }

  private async failed(run: RunState, error: unknown): Promise<void> {
    const reason = messageOf(error);
    this.ports.logger.warn('A run did not get to its end', { runId: run.id, taskId: this.taskId, reason });
    const treatment = treatmentOf(error);
    const isBudget = error instanceof UserError && error.code === 'budget-spent' && error.facts['ends'] !== true;
    if (isBudget) return this.append(budgetWaits(this.task, error));
    // On a disk that takes nothing more everything fails, in words of its own: git, the jail, the session's files.
    if ((await this.ports.room.look()) !== undefined) return this.leave(heldReason);
    if (treatment === 'wait') {
      await this.append([
        { kind: 'task.waiting', taskId: this.taskId, on: 'user', reason, ...unapprovedServer(error) },
      ]);
      // What was said while it was being left found nobody who heard it.
      const isAnswered = error instanceof UserError && error.code === 'approval-open' && !needsWord(run);
      return isAnswered && !this.task.paused ? this.leave('') : undefined;
    }
    // It is another disk that is full, or this one fails now and then: trying again is bounded there.
    if ((treatment === 'retry' || treatment === 'pause') && this.task.failures < this.settings.maxResumptions) {
      if (!(error instanceof UserError))
        this.ports.logger.error('A run failed and goes on by itself', error, { runId: run.id });
      const notBeforeMs = this.ports.clock.nowMs() + fullJitterMs(this.task.failures + 1, resumptionBackoff);
      return this.append([{ kind: 'task.requeued', taskId: this.taskId, reason, notBeforeMs, failed: true }]);
    }
    await this.salvage(run, { outcome: 'failed', reason, response: '' });
  }

  /** It goes back into the queue and goes on where it was. */
  private leave(reason: string): Promise<void> {
    return this.append([{ kind: 'task.requeued', taskId: this.taskId, reason, notBeforeMs: 0 }]);
  }

  /** Ends a run that did not get to its end; what it did so far is published, for nothing is thrown away unasked. */
  private async salvage(run: RunState, ending: RunEnding): Promise<void> {
    let result: WorkResult | undefined;
    try {
      const last = await this.workspace?.snapshot('when the run was ended');
      if (last) {
        result = { ending, tree: last.tree, complete: last.skipped.length === 0 };
        await this.publish(run, result);
      }
    } catch (error) {
      if (treatmentOf(error) === 'pause' && this.ports.room.shortage === undefined) throw error;
      result = undefined;
      this.ports.logger.warn('What the run did so far stays in its workspace only', {
        runId: run.id,
        reason: messageOf(error),
      });
    }
    await this.end(run, ending);
    if (result?.complete) await this.removeWorkspace();
  }

  private async removeWorkspace(): Promise<void> {
    try {
      await this.workspace?.remove();
      if (this.workspace) await removeEngineFolder(this.ports, this.workspace.runId);
    } catch (error) {
      this.ports.logger.warn('A workspace could not be removed', { taskId: this.taskId, reason: messageOf(error) });
    }
  }

  private tellSource(percent: number | null, message: string): void {
    const { origin } = this.task.spec;
    const source = this.ports.sources.find((candidate) => candidate.id === origin.sourceId);
    source?.progress(origin.externalId, percent, message).catch((error: unknown) => {
      this.ports.logger.debug('Progress was not told', { taskId: this.taskId, reason: messageOf(error) });
    });
  }

  private async append(bodies: readonly EventBody[]): Promise<void> {
    await this.ports.events.append(bodies);
  }

  private get task(): TaskState {
    const task = this.ports.events.state.tasks.get(this.taskId);
    if (!task) throw new Error(`Task ${this.taskId} is not in the state`);
    return task;
  }
}

function prepared({ runId, baseCommit, baseTree, notes }: Workspace): EventBody {
  return { kind: 'run.prepared', runId, baseCommit, baseTree, notes: [...notes] };
}

/** The events that end a task: its outcome, and what its source is to be told. They belong into one group. */
export async function endOfTask(
  ports: ExecutorPorts,
  task: TaskState,
  run: RunState | undefined,
  ending: RunEnding,
  review: PlannedReview = {},
): Promise<EventBody[]> {
  const { outcome, reason } = ending;
  const bodies: EventBody[] = [
    { kind: 'task.ended', taskId: task.id, outcome, reason, runId: run?.id ?? null, ...review },
  ];
  const isTold = task.accepted && task.spec.origin.sourceId !== userSourceId;
  if (isTold || task.joined !== undefined) {
    const body = await ports.blobs.put(JSON.stringify(reportBody(task, run, ending, ports.clock.nowMs())));
    if (isTold) bodies.push({ kind: 'report.queued', report: reportFor(task, outcome, body) });
    bodies.push(...reportsToJoined(task, outcome, body));
  }
  return bodies;
}
