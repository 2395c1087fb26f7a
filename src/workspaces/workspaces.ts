import { lstat, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { syncTree, writeDurably } from '../base/durableFile';
import { CancelledError, systemCodeOf, UserError } from '../base/errors';
import { silentLogger, type Logger } from '../base/logger';
import { systemClock, type Clock } from '../base/clock';
import { thisBoot } from '../base/thisBoot';
import { objectIdSchema, type ObjectId, type RunId } from '../core/ids';
import type { Jails } from '../core/jail';
import { workspaceInJail, type Mount } from '../core/jailPolicy';
import type { FileChange, KeptTrees, RepositoryConfig, StoredRun, Workspace, Workspaces } from '../core/workspace';
import { changesArguments, parseChanges, patchArguments } from './diffListing';
import { checkoutCommand, parseBaseline } from './folderScan';
import { createAgentGit, createGitDirectories } from './gitDirectories';
import { agentGitInJail, GitJail } from './gitJail';
import { openRepository } from './openRepository';
import { hasWholeTrees, isOfThisBoot, mend } from './powerCut';
import { bytesOf, isPlainPath } from './pathBytes';
import { configPath, invalidConfig, maxConfigBytes, parseRepositoryConfig } from './repositoryConfig';
import { conflictingFiles } from './pairing';
import { GitFailure } from './gitFailure';
import { inspectRepository, type Repository } from './repositoryInspection';
import { assertQuarantineFree } from './publishing';
import { repositoryNotes } from './repositoryNotes';
import { runFoldersOf, type RunFolders } from './runFolders';
import { readRunState, type RunState } from './runState';
import { removeFiles, removeRun } from './runRemoval';
import { RunTrees } from './runTrees';
import { RunWorkspace } from './runWorkspace';
import type { WorkspacePorts } from './workspacePorts';
import { Setups } from './setups';
import { resolveShares, shareMounts, type ResolvedShares } from './shares';
import { defaultSnapshotLimits, formatStamps, type SnapshotLimits } from './snapshots';
import { diskBytesOf, storedRuns } from './storedRuns';
import { parseTreeListing, type TreeListing } from './treeListing';

export interface WorkspacesOptions {
  readonly jails: Jails;
  /** The storage folder; runs are in `runs/<runId>` in it. */
  readonly storage: string;
  readonly clock?: Clock;
  readonly logger?: Logger;
  readonly limits?: Partial<SnapshotLimits>;
}

/** Larger files are not read into memory. */
const maxReadBytes = 64 * 1024 ** 2;

export function createWorkspaces(options: WorkspacesOptions): Workspaces {
  return new StoredWorkspaces(options.storage, {
    jails: options.jails,
    clock: options.clock ?? systemClock,
    logger: options.logger ?? silentLogger,
    limits: { ...defaultSnapshotLimits, ...options.limits },
    setups: new Setups(options.storage, options.jails),
  });
}

/** The workspaces of one storage folder. It holds nothing: all that is known of a run is on disk. */
class StoredWorkspaces implements Workspaces {
  constructor(
    private readonly storage: string,
    private readonly ports: WorkspacePorts,
  ) {}

  async create(options: {
    readonly runId: RunId;
    readonly repo: string;
    readonly base?: ObjectId;
    readonly signal?: AbortSignal;
  }): Promise<Workspace> {
    const { runId, signal } = options;
    const folders = runFoldersOf(this.storage, runId);
    if (await readRunState(folders.state)) {
      throw new UserError('workspace-exists', `The run ${runId} has a workspace already.`, { runId });
    }
    const repository = await inspectRepository(options.repo, options.base);
    await assertQuarantineFree(repository.git);
    // What is there was left behind by a creation that did not end.
    await removeRun(folders, this.ports.jails);
    return cancellable(signal, async () => {
      try {
        return await this.checkOut(runId, repository, folders, { signal });
      } catch (error) {
        await removeRun(folders, this.ports.jails);
        throw error;
      }
    });
  }

  async reopen(runId: RunId): Promise<Workspace | undefined> {
    const folders = runFoldersOf(this.storage, runId);
    const state = await readRunState(folders.state);
    if (!state || state.runId !== runId || state.filesRemovedAtMs !== null) return undefined;
    const isKnown = isOfThisBoot(state);
    if (!(await isWhole(folders, isKnown))) return undefined;
    await this.removeLocks(folders);
    // Checks that ran when the process ended are run again, in fresh folders.
    await this.ports.jails.remove(folders.checks);
    await mkdir(folders.checks, { mode: 0o700 });
    const looked: RunState = { ...state, boot: thisBoot() ?? null };
    const workspace = new RunWorkspace(looked, folders, await sessionMounts(folders, state), this.ports);
    if (!(await hasWholeTrees(state, workspace))) return undefined;
    if (!isKnown) await mend(looked, workspace.jail, folders, this.ports);
    return workspace;
  }

  async reopenResult(options: Parameters<Workspaces['reopenResult']>[0]): Promise<Workspace> {
    const { runId, result, signal } = options;
    const folders = runFoldersOf(this.storage, runId);
    const repository = await inspectRepository(options.repo, options.base);
    const state = await readRunState(folders.state);
    const hasTrees =
      state?.baseCommit === options.base &&
      (await isHostGitThere(folders)) &&
      (await hasWholeTrees(state, new RunTrees(state, folders, this.ports)));
    if (!hasTrees) {
      await removeRun(folders, this.ports.jails);
      return cancellable(signal, () => this.checkOut(runId, repository, folders, { signal, result }));
    }
    // What a try left that did not end goes first. The trees stay, and the state says that there are no files until there are.
    await writeDurably(folders.state, JSON.stringify({ ...state, filesRemovedAtMs: this.ports.clock.nowMs() }));
    await removeFiles(folders, this.ports.jails);
    await this.removeLocks(folders);
    return cancellable(signal, () =>
      this.refill({ ...state, filesRemovedAtMs: null, boot: thisBoot() ?? null }, repository, folders, {
        signal,
        result,
      }),
    );
  }

  async trees(runId: RunId): Promise<KeptTrees | undefined> {
    const folders = runFoldersOf(this.storage, runId);
    const state = await readRunState(folders.state);
    if (!state || state.runId !== runId || !(await isThere(join(folders.hostGit, 'objects')))) return undefined;
    return new RunTrees(state, folders, this.ports);
  }

  async conflicts(...[base, ours, theirs]: Parameters<Workspaces['conflicts']>): Promise<readonly string[]> {
    const [mine, other] = [ours, theirs].map(({ runId }) => runFoldersOf(this.storage, runId));
    if (!mine || !other) return [];
    const isLeft = await Promise.all([mine, other].map(({ hostGit }) => isThere(join(hostGit, 'objects'))));
    if (isLeft.includes(false)) return [];
    const jail = new GitJail(this.ports.jails, ours.runId, mine);
    return conflictingFiles(jail, {
      base: objectIdSchema.parse(base),
      ours: objectIdSchema.parse(ours.tree),
      theirs: objectIdSchema.parse(theirs.tree),
      otherGit: other.hostGit,
    });
  }

  stored(): Promise<readonly StoredRun[]> {
    return storedRuns(this.storage);
  }

  async sizeBytes(runId: RunId): Promise<number | null> {
    return (await diskBytesOf(runFoldersOf(this.storage, runId).run)) ?? null;
  }

  async hasBranch(repo: string, tree: ObjectId): Promise<boolean> {
    const git = await openRepository(repo);
    return (await git.text('for-each-ref', '--format=%(tree)', 'refs/heads/')).split('\n').includes(tree);
  }

  clear(runId: RunId): Promise<void> {
    return removeRun(runFoldersOf(this.storage, runId), this.ports.jails);
  }

  async removeRemains(runId: RunId): Promise<void> {
    const folders = runFoldersOf(this.storage, runId);
    const state = await readRunState(folders.state);
    if (state?.runId === runId && state.filesRemovedAtMs !== null) return removeFiles(folders, this.ports.jails);
    // The state is the first to go and the last to come. One that cannot be read is still somebody's.
    if (await isThere(folders.state)) return;
    const remains = await Promise.all([folders.workspace, folders.agentGit, folders.hostGit].map(isThere));
    if (remains.includes(true)) await removeRun(folders, this.ports.jails);
  }

  async readFile(repo: string, commit: ObjectId, path: string): Promise<Uint8Array | undefined> {
    if (!isPlainPath(path)) return undefined;
    const git = await openRepository(repo);
    const name = objectIdSchema.parse(commit);
    const listed = parseTreeListing(await git.run(['ls-tree', '-z', '--full-tree', name, '--', path]));
    const entry = listed.get(bytesOf(path));
    if (!entry || entry.mode === '160000') return undefined;
    return git.run(['cat-file', 'blob', entry.objectId], { maxBytes: maxReadBytes });
  }

  async readBlob(repo: string, objectId: ObjectId): Promise<Uint8Array | undefined> {
    const git = await openRepository(repo);
    try {
      return await git.run(['cat-file', 'blob', objectIdSchema.parse(objectId)], { maxBytes: maxReadBytes });
    } catch (error) {
      if (error instanceof GitFailure) return undefined;
      throw error;
    }
  }

  async changes(repo: string, from: ObjectId, to: ObjectId): Promise<readonly FileChange[]> {
    const git = await openRepository(repo);
    const commits = [objectIdSchema.parse(from), objectIdSchema.parse(to)];
    return parseChanges(await git.run(['diff-tree', ...changesArguments, ...commits]));
  }

  async patch(repo: string, from: ObjectId, to: ObjectId, maxBytes: number): Promise<string> {
    const git = await openRepository(repo);
    const commits = [objectIdSchema.parse(from), objectIdSchema.parse(to)];
    const bytes = await git.run(['diff-tree', ...patchArguments, ...commits], { maxBytes });
    return bytes.toString('utf8');
  }

  /** A git that was killed leaves its locks, and no later one would take them away. Nothing of the run is at work now. */
  private async removeLocks({ hostGit }: RunFolders): Promise<void> {
    const refs = join(hostGit, 'refs');
    const names = [
      ...(await readdir(hostGit)).map((name) => join(hostGit, name)),
      ...(await readdir(refs, { recursive: true })).map((name) => join(refs, name)),
    ];
    // No ref can have such a name.
    const locks = names.filter((name) => name.endsWith('.lock'));
    await Promise.all(locks.map((lock) => this.ports.jails.remove(lock)));
  }

  private async checkOut(
    runId: RunId,
    repository: Repository,
    folders: RunFolders,
    { signal, result }: Filling,
  ): Promise<Workspace> {
    await makeFolders(folders);
    const packed = createGitDirectories(folders, repository, signal);
    // It is waited for below. Without this, its failing before that would be nobody's, and end the process.
    packed.catch(() => {});
    const [base, config] = await Promise.all([listBase(repository), readConfig(repository)]).catch(
      settledAfter(packed),
    );
    const [shared, notes] = await Promise.all([
      resolveShares(repository.root, config.share, base),
      repositoryNotes(repository, base),
      packed,
    ]).catch(settledAfter(packed));
    const state: RunState = {
      version: 1,
      runId,
      repo: repository.root,
      baseCommit: repository.baseCommit,
      baseTree: repository.baseTree,
      config,
      isUsersBase: repository.isCheckedOut,
      shares: [...shared.shares],
      notes: [...notes, ...shared.notes],
      filesRemovedAtMs: null,
      boot: thisBoot() ?? null,
    };
    return this.completed(state, repository, folders, { signal, result, base });
  }

  /** The files of a run whose trees are still there. */
  private async refill(
    state: RunState,
    repository: Repository,
    folders: RunFolders,
    { signal, result }: Filling,
  ): Promise<Workspace> {
    await makeFolders(folders);
    await createAgentGit(folders, repository);
    return this.completed(state, repository, folders, { signal, result, base: await listBase(repository) });
  }

  /** Checks the base out, and then `result` if there is one; the state, which says that all is there, is written last. */
  private async completed(
    state: RunState,
    repository: Repository,
    folders: RunFolders,
    { signal, result, base }: Filling & { readonly base: TreeListing },
  ): Promise<Workspace> {
    // The run's own git directory has to survive a power cut once the state says that it is there; the agent's can be made anew from it.
    const [baseline] = await Promise.all([
      this.fill(state.runId, repository, folders, state.shares, signal),
      syncTree(folders.hostGit),
    ]);
    await writeDurably(folders.baseline, formatStamps(baseline));
    const workspace = new RunWorkspace(state, folders, await sessionMounts(folders, state), this.ports);
    workspace.snapshots.know(base, baseline);
    if (result !== undefined) await workspace.become(result);
    await writeDurably(folders.state, JSON.stringify(state));
    return workspace;
  }

  /** Checks the base out, in a git jail, as the account that the run's jails have. */
  private async fill(
    runId: RunId,
    { baseTree }: Repository,
    folders: RunFolders,
    shares: ResolvedShares['shares'],
    signal: AbortSignal | undefined,
  ): Promise<Map<string, string>> {
    const { jails } = this.ports;
    await Promise.all(
      [folders.workspace, folders.hostGit, folders.agentGit].map((path) => jails.handOver(path, runId)),
    );
    const listing = await new GitJail(jails, runId, folders).run({
      argv: checkoutCommand(
        baseTree,
        shares.map(({ path }) => path),
      ),
      workspace: { folder: folders.workspace, access: 'write' },
      agentGit: 'write',
      // The agent's index is what git writes as it checks out, so that the agent's first status has nothing to look at.
      environment: { GIT_INDEX_FILE: `${agentGitInJail}/index` },
      ...(signal ? { signal } : {}),
    });
    return parseBaseline(listing);
  }
}

interface Filling {
  readonly signal?: AbortSignal | undefined;
  /** The commit that the files are to be like in the end; absent: the base. */
  readonly result?: ObjectId;
}

/** What git says of a signal is of no use to anybody: who cancelled is told that it was cancelled. */
async function cancellable<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (signal?.aborted) throw new CancelledError(undefined, { cause: error });
    throw error;
  }
}

