import { CancelledError, messageOf, UserError } from '../base/errors';
import { newId } from '../base/ids';
import { Mutex } from '../base/mutex';
import { type Conflict, maxConflictedPaths, type Resolution } from '../core/conflict';
import { describeVerdict, passed } from '../core/evidence';
import type { EventBody } from '../core/events';
import type { ObjectId, RunId, TaskId } from '../core/ids';
import type { Landed, LandingOptions, LandingTargets, Merge, TargetBranch } from '../core/landing';
import type { RunState, TaskState } from '../core/liveState';
import { narrowNetwork } from '../core/narrowNetwork';
import type { Persona } from '../core/persona';
import { pullRequestUrlSchema } from '../core/pullRequest';
import { isEnded, isJudged } from '../core/task';
import type { Workspace } from '../core/workspace';
import { amendedReports } from './amendedReports';
import { Conflicts, type ResolvedLanding } from './conflicts';
import { ConnectionLog } from './connectionLog';
import { EvidenceCollector } from './evidenceCollector';
import type { ExecutorPorts, ExecutorSettings } from './ports';
import { RunDependencies } from './runDependencies';
import { roleOfRun } from './roles';
import { commitMessage } from './runReport';

/** A branch that somebody works on may move while checks run; one that moves more often is better left alone. */
const maxTries = 3;
const maxListedFiles = 20;

type Landing = LandingOptions & { readonly signal: AbortSignal; readonly resolved: ResolvedLanding | undefined };

/** A result as it was published. */
interface Result {
  readonly task: TaskState;
  readonly run: RunState;
  readonly repo: string;
  readonly branch: string;
  readonly base: ObjectId;
  readonly commit: ObjectId;
}

/** One that the user has asked for, and how it is given up. */
interface UnderWay {
  readonly taskId: TaskId;
  readonly abort: AbortController;
  readonly landing: Promise<Landed>;
}

/**
 * Lets results out, one after another: each is laid over its branch as that is now, checked there in fresh jails unless that
 * very tree was checked, and the branch is moved forward. Only the user asks for it. Nothing is changed before the last step.
 */
export class Landings {
  private readonly turns = new Mutex();
  /** Those that wait for their turn or are under way. */
  private readonly underWay = new Set<UnderWay>();

  constructor(
    private readonly ports: ExecutorPorts,
    private readonly settings: ExecutorSettings,
    private readonly signal: AbortSignal,
  ) {}

  /**
   * @throws {UserError} `wrong-state`, `no-result`, `landing-conflict`, `landing-check-failed`, `landing-overwrites`,
   * `landing-moved`, …: the branch is where it was.
   */
  async land(taskId: TaskId, options: LandingOptions, resolved?: ResolvedLanding): Promise<Landed> {
    const abort = new AbortController();
    const signal = AbortSignal.any([this.signal, abort.signal]);
    const mustWait = this.underWay.size > 0;
    const landing = this.inTurn(taskId, mustWait, { ...options, signal, resolved });
    const asked = { taskId, abort, landing };
    this.underWay.add(asked);
    try {
      return await landing;
    } catch (error) {
      throw abort.signal.aborted ? givenUp() : error;
    } finally {
      this.underWay.delete(asked);
    }
  }

  /** One that has to wait says so, for those who look at it in another window. */
  private async inTurn(taskId: TaskId, mustWait: boolean, options: Landing): Promise<Landed> {
    if (!mustWait) return this.turns.run(() => this.landNow(taskId, options), options.signal);
    this.resultOf(taskId);
    await this.append([{ kind: 'landing.waiting', taskId }]);
    try {
      return await this.turns.run(() => this.landNow(taskId, options), options.signal);
    } finally {
      if (this.taskOf(taskId).landingWaits) await this.append([{ kind: 'landing.dropped', taskId }]);
    }
  }

