import { messageOf, UserError } from '../base/errors';
import type { RunId } from '../core/ids';
import type { Cleaning, CleanedWorkspace, StoredWorkspace, StoredWorkspaceState } from '../core/storedWorkspace';
import type { StoredRun } from '../core/workspace';
import type { ExecutorPorts } from './ports';
import { removeEngineFolder } from './reopenedWorkspace';

/** All sizes together are counted no longer than that; what is left then is not known. */
const countingMs = 15_000;

/** Lists what is left of workspaces and deletes what nobody can miss. */
export class WorkspaceKeeper {
  constructor(
    private readonly ports: Pick<
      ExecutorPorts,
      'events' | 'workspaces' | 'jails' | 'engineFolder' | 'clock' | 'logger'
    >,
  ) {}

  async list(): Promise<StoredWorkspace[]> {
    const { clock, workspaces } = this.ports;
    const deadlineMs = clock.monotonicMs() + countingMs;
    const listed: StoredWorkspace[] = [];
    for (const run of await workspaces.stored()) {
      const sizeBytes = clock.monotonicMs() < deadlineMs ? await workspaces.sizeBytes(run.runId) : null;
      listed.push(this.describe(run, sizeBytes));
    }
    return listed;
  }

  /** Deletes what is old enough and cannot be missed, and what is forced by its task's or its run's name. */
  async clean({ olderThanMs, dryRun, force }: Cleaning): Promise<CleanedWorkspace[]> {
    const all = await this.list();
    const isForced = ({ taskId, runId }: StoredWorkspace): boolean =>
      force !== null && (force === taskId || force === runId);
    if (force !== null && !all.some(isForced)) {
      throw new UserError('unknown-workspace', `There is no workspace of ${force}. See: airlock workspaces`, {
        name: force,
      });
    }
    const cleaned: CleanedWorkspace[] = [];
    for (const workspace of all) {
      if (force !== null && !isForced(workspace)) continue;
      const reason = await this.reasonToKeep(workspace, olderThanMs, force !== null);
      if (reason === '' && !dryRun) await this.remove(workspace, force === null ? 'user' : 'forced');
      cleaned.push({ ...workspace, removed: reason === '', reason });
    }
    return cleaned;
  }

  /** What the user's setting lets go: snapshots of published runs that are older, and remains. Never rejects. */
  async retain(keepMs: number, signal: AbortSignal): Promise<void> {
    try {
      for (const run of await this.ports.workspaces.stored()) {
        if (signal.aborted) return;
        const workspace = this.describe(run, null);
        const isLeft = workspace.state === 'published' && this.ageMs(workspace) >= keepMs;
        if (isLeft)
          await this.remove({ ...workspace, sizeBytes: await this.ports.workspaces.sizeBytes(run.runId) }, 'retention');
      }
    } catch (error) {
      this.ports.logger.warn('Old workspaces could not be deleted', { reason: messageOf(error) });
    }
  }

  private async reasonToKeep(workspace: StoredWorkspace, olderThanMs: number, forced: boolean): Promise<string> {
    if (workspace.state === 'living') return 'its run has not ended';
    if (workspace.state === 'warm') return 'it is ready for the next task, and goes by itself';
    if (forced) return '';
    if (this.ageMs(workspace) < olderThanMs) return 'it is not old enough';
    if (workspace.state === 'published' || workspace.state === 'remains') return '';
    try {
      return (await this.isInResult(workspace.runId)) ? '' : 'it holds work that is in no branch';
    } catch (error) {
      return `it could not be looked through: ${messageOf(error)}`;
    }
  }

  /** Whether the files as they are now are what the run started from, its result, or a branch of the repository. */
  private async isInResult(runId: RunId): Promise<boolean> {
    const { workspaces, events } = this.ports;
    const workspace = await workspaces.reopen(runId);
    if (!workspace) return false;
    const { tree, skipped } = await workspace.snapshot('before it is deleted');
    if (skipped.length > 0) return false;
    const run = events.state.runs.get(runId);
    if (tree === workspace.baseTree || (run?.commit && tree === run.resultTree)) return true;
    return workspaces.hasBranch(workspace.repo, tree);
  }

  private async remove({ runId, sizeBytes }: StoredWorkspace, cause: 'user' | 'forced' | 'retention'): Promise<void> {
    await this.ports.events.append([{ kind: 'workspace.removed', runId, cause, sizeBytes }]);
    await this.ports.workspaces.clear(runId);
    await removeEngineFolder(this.ports, runId);
  }

  private describe({ runId, repo, left, sinceMs }: StoredRun, sizeBytes: number | null): StoredWorkspace {
    const run = this.ports.events.state.runs.get(runId);
    const isLiving = run !== undefined && run.outcome === null;
    const whenEnded: Record<StoredRun['left'], StoredWorkspaceState> = {
      files: run ? 'unlanded' : 'orphan',
      snapshots: 'published',
      remains: 'remains',
    };
    return {
      runId,
      taskId: run?.taskId ?? null,
      repo,
      state: this.ports.events.state.warm.has(runId) ? 'warm' : isLiving ? 'living' : whenEnded[left],
      sinceMs,
      sizeBytes,
    };
  }

  private ageMs({ sinceMs }: StoredWorkspace): number {
    return this.ports.clock.nowMs() - sinceMs;
  }
}