/** Lets `pending` end before the error goes on: what it was making is about to be deleted. */
function settledAfter(pending: Promise<unknown>): (error: unknown) => Promise<never> {
  return async (error) => {
    await pending.catch(() => {});
    throw error;
  };
}

async function makeFolders(folders: RunFolders): Promise<void> {
  await mkdir(folders.run, { recursive: true, mode: 0o700 });
  await mkdir(folders.hostGit, { recursive: true });
  await Promise.all([folders.agentGit, folders.checks].map((path) => mkdir(path)));
  // The agent's git directory is mounted here. On the host the folder stays empty.
  await mkdir(join(folders.workspace, '.git'), { recursive: true });
}

/** For the session's jail: the workspace, the agent's git directory in it, and the shares. */
async function sessionMounts(folders: RunFolders, { repo, shares }: RunState): Promise<Mount[]> {
  return [
    { from: folders.workspace, at: workspaceInJail, access: 'write' },
    { from: folders.agentGit, at: `${workspaceInJail}/.git`, access: 'write' },
    ...(await shareMounts(folders.workspace, repo, shares)),
  ];
}

/** The agent's git directory counts in the boot that wrote it: after another one it is made anew. */
async function isWhole(folders: RunFolders, isKnown: boolean): Promise<boolean> {
  const parts = [folders.workspace, join(folders.workspace, '.git'), ...(isKnown ? [folders.agentGit] : [])];
  const found = await Promise.all(parts.map((path) => lstat(path).catch(() => undefined)));
  return found.every((part) => part?.isDirectory() === true) && (await isHostGitThere(folders));
}

