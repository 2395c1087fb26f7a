import { mkdir } from 'node:fs/promises';
import { writeDurably } from '../base/durableFile';
import { UserError } from '../base/errors';
import { thisBoot } from '../base/thisBoot';
import type { ObjectId } from '../core/ids';
import { workspaceInJail } from '../core/jailPolicy';
import { createAgentGit } from './gitDirectories';
import { GitFailure } from './gitFailure';
import { agentGitInJail, hostGitInJail, type GitJail } from './gitJail';
import type { RunFolders } from './runFolders';
import type { RunState } from './runState';
import { surfaceRestored, type Snapshots } from './snapshots';
import { records } from './treeListing';
import type { WorkspacePorts } from './workspacePorts';

/** A run's own git directory, and what reads it. */
interface Trees {
  readonly jail: GitJail;
  readonly snapshots: Snapshots;
}

/** Whether the machine has not been started anew since the workspace was last looked through: then what was written is there. */
export function isOfThisBoot({ boot }: RunState): boolean {
  return boot !== null && boot === thisBoot();
}

/**
 * Whether the run's own git directory can be gone on with. In the boot that wrote it, it is enough that its base can be
 * listed, as the next snapshot does anyway; after another one everything that a ref or the base needs is read.
 */
export function hasWholeTrees(state: RunState, { jail, snapshots }: Trees): Promise<boolean> {
  if (isOfThisBoot(state)) return isRead(snapshots.baseListing());
  return isRead(jail.run({ argv: readAllCommand(state.baseCommit), hostGit: 'write' }));
}

/**
 * Mends what a machine that stopped left of a workspace whose trees are whole: files that are empty now and were not, the
 * agent's git directory, and the run's own copy of a cache. What else is there stays, ignored files too. `state` is on disk
 * when that is done; until then it is done again.
 */
export async function mend(
  state: RunState,
  jail: GitJail,
  folders: RunFolders,
  { jails, logger }: Pick<WorkspacePorts, 'jails' | 'logger'>,
): Promise<void> {
  const { runId, baseTree } = state;
  const workspace = { folder: folders.workspace, access: 'write' } as const;
  const laidOut = records(await jail.run({ argv: layOutCommand(baseTree), workspace }));
  await mkdir(folders.agentGit, { recursive: true });
  const isAgentGitWhole = await isAgentGitRead(jail);
  if (!isAgentGitWhole) {
    await jails.remove(folders.agentGit);
    await mkdir(folders.agentGit);
    const objectFormat = state.baseCommit.length === 64 ? 'sha256' : 'sha1';
    await createAgentGit(folders, { baseCommit: state.baseCommit, objectFormat });
    await jails.handOver(folders.agentGit, runId);
    const environment = { GIT_INDEX_FILE: `${agentGitInJail}/index` };
    await jail.run({ argv: ['git', 'read-tree', baseTree], agentGit: 'write', environment });
  }
  // It is copied again from what the setup left.
  await jails.remove(folders.cache);
  await writeDurably(folders.state, JSON.stringify(state));
  if (laidOut.length === 0 && isAgentGitWhole) return;
  logger.warn('The machine stopped while a run was at work, and what was not on disk was laid out again', {
    runId,
    emptiedFiles: laidOut.length,
    agentGitMadeAnew: !isAgentGitWhole,
  });
}

/** Whether git could read what it was asked for. What ended git from outside says nothing about that, and is thrown. */
async function isRead(reading: Promise<unknown>): Promise<boolean> {
  try {
    await reading;
    return true;
  } catch (error) {
    if (error instanceof GitFailure && error.exitCode !== null && error.exitCode <= 128) return false;
    throw error;
  }
}

/** The agent may have made of it what it likes: one that takes too long to look through is not whole either. */
async function isAgentGitRead(jail: GitJail): Promise<boolean> {
  try {
    return await isRead(jail.run({ argv: agentGitCommand, agentGit: 'read' }));
  } catch (error) {
    if (error instanceof UserError && error.code === 'workspace-limit') return false;
    throw error;
  }
}

/**
 * Reads all objects that are needed by packing them for nobody: `git fsck` would also find fault with how the user's own
 * commits were made. An empty object or ref is none, but git would take it for one that is there already and not write it.
 */
function readAllCommand(baseCommit: ObjectId): readonly string[] {
  const script = `set -eu
find ${hostGitInJail}/objects ${hostGitInJail}/refs -type f -empty -delete
printf '%s\\n' "$1" | git pack-objects --revs --all --stdout -q --window=0 > /dev/null
`;
  return ['sh', '-c', script, 'read-all', baseCommit];
}

/** An empty configuration would be a valid one. */
const agentGitCommand: readonly string[] = [
  'sh',
  '-c',
  `set -eu
test -s ${agentGitInJail}/config
export GIT_DIR=${agentGitInJail}
exec git -c core.fsmonitor=false -c core.hooksPath=/dev/null fsck --connectivity-only --no-dangling > /dev/null
`,
  'agent-git',
];

/**
 * Lays files that are empty out again, as the last snapshot has them, or the base when there is none. Git never looks at the
 * workspace, as in a restore. Prints their paths.
 */
function layOutCommand(baseTree: ObjectId): readonly string[] {
  const script = `set -eu
tree=$(git for-each-ref --sort=-version:refname --sort=-committerdate --format='%(tree) %(subject)' refs/kept refs/snapshots |
  grep -vF " $2" | head -n 1 | cut -d ' ' -f 1)
tree=\${tree:-$1}
git ls-tree -r -l -z "$tree" > /tmp/tree
cd ${workspaceInJail}
test -r .
find . -mindepth 1 -path ./.git -prune -o -type d ! \\( -readable -executable \\) -prune -o -type f -empty -printf '%P\\0' > /tmp/empty
sed -zn 's/^100[0-7]* blob [0-9a-f]* *[1-9][0-9]*\\t//p' /tmp/tree | sort -z > /tmp/full
sort -z /tmp/empty | comm -z -12 - /tmp/full > /tmp/wanted
test -s /tmp/wanted || exit 0
xargs -0r dirname -z -- < /tmp/wanted | sort -zu | xargs -0r chmod u+rwx --
mkdir /tmp/none
cd /tmp/none
export GIT_INDEX_FILE=/tmp/index GIT_WORK_TREE=/tmp/none
git read-tree "$tree"
git checkout-index --force -z --stdin --prefix=${workspaceInJail}/ < /tmp/wanted
cat /tmp/wanted
`;
  return ['sh', '-c', script, 'lay-out', baseTree, surfaceRestored];
}
