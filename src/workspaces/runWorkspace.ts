import { chmod, lstat, mkdtemp, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { writeDurably } from '../base/durableFile';
import type { ResolvedPath } from '../core/conflict';
import { objectIdSchema, type ObjectId } from '../core/ids';
import { workspaceInJail, type Mount } from '../core/jailPolicy';
import type { Merge } from '../core/landing';
import type { CheckTree, JailView, RepositoryConfig, Snapshot, SnapshotKeeping, Workspace } from '../core/workspace';
import type { Dependencies, Preparation, PreparationOptions } from '../core/dependencies';
import { checkoutCommand } from './folderScan';
import { cacheEnvironment, cacheMount, storeEnvironment, storeMount } from './caches';
import { copyTree } from './copyTree';
import { dependencyMounts } from './dependencyMounts';
import { fetchTrees, mergeChange, withResolved } from './merging';
import type { RunFolders } from './runFolders';
import { hasKeptSnapshots, removeFiles, removeRun } from './runRemoval';
import type { RunState } from './runState';
import { renewal } from './renewal';
import { RunTrees } from './runTrees';
import { shareMounts, type Share } from './shares';
import type { WorkspacePorts } from './workspacePorts';

/** A run's own copy of the repository, on disk under the storage folder. */
export class RunWorkspace extends RunTrees implements Workspace {
  readonly config: RepositoryConfig;
  private knownNotes: readonly string[];
  private readonly shares: readonly Share[];

  constructor(
    state: RunState,
    folders: RunFolders,
    readonly mounts: readonly Mount[],
    ports: WorkspacePorts,
  ) {
    super(state, folders, ports);
    this.config = state.config;
    this.knownNotes = state.notes;
    this.shares = state.shares;
  }

  get notes(): readonly string[] {
    return this.knownNotes;
  }

  async renew(origin: { readonly repo: string; readonly base?: ObjectId }): Promise<string | undefined> {
    const { state, snapshots, folders } = this;
    const [found, odd] = await Promise.all([renewal(state, origin, await snapshots.baseListing()), snapshots.oddity()]);
    if (found.kind === 'other') return found.reason;
    if (odd !== undefined) return odd;
    if (JSON.stringify(found.notes) !== JSON.stringify(this.knownNotes)) {
      await writeDurably(folders.state, JSON.stringify({ ...state, notes: found.notes }));
      this.knownNotes = found.notes;
    }
    return undefined;
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

  restore(from: ObjectId, to: ObjectId): Promise<void> {
    return this.snapshots.restore(objectIdSchema.parse(from), objectIdSchema.parse(to));
  }

  async restoreCheckSurface(tree: ObjectId): Promise<ObjectId> {
    return this.snapshots.restoreCheckSurface(objectIdSchema.parse(tree));
  }

  /** Makes the folder, which holds the base, what a commit of the user's repository holds. @throws {UserError} `missing-objects`. */
  async become(result: ObjectId): Promise<void> {
    const { jail, repo, baseCommit, baseTree } = this;
    if (result === baseCommit) return;
    const [, tree] = await fetchTrees({ base: baseCommit, result }, { jail, repo, ours: baseTree });
    await this.restore(baseTree, tree);
  }

  async merge(base: ObjectId, result: ObjectId, files?: readonly string[]): Promise<Merge> {
    const { jail, snapshots, repo, baseTree } = this;
    return mergeChange({ base, result, files }, { jail, snapshots, repo, ours: baseTree });
  }

  async resolve(tree: ObjectId, paths: readonly ResolvedPath[]): Promise<ObjectId> {
    return withResolved(objectIdSchema.parse(tree), paths, this.snapshots);
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
    const { folders, ports, state } = this;
    if (!(await hasKeptSnapshots(folders))) return removeRun(folders, ports.jails);
    // Said before the first file goes: half a workspace must not be taken for one whose other half was deleted by the agent.
    await writeDurably(
      folders.state,
      JSON.stringify({ ...state, notes: this.knownNotes, filesRemovedAtMs: ports.clock.nowMs() }),
    );
    await removeFiles(folders, ports.jails);
  }
}