  private async landNow(taskId: TaskId, options: Landing): Promise<Landed> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.tryToLand(this.resultOf(taskId), options);
      } catch (error) {
        if (!hasCode(error, 'landing-moved') || tries === maxTries) throw error;
      }
    }
  }

  /**
   * Lets a result out with what the user has made of the files in conflict.
   * @throws {UserError} what `land` throws, and `resolution-invalid`, `resolution-too-large`, `resolution-unfinished`.
   */
  async landResolved(taskId: TaskId, resolution: Resolution): Promise<Landed> {
    const { repo, task } = this.published(taskId);
    const paths = await new Conflicts(this.ports).resolved(taskId, resolution);
    const branch = task.landing?.ref.slice('refs/heads/'.length) ?? '';
    const { checkedOut } = await this.ports.targets.list(repo);
    const onto = checkedOut === branch ? undefined : branch;
    const files = task.landing?.only ?? undefined;
    return this.land(taskId, { onto, files }, { target: resolution.target, paths });
  }

  /** Gives a landing up; resolves when it is over. One whose branch is just being moved is not stopped half-way. */
  async cancel(taskId: TaskId): Promise<void> {
    const asked = [...this.underWay].filter((landing) => landing.taskId === taskId);
    for (const { abort } of asked) abort.abort();
    await Promise.allSettled(asked.map(({ landing }) => landing));
  }

  /** Resolves when nothing of it is at work any more; what has begun is expected to be given up by then. */
  async ended(): Promise<void> {
    await Promise.allSettled([...this.underWay].map(({ landing }) => landing));
  }

  /** @throws {UserError} `no-result`; `branch-name-invalid`, `branch-exists`. */
  async keepAsBranch(taskId: TaskId, name: string): Promise<void> {
    const { repo, commit } = this.published(taskId);
    await this.ports.targets.keep(repo, name, commit);
    await this.append([{ kind: 'result.kept', taskId, branch: name, commit }]);
  }

  /** @throws {UserError} `no-result`; `pull-request-invalid`. */
  async notePullRequest(taskId: TaskId, url: string): Promise<void> {
    const { task } = this.published(taskId);
    if (task.pullRequests?.includes(url)) return;
    if (!pullRequestUrlSchema.safeParse(url).success) {
      throw new UserError('pull-request-invalid', 'That is no address of a pull request. It was not kept.', { taskId });
    }
    await this.append([{ kind: 'pullRequest.opened', taskId, url }, ...(await amendedReports(this.ports, task, url))]);
  }

  /** @throws {UserError} `no-result`. */
  async targets(taskId: TaskId): Promise<LandingTargets> {
    return this.ports.targets.list(this.published(taskId).repo);
  }

  /** @throws {UserError} `wrong-state`, `landing-built-on`, `landing-overwrites`. */
  undo(taskId: TaskId): Promise<void> {
    return this.turns.run(async () => {
      const { task, repo } = this.published(taskId);
      const { landing } = task;
      if (task.status !== 'landed' || !landing?.from || !landing.commit) throw wrongState(task, 'taken back');
      await this.ports.targets.goBack(repo, { ref: landing.ref, from: landing.from, commit: landing.commit });
      await this.append([{ kind: 'task.unlanded', taskId }]);
    });
  }

  /** Throws a result away: its branch in quarantine, and what is left of its files. @throws {UserError} `wrong-state`. */
  discard(taskId: TaskId): Promise<void> {
    return this.turns.run(async () => {
      const task = this.taskOf(taskId);
      if (!isEnded(task.status) || task.status === 'landed') throw wrongState(task, 'discarded');
      const run = task.runId === null ? undefined : this.ports.events.state.runs.get(task.runId);
      await this.append([{ kind: 'task.discarded', taskId }]);
      if (run?.branch && run.commit) await this.ports.targets.discard(run.repo, run.branch, run.commit);
      await (run && (await this.ports.workspaces.reopen(run.id)))?.remove();
    });
  }

  /** Finds out what became of landings in the midst of which an earlier process ended, or nothing more could be kept. */
  settle(): Promise<void> {
    return this.turns.run(() => this.settleAll());
  }

  private async settleAll(): Promise<void> {
    for (const task of [...this.ports.events.state.tasks.values()]) {
      const { landing } = task;
      if (landing?.phase !== 'merging' && landing?.phase !== 'moving') continue;
      try {
        await this.settleOne(task, landing);
      } catch (error) {
        this.ports.logger.warn('An interrupted landing could not be looked at', {
          taskId: task.id,
          reason: messageOf(error),
        });
      }
    }
  }

  private async settleOne(task: TaskState, landing: NonNullable<TaskState['landing']>): Promise<void> {
    const { targets, workspaces } = this.ports;
    const { repo } = this.published(task.id);
    const { ref, from, commit, phase } = landing;
    const hasMoved = phase === 'moving' && commit !== null && (await targets.tip(repo, ref)) === commit;
    await this.append([
      hasMoved
        ? { kind: 'task.landed', taskId: task.id, ref, from, commit }
        : failure(task.id, 'landing-interrupted', 'It was interrupted. Nothing was changed; accept it again.'),
    ]);
    await (await workspaces.reopen(landing.runId))?.remove();
    await workspaces.removeRemains(landing.runId);
    await this.removeBranch(repo, landing.runId);
  }

  private async tryToLand(result: Result, options: Landing): Promise<Landed> {
    const { signal, resolved } = options;
    throwIfGivenUp(signal);
    const { targets } = this.ports;
    const { task, repo } = result;
    const target = await targets.find(repo, options.onto);
    const runId = newId('run');
    const only = options.files ? [...options.files] : null;
    const byHand = resolved?.paths.map(({ path }) => path) ?? [];
    await this.append([{ kind: 'landing.started', taskId: task.id, runId, ref: target.ref, only, resolved: byHand }]);
    const moved = { ref: target.ref, from: target.commit, commit: await this.move(runId, result, target, options) };
    // Where that cannot be kept it stays as it is, and is settled later by where the branch is.
    await this.append([{ kind: 'task.landed', taskId: task.id, ...moved }]);
    return moved;
  }

  /** Moves the branch, or says why it was not moved. */
  private async move(runId: RunId, result: Result, target: TargetBranch, options: Landing): Promise<ObjectId> {
    const { signal, files, resolved } = options;
    const taskId = result.task.id;
    try {
      const isAsItWas = target.commit === result.base && !files && !resolved;
      const commit = isAsItWas ? result.commit : await this.rebuild(runId, result, target, options);
      throwIfGivenUp(signal);
      await this.append([{ kind: 'landing.moving', taskId, ref: target.ref, from: target.commit, commit }]);
      await this.ports.targets.advance(target, commit);
      return commit;
    } catch (error) {
      const end = signal.aborted && !this.signal.aborted ? givenUp() : error;
      const conflict = end instanceof LandingConflict ? end.conflict : undefined;
      await this.append([failure(taskId, codeOf(end), messageOf(end), conflict)]);
      throw end;
    }
  }

  /** The result as one commit on the branch as it is now, checked there. */
  private async rebuild(runId: RunId, result: Result, target: TargetBranch, options: Landing): Promise<ObjectId> {
    const { workspaces } = this.ports;
    const { task, run, repo } = result;
    const place = options.onto === undefined ? {} : { base: target.commit };
    const { signal, resolved } = options;
    const workspace = await workspaces.create({ runId, repo, ...place, signal });
    try {
      if (workspace.baseCommit !== target.commit) throw moved(target);
      const merge = await workspace.merge(result.base, result.commit, options.files);
      throwIfGivenUp(signal);
      const tree = await joinedTree(workspace, merge, target, resolved);
      if (tree === workspace.baseTree) throw nothingToLand(target);
      if (tree !== run.resultTree) await this.check(result, workspace, tree, options);
      const ending = { outcome: run.outcome ?? 'unchecked', reason: wordsOf(resolved), response: '' };
      const message = commitMessage(task, run, ending);
      return (await workspace.publish({ tree, branch: branchOf(runId), message })).commit;
    } finally {
      await this.removeBranch(repo, runId);
      await workspace.remove();
    }
  }

  private async removeBranch(repo: string, runId: RunId): Promise<void> {
    const { targets } = this.ports;
    const commit = await targets.tip(repo, `refs/heads/${branchOf(runId)}`);
    if (commit) await targets.discard(repo, branchOf(runId), commit);
  }

  /** @throws {UserError} `landing-check-failed`. */
  private async check({ task, run }: Result, workspace: Workspace, tree: ObjectId, options: Landing): Promise<void> {
    const { signal, resolved } = options;
    const persona = narrowed(await roleOfRun(this.ports, run), task);
    const connections = new ConnectionLog(this.ports, workspace.runId, () => {});
    const dependencies = new RunDependencies(this.ports, this.settings, workspace, {
      signal,
      onConnection: (connection) => connections.record('setup', connection),
    });
    const evidence = new EvidenceCollector(this.ports);
    try {
      const failing: string[] = [];
      for (const command of task.spec.checks ?? workspace.config.checks) {
        const result = await evidence.see(
          {
            workspace,
            dependencies,
            persona,
            timeoutMs: this.settings.checkTimeoutMs,
            signal,
            onConnection: (connection) => connections.record('check', connection),
          },
          command,
          'result',
          tree,
        );
        await this.append([{ kind: 'landing.checked', taskId: task.id, result }]);
        if (!passed(result)) failing.push(command);
      }
      if (failing.length > 0) throw checkFailed(failing, resolved !== undefined);
    } finally {
      await dependencies.release();
    }
  }

  private resultOf(taskId: TaskId): Result {
    const result = this.published(taskId);
    const { status } = result.task;
    this.throwIfInReview(result.task);
    if (status === 'verified' || status === 'partial' || status === 'unchecked') return result;
    if (status !== 'contradicted') throw wrongState(result.task, 'accepted');
    throw new UserError(
      'landing-unproven',
      `“${result.task.spec.title}” is not accepted: ${describeVerdict('contradicted')}. It is on the branch ${result.branch} if you want it all the same.`,
      { taskId, branch: result.branch },
    );
  }

  /** That a review holds it was kept with its end, so that it does not matter who is asked to accept it. */
  private throwIfInReview({ id, spec, status, reviewHolds, reviewer, review }: TaskState): void {
    if (!reviewHolds || !isJudged(status)) return;
    const itself = review === undefined ? undefined : this.ports.events.state.tasks.get(review);
    if (reviewer === undefined && (!itself || isEnded(itself.status))) return;
    throw new UserError(
      'review-open',
      `“${spec.title}” is accepted only when its review has ended. Wait for it, or cancel the review.`,
      { taskId: id, review: review ?? null },
    );
  }

  private published(taskId: TaskId): Result {
    const task = this.taskOf(taskId);
    const run = task.runId === null ? undefined : this.ports.events.state.runs.get(task.runId);
    if (run?.commit && run.baseCommit && run.branch !== null) {
      return { task, run, repo: run.repo, branch: run.branch, base: run.baseCommit, commit: run.commit };
    }
    throw new UserError('no-result', 'This task has no result that changes something.', { taskId });
  }

  private taskOf(taskId: TaskId): TaskState {
    const task = this.ports.events.state.tasks.get(taskId);
    if (!task) throw new UserError('unknown-task', `There is no task ${taskId}.`, { taskId });
    return task;
  }

  private async append(bodies: readonly EventBody[]): Promise<void> {
    await this.ports.events.append(bodies);
  }
}

