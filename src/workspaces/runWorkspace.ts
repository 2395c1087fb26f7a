import { chmod, lstat, mkdtemp, rename, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../base/clock';
import type { Logger } from '../base/logger';
import { objectIdSchema, type ObjectId, type RunId } from '../core/ids';
import type { Jails } from '../core/jail';
import { workspaceInJail, type Mount } from '../core/jailPolicy';
import type {
  CheckTree,
  FileChange,
  JailView,
  RepositoryConfig,
  Snapshot,
  SnapshotKeeping,
  Workspace,
} from '../core/workspace';
import type { Dependencies, Preparation, PreparationOptions } from '../core/dependencies';
import { checkoutCommand } from './folderScan';
import { GitJail } from './gitJail';
import { cacheEnvironment, cacheMount, storeEnvironment, storeMount } from './caches';
import { copyTree } from './copyTree';
import { dependencyMounts } from './dependencyMounts';
import { publish } from './publishing';
import type { RunFolders } from './runFolders';
import type { RunState } from './runState';
import type { Setups } from './setups';
import { shareMounts, type Share } from './shares';
import { Snapshots, type SnapshotLimits } from './snapshots';

/** What every workspace of one storage works with. */
export interface WorkspacePorts {
  readonly jails: Jails;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits: SnapshotLimits;
  readonly setups: Setups;
}

/** A run's own copy of the repository, on disk under the storage folder. */
export class RunWorkspace implements Workspace {
  readonly runId: RunId;
  readonly repo: string;
  readonly baseCommit: ObjectId;
  readonly baseTree: ObjectId;
  readonly config: RepositoryConfig;
  readonly notes: readonly string[];
  readonly snapshots: Snapshots;
  private readonly shares: readonly Share[];
  private readonly jail: GitJail;

  constructor(
    private readonly state: RunState,
    private readonly folders: RunFolders,
    readonly mounts: readonly Mount[],
    private readonly ports: WorkspacePorts,
  ) {
    this.runId = state.runId;
    this.repo = state.repo;
    this.baseCommit = state.baseCommit;
    this.baseTree = state.baseTree;
    this.config = state.config;
    this.notes = state.notes;
    this.shares = state.shares;
    this.jail = new GitJail(ports.jails, state.runId, folders);
    this.snapshots = new Snapshots({
      jail: this.jail,
      folders,
      clock: ports.clock,
      baseCommit: state.baseCommit,
      baseTree: state.baseTree,
      shares: state.shares.map(({ path }) => path),
      limits: ports.limits,
    });
  }

  async snapshot(message: string, keeping?: SnapshotKeeping): Promise<Snapshot> {
    const snapshot = await this.snapshots.take(message, keeping);
    if (snapshot.skipped.length > 0) {
      this.ports.logger.warn('Some paths could not be taken into the snapshot', {
        runId: this.runId,
        count: snapshot.skipped.length,
        first: snapshot.skipped[0]?.path,
      });
    }
    return snapshot;
  }

  dropSnapshots(indices: readonly number[]): Promise<void> {
    return this.snapshots.drop(indices);
  }

  snapshotBytes(): Promise<number> {
    return this.snapshots.sizeBytes();
  }

  async changes(from: ObjectId, to: ObjectId): Promise<readonly FileChange[]> {
    return this.snapshots.changes(objectIdSchema.parse(from), objectIdSchema.parse(to));
  }

  async restoreCheckSurface(tree: ObjectId): Promise<ObjectId> {
    return this.snapshots.restoreCheckSurface(objectIdSchema.parse(tree));
  }

  async prepare(tree: ObjectId, options: PreparationOptions): Promise<Preparation> {
    const { runId, repo, baseTree, jail, state } = this;
    const { setup } = state.config;
    if (!setup) return { kind: 'none' };
    const { isUsersBase } = state;
    const request = { runId, repo, setup, baseTree, isUsersBase, tree: objectIdSchema.parse(tree), jail };
    return this.ports.setups.prepare(request, options);
  }

  async sessionView(dependencies?: Dependencies): Promise<JailView> {
    if (!dependencies) return { mounts: this.mounts, environment: {} };
    const mounts = [...this.mounts, ...(await dependencyMounts(this.folders.workspace, dependencies))];
    if (dependencies.cache === null) return { mounts, environment: {} };
    return { mounts: [...mounts, cacheMount(await this.ownCache(dependencies.cache))], environment: cacheEnvironment };
  }

  async checkTree(tree: ObjectId, dependencies?: Dependencies): Promise<CheckTree> {
    const { jails } = this.ports;
    const folder = await mkdtemp(join(this.folders.checks, 'check-'));
    try {
      // The run's folder is closed to others; in a jail, bwrap enters this one before it becomes the account.
      await chmod(folder, 0o755);
      await jails.handOver(folder, this.runId);
      await this.jail.run({
        argv: checkoutCommand(
          objectIdSchema.parse(tree),
          this.shares.map(({ path }) => path),
        ),
        workspace: { folder, access: 'write' },
        environment: { GIT_INDEX_FILE: '/tmp/index' },
      });
      const mounts = [
        { from: folder, at: workspaceInJail, access: 'write' } as const,
        ...(await shareMounts(folder, this.repo, this.shares)),
        ...(dependencies ? await dependencyMounts(folder, dependencies) : []),
      ];
      const remove = (): Promise<void> => jails.remove(folder);
      const cache = dependencies?.cache ?? null;
      if (cache === null) return { tree, mounts, environment: {}, remove };
      return { tree, mounts: [...mounts, storeMount(cache)], environment: storeEnvironment, remove };
    } catch (error) {
      await jails.remove(folder);
      throw error;
    }
  }

  async publish(options: {
    readonly tree: ObjectId;
    readonly branch: string;
    readonly message: string;
  }): Promise<{ readonly commit: ObjectId }> {
    const { jail, folders, snapshots, repo, baseCommit } = this;
    const publication = { ...options, tree: objectIdSchema.parse(options.tree) };
    return { commit: await publish(publication, { jail, folders, snapshots, repo, baseCommit }) };
  }

  /** What a session does to its cache, nobody else ever sees: it is the run's own copy. */
  private async ownCache(kept: string): Promise<string> {
    const { jails } = this.ports;
    const { cache } = this.folders;
    if (await lstat(cache).catch(() => undefined)) return cache;
    const unfinished = `${cache}.tmp`;
    await jails.remove(unfinished);
    await copyTree(kept, unfinished);
    await jails.handOver(unfinished, this.runId);
    await rename(unfinished, cache);
    return cache;
  }

  async remove(): Promise<void> {
    await removeRun(this.folders, this.ports.jails);
  }
}

/** Deletes what belongs to a run's workspace, and the run's folder when nothing else is in it. The state goes first. */
export async function removeRun(folders: RunFolders, jails: Jails): Promise<void> {
  for (const path of [
    folders.state,
    folders.baseline,
    folders.workspace,
    folders.checks,
    folders.cache,
    `${folders.cache}.tmp`,
    folders.agentGit,
    folders.hostGit,
  ]) {
    await jails.remove(path);
  }
  // Others may keep things of this run there.
  await rmdir(folders.run).catch(() => {});
}
