import { mkdir } from 'node:fs/promises';
import { objectIdSchema, type ObjectId, type RunId } from '../core/ids';
import type { FileChange, KeptTrees } from '../core/workspace';
import { GitJail } from './gitJail';
import { publish } from './publishing';
import type { RunFolders } from './runFolders';
import type { RunState } from './runState';
import { Snapshots } from './snapshots';
import type { WorkspacePorts } from './workspacePorts';

/** The trees of a run: what is in its own git directory, whether its files are still there or not. */
export class RunTrees implements KeptTrees {
  readonly runId: RunId;
  readonly repo: string;
  readonly baseCommit: ObjectId;
  readonly baseTree: ObjectId;
  readonly snapshots: Snapshots;
  readonly jail: GitJail;

  constructor(
    protected readonly state: RunState,
    protected readonly folders: RunFolders,
    protected readonly ports: WorkspacePorts,
  ) {
    this.runId = state.runId;
    this.repo = state.repo;
    this.baseCommit = state.baseCommit;
    this.baseTree = state.baseTree;
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

  async changes(from: ObjectId, to: ObjectId): Promise<readonly FileChange[]> {
    return this.snapshots.changes(objectIdSchema.parse(from), objectIdSchema.parse(to));
  }

  async readFile(tree: ObjectId, path: string): Promise<Uint8Array | undefined> {
    return this.snapshots.readFile(objectIdSchema.parse(tree), path);
  }

  async publish(options: {
    readonly tree: ObjectId;
    readonly branch: string;
    readonly message: string;
  }): Promise<{ readonly commit: ObjectId }> {
    const { jail, folders, snapshots, repo, baseCommit } = this;
    await mkdir(folders.checks, { recursive: true, mode: 0o700 });
    const publication = { ...options, tree: objectIdSchema.parse(options.tree) };
    return { commit: await publish(publication, { jail, folders, snapshots, repo, baseCommit }) };
  }
}