/** What the result is on for a moment, so that git keeps it until the user's branch has it. */
function branchOf(runId: RunId): string {
  return `airlock/landing-${runId}`;
}

/** The user's own decision, which is no error; nothing was changed. */
function givenUp(): CancelledError {
  return new CancelledError('It was cancelled. Nothing was changed.');
}

function throwIfGivenUp(signal: AbortSignal): void {
  if (signal.aborted) throw givenUp();
}

/** As the run had it: with a network that is no wider than the task's. */
function narrowed(persona: Persona, { spec }: TaskState): Persona {
  return { ...persona, network: narrowNetwork(persona.network, spec.limits.network) };
}

function failure(taskId: TaskId, code: string, reason: string, conflict?: Conflict): EventBody {
  const paths = conflict?.paths ?? [];
  return {
    kind: 'landing.failed',
    taskId,
    code,
    reason,
    files: paths.map(({ path }) => path),
    target: conflict?.target ?? null,
    conflicts: paths.length > maxConflictedPaths ? [] : [...paths],
  };
}

/**
 * What is let out of a merge: where there was a conflict, with what the user has made of it.
 * @throws {UserError} `landing-conflict`; `landing-outdated` when there is none any more.
 */
async function joinedTree(
  workspace: Workspace,
  merge: Merge,
  target: TargetBranch,
  resolved: ResolvedLanding | undefined,
): Promise<ObjectId> {
  if (merge.kind === 'merged') {
    if (resolved) throw outdated(target);
    return merge.tree;
  }
  const conflict = { target: target.commit, paths: merge.paths };
  if (!resolved) throw new LandingConflict(target, conflict);
  const byHand = new Set(resolved.paths.map(({ path }) => path));
  const isSame = merge.paths.length === byHand.size && merge.files.every((file) => byHand.has(file));
  if (resolved.target !== target.commit || !isSame) throw new LandingConflict(target, conflict, 'moved');
  return workspace.resolve(merge.tree, resolved.paths);
}

