import { sleep } from '../base/clock';
import { messageOf } from '../base/errors';
import type { RunState } from '../core/liveState';
import type { ExecutorPorts } from './ports';
import { removeEngineFolder } from './reopenedWorkspace';
import { removeWarm } from './warmStart';
import type { WorkspaceKeeper } from './workspaceKeeper';

const dayMs = 24 * 3_600_000;

/** At the start, and then once a day: what an earlier process left, and what was kept long enough. Never rejects. */
export async function tidyWorkspaces(
  ports: ExecutorPorts,
  keeper: WorkspaceKeeper,
  keepMs: number,
  signal: AbortSignal,
): Promise<void> {
  await removeLeftWarm(ports);
  await removeLeftWorkspaces(ports, signal);
  while (!signal.aborted) {
    await keeper.retain(keepMs, signal);
    await sleep(ports.clock, dayMs, signal).catch(() => {});
  }
}

/**
 * Removes workspaces that an earlier process had no time to remove: those of runs that are over, with nothing in them that
 * is not in the published result. Others stay, for nothing is thrown away unasked. When `signal` is aborted, the next start
 * does the rest. Never rejects.
 */
export async function removeLeftWorkspaces(ports: ExecutorPorts, signal: AbortSignal): Promise<void> {
  for (const run of [...ports.events.state.runs.values()]) {
    try {
      const wasLeft = run.outcome !== null && (await removeIfPublished(ports, run));
      // Looked at after each one, so that even the shortest starts come to an end with them.
      if (wasLeft && signal.aborted) return;
    } catch (error) {
      ports.logger.warn('What an earlier process left could not be looked through', {
        runId: run.id,
        reason: messageOf(error),
      });
    }
  }
}

/** What an earlier process prepared ahead: nobody has worked in it, and nobody will. */
async function removeLeftWarm(ports: ExecutorPorts): Promise<void> {
  // Those of this process come later.
  for (const { runId } of [...ports.events.state.warm.values()]) {
    try {
      await removeWarm(ports, runId, 'Airlock ended before it was used.');
    } catch (error) {
      ports.logger.warn('What was prepared ahead could not be deleted', { runId, reason: messageOf(error) });
    }
  }
}

/** @returns whether there was a workspace. */
async function removeIfPublished(ports: ExecutorPorts, run: RunState): Promise<boolean> {
  const { workspaces } = ports;
  const workspace = await workspaces.reopen(run.id);
  if (!workspace) {
    await workspaces.removeRemains(run.id);
    await removeEngineFolder(ports, run.id);
    return false;
  }
  const { tree, skipped } = await workspace.snapshot('after a restart');
  const published = run.commit === null ? run.baseTree : run.resultTree;
  if (skipped.length === 0 && tree === published) {
    await workspace.remove();
    await removeEngineFolder(ports, run.id);
  }
  return true;
}
