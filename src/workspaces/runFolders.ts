import { join } from 'node:path';
import { runIdSchema, type RunId } from '../core/ids';

/** Where the parts of one run's workspace are on the host. */
export interface RunFolders {
  readonly run: string;
  /** The checked-out files; the agent writes here. */
  readonly workspace: string;
  /** The run's own git directory: the base and every snapshot. No session ever sees it. */
  readonly hostGit: string;
  /** The agent's git directory, which it sees at `/workspace/.git`. */
  readonly agentGit: string;
  /** Folders of checks, one each, and packs on their way out. Cleared at a restart. */
  readonly checks: string;
  /** What package managers keep, as the run's session sees and changes it. */
  readonly cache: string;
  /** What the files looked like just after the checkout, so that unchanged ones are not read again. */
  readonly baseline: string;
  /** Written last: a run without it was never whole. */
  readonly state: string;
}

export function runFoldersOf(storage: string, runId: RunId): RunFolders {
  const run = join(storage, 'runs', runIdSchema.parse(runId));
  return {
    run,
    workspace: join(run, 'workspace'),
    hostGit: join(run, 'host.git'),
    agentGit: join(run, 'agent.git'),
    checks: join(run, 'checks'),
    cache: join(run, 'cache'),
    baseline: join(run, 'workspace.baseline'),
    state: join(run, 'workspace.json'),
  };
}