/** Without its attributes and its configuration git would still take it for a repository, and convert files as it likes. */
async function isHostGitThere({ hostGit }: RunFolders): Promise<boolean> {
  const found = await Promise.all(
    ['objects', 'refs', 'HEAD', 'config', 'info/attributes'].map((part) =>
      lstat(join(hostGit, part)).catch(() => undefined),
    ),
  );
  return found.every((part) => part?.isDirectory() === true || (part?.isFile() === true && part.size > 0));
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

async function listBase({ git, baseTree }: Repository): Promise<TreeListing> {
  return parseTreeListing(await git.run(['ls-tree', '-r', '-z', '--full-tree', baseTree]));
}

/** The configuration as the base commit has it. @throws {UserError} `config-invalid` */
async function readConfig({ git, baseTree }: Repository): Promise<RepositoryConfig> {
  const listed = parseTreeListing(await git.run(['ls-tree', '-z', '--full-tree', baseTree, '--', configPath]));
  const entry = listed.get(configPath);
  if (!entry) return { checks: [], share: [], setup: null };
  if (entry.mode === '120000' || entry.mode === '160000') throw invalidConfig(null, 'it is not a file');
  const bytes = await git.run(['cat-file', 'blob', entry.objectId]);
  if (bytes.length > maxConfigBytes) throw invalidConfig(null, `it is larger than ${maxConfigBytes} bytes`);
  return parseRepositoryConfig(bytes.toString('utf8'));
}
