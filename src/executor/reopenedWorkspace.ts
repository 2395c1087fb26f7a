import type { RunId } from '../core/ids';
import type { RunState } from '../core/liveState';
import type { Workspace } from '../core/workspace';
import type { ExecutorPorts } from './ports';

type Ports = Pick<ExecutorPorts, 'workspaces' | 'events'>;

/**
 * The workspace of a run that goes on. When the run had ended, and its files went with that, they are checked out again as
 * its result has them.
 * @returns `undefined` when it is gone, and nothing says what was in it.
 * @throws {UserError} What `Workspaces.create` throws, for a result that is laid on another commit or checked out again.
 */
export async function reopenedWorkspace(
  ports: Ports,
  run: RunState,
  signal: AbortSignal,
): Promise<Workspace | undefined> {
  const { feedback, baseCommit } = run;
  if (feedback && feedback.onto !== null && feedback.onto !== baseCommit)
    return laidOver(ports, run, feedback.onto, signal);
  const there = await ports.workspaces.reopen(run.id);
  if (there || !feedback || baseCommit === null) return there;
  return ports.workspaces.reopenResult({
    runId: run.id,
    repo: run.repo,
    base: baseCommit,
    result: run.commit ?? baseCommit,
    signal,
  });
}

/** The workspace anew, on another commit, with the result laid over it. The run knows its base when all of that is done. */
async function laidOver(
  { workspaces, events }: Ports,
  run: RunState,
  onto: string,
  signal: AbortSignal,
): Promise<Workspace> {
  const { id: runId, repo, baseCommit, commit } = run;
  await events.append([{ kind: 'workspace.removed', runId, cause: 'rebase', sizeBytes: null }]);
  await workspaces.clear(runId);
  const workspace = await workspaces.create({ runId, repo, base: onto, signal });
  if (baseCommit !== null && commit !== null) {
    const { tree } = await workspace.merge(baseCommit, commit);
    await workspace.restore(workspace.baseTree, tree);
  }
  await events.append([
    {
      kind: 'run.prepared',
      runId,
      baseCommit: workspace.baseCommit,
      baseTree: workspace.baseTree,
      notes: [...workspace.notes],
    },
  ]);
  return workspace;
}

/** What an engine kept of its own for a run goes when nothing else of the run's files is left: until then it may go on. */
export async function removeEngineFolder(
  { workspaces, jails, engineFolder }: Pick<ExecutorPorts, 'workspaces' | 'jails' | 'engineFolder'>,
  runId: RunId,
): Promise<void> {
  if (!(await workspaces.trees(runId))) await jails.remove(engineFolder(runId));
}