/** For the commit: which files are neither the agent's nor git's work. */
function wordsOf(resolved: ResolvedLanding | undefined): string {
  return resolved ? `Joined by hand: ${listed(resolved.paths.map(({ path }) => path))}` : '';
}

/** File names as one line, whatever is in them. */
function listed(files: readonly string[]): string {
  const names = files.slice(0, maxListedFiles).map((file) => file.replace(/\p{Cc}/gu, '?'));
  return names.join(', ') + (files.length > maxListedFiles ? ', …' : '');
}

function wrongState(task: TaskState, verb: string): UserError {
  return new UserError('wrong-state', `“${task.spec.title}” is ${task.status}: it cannot be ${verb} now.`, {
    taskId: task.id,
    status: task.status,
  });
}

function nameOf({ ref }: TargetBranch): string {
  return ref.slice('refs/heads/'.length);
}

function moved(target: TargetBranch): UserError {
  return new UserError('landing-moved', `“${nameOf(target)}” has moved meanwhile. Try again.`, { ref: target.ref });
}

class LandingConflict extends UserError {
  constructor(
    target: TargetBranch,
    readonly conflict: Conflict,
    since?: 'moved',
  ) {
    const files = listed(conflict.paths.map(({ path }) => path));
    const moved = since
      ? `“${nameOf(target)}” has moved since the files were resolved, and they are in conflict anew. `
      : '';
    super(
      'landing-conflict',
      `${moved}The result and what “${nameOf(target)}” has become change the same places: ${files}. Resolve them in the merge editor (or with \`airlock land --resolved\`), send them to the agent, or merge its branch yourself.`,
      { ref: target.ref },
    );
  }
}

function outdated(target: TargetBranch): UserError {
  return new UserError(
    'landing-outdated',
    `“${nameOf(target)}” has moved since the files were resolved, and nothing is in conflict any more. Accept the result again.`,
    { ref: target.ref },
  );
}

function nothingToLand(target: TargetBranch): UserError {
  return new UserError(
    'landing-empty',
    `“${nameOf(target)}” has all of it already. There is nothing to accept; discard the result.`,
    { ref: target.ref },
  );
}

function checkFailed(commands: readonly string[], isResolved: boolean): UserError {
  const listed = commands.map((command) => `“${command.replace(/\s+/g, ' ').slice(0, 100)}”`).join(', ');
  const message = isResolved
    ? `As you have resolved it, the result fails ${listed}. Nothing was changed, and what you resolved is kept.`
    : `Together with what the branch has become, the result fails ${listed}. Nothing was changed. Retry the task on what is there now.`;
  return new UserError('landing-check-failed', message, { checks: listed });
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof UserError && error.code === code;
}

function codeOf(error: unknown): string {
  if (error instanceof CancelledError) return 'landing-cancelled';
  return error instanceof UserError ? error.code : 'landing-failed';
}
