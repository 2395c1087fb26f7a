import type { ResolvedPath } from './conflict';
import type { Dependencies, Preparation, PreparationOptions, SetupConfig } from './dependencies';
import type { ObjectId, RunId } from './ids';
import type { Mount } from './jailPolicy';
import type { Merge } from './landing';

/** What `.airlock/config.yaml` of the base commit says. Absent keys are empty lists. */
export interface RepositoryConfig {
  readonly setup: SetupConfig | null;
  readonly checks: readonly string[];
  /** Folders of the user's repository that jails see read-only, such as `node_modules`. */
  readonly share: readonly string[];
}

/** A path that could not be taken into a snapshot, and why. */
export interface SkippedPath {
  /** Printable; bytes that are no UTF-8 are escaped. */
  readonly path: string;
  readonly reason: 'special' | 'unreadable' | 'invalid-name' | 'too-large' | 'nested-repository';
}

export interface FileChange {
  readonly path: string;
  /** The path in the base, when it was renamed. */
  readonly oldPath: string | null;
  readonly kind: 'added' | 'modified' | 'deleted' | 'renamed' | 'typeChanged';
  /** `null` for binary files. */
  readonly insertions: number | null;
  readonly deletions: number | null;
}

/** A tree that is stored in the run's own git directory. */
export interface Snapshot {
  readonly tree: ObjectId;
  readonly commit: ObjectId;
  readonly skipped: readonly SkippedPath[];
  /** Bytes of files, before compression, that had to be stored for it. */
  readonly newBytes: number;
}

/** How a snapshot is kept so that the run can go back to it. */
export interface SnapshotKeeping {
  /** From 1. What an interrupted try left under the same number is replaced. */
  readonly index: number;
  /** More than that is not stored. */
  readonly maxNewBytes: number;
}

/** What a jail of the run is given to see, and the variables that go with it. */
export interface JailView {
  readonly mounts: readonly Mount[];
  readonly environment: Readonly<Record<string, string>>;
}

/** A fresh folder with one tree in it, for one check: at the workspace's place, with dependencies and shares read-only. */
export interface CheckTree extends JailView {
  readonly tree: ObjectId;
  remove(): Promise<void>;
}

/** The trees of a run: they outlive its files. */
export interface KeptTrees {
  readonly runId: RunId;
  /** The user's repository: the folder with its work tree. */
  readonly repo: string;
  readonly baseCommit: ObjectId;
  readonly baseTree: ObjectId;
  /** What changed between two trees of this run. */
  changes(from: ObjectId, to: ObjectId): Promise<readonly FileChange[]>;
  /** A file of one of them, up to 512 MiB; of a link, where it points. `undefined` when that tree has no such file. */
  readFile(tree: ObjectId, path: string): Promise<Uint8Array | undefined>;
  /**
   * Puts `tree` as one commit on the base into the user's repository, as a new branch that changes nothing else. Doing it
   * again with the same branch and tree answers the commit that is there.
   * @throws {UserError} `branch-exists`, `branch-namespace-taken` (a branch of the user's is named `airlock`).
   */
  publish(options: {
    readonly tree: ObjectId;
    readonly branch: string;
    readonly message: string;
  }): Promise<{ readonly commit: ObjectId }>;
}

/** A run's own copy of the repository. */
export interface Workspace extends KeptTrees {
  readonly config: RepositoryConfig;
  /** What the user should know of how their repository is seen, in sentences: uncommitted changes, LFS, submodules, … */
  readonly notes: readonly string[];
  /** For the session's jail: the workspace writable, the agent's own git directory in it, shares read-only. */
  readonly mounts: readonly Mount[];
  /**
   * For a workspace that was made ahead and that nothing was run in: whether `Workspaces.create` would make the very same
   * now. What the user should know is looked up anew.
   * @param origin as for `create`. @returns what is different, in words; `undefined` when nothing is.
   * @throws {UserError} as `create` does.
   */
  renew(origin: { readonly repo: string; readonly base?: ObjectId }): Promise<string | undefined>;
  /**
   * Stores the folder as it is now. Nothing in it is executed and no link is followed. Where nothing has changed since the
   * last one, that one is answered.
   * @throws {UserError} `workspace-limit`, `workspace-unsteady`; `snapshot-too-large` when it has more that is new than `keeping` lets it.
   */
  snapshot(message: string, keeping?: SnapshotKeeping): Promise<Snapshot>;
  /** Forgets kept snapshots, and what no other one has. The last one that was taken must not be among them. */
  dropSnapshots(indices: readonly number[]): Promise<void>;
  /** What all snapshots take on the disk, in bytes; the base does not count. */
  snapshotBytes(): Promise<number>;
  /**
   * Makes the folder what `to` holds. `from` is what it holds now, as a snapshot has just found: what is the same in both is
   * not touched, ignored files stay. The agent's own git directory stays as it is.
   * @throws {UserError} `restore-failed`: some files may be as wanted, some as before.
   */
  restore(from: ObjectId, to: ObjectId): Promise<void>;
  /** `tree` with every path of the check surface as it is in the base: changed ones put back, new ones left out. */
  restoreCheckSurface(tree: ObjectId): Promise<ObjectId>;
  /**
   * The dependencies of a tree of this run, by the setup of the base commit: what an earlier run with the same lock files
   * made, or else made now, in a jail of its own. Whoever asks for what is being made waits for it. A tree whose lock files
   * are not the base's has dependencies that no other run is given.
   * @throws {UserError} `setup-network` when it must reach domains that the user has not allowed; `config-invalid`.
   */
  prepare(tree: ObjectId, options: PreparationOptions): Promise<Preparation>;
  /**
   * Lays what two commits of the user's repository differ in, or only some files of it, over this workspace's base. No file
   * of the workspace is touched.
   * @throws {UserError} `missing-objects`.
   */
  merge(base: ObjectId, result: ObjectId, files?: readonly string[]): Promise<Merge>;
  /** `tree` with each of these paths as it is wanted, whatever it was before. */
  resolve(tree: ObjectId, paths: readonly ResolvedPath[]): Promise<ObjectId>;
  /** For the session's jail: `mounts`, and the dependencies of the base. Nothing of the run may be running. */
  sessionView(dependencies?: Dependencies): Promise<JailView>;
  checkTree(tree: ObjectId, dependencies?: Dependencies): Promise<CheckTree>;
  /** Deletes the folder and the agent's git directory, and the run's own when no snapshot is kept in it. Published branches stay. */
  remove(): Promise<void>;
}

/** What is left of one run on the disk: its files, only its snapshots, or nothing whole. */
export interface StoredRun {
  readonly runId: RunId;
  readonly repo: string | null;
  readonly left: 'files' | 'snapshots' | 'remains';
  /** When it was made, or when its files were deleted. */
  readonly sinceMs: number;
}

/** A file that lies directly in a folder of a commit. */
export interface CommittedFile {
  readonly name: string;
  /** `null`: it is no file, or too large; `problem` says which. */
  readonly bytes: Uint8Array | null;
  readonly problem: string;
}

export interface CommittedFiles {
  /** The top folder of the repository. */
  readonly root: string;
  readonly files: readonly CommittedFile[];
}

export interface Workspaces {
  /**
   * Checks a repository out for a run, at `base` or else where its `HEAD` is. The user's own files, index and branches are not touched; what is not committed is
   * not seen.
   * @throws {UserError} `not-a-repository`, `no-commit`, `bare-repository`, `repository-unreadable`, `missing-objects`, …
   */
  create(options: {
    readonly runId: RunId;
    readonly repo: string;
    readonly base?: ObjectId;
    readonly signal?: AbortSignal;
  }): Promise<Workspace>;
  /** The workspace of a run that went on after a restart; `undefined` when its folder is gone or not whole. */
  reopen(runId: RunId): Promise<Workspace | undefined>;
  /**
   * The workspace of a run whose result is published and that goes on: its files as `result` has them, checked out again. What
   * was snapshot before is still there, unless that is gone too.
   * @throws {UserError} `missing-objects`, and what `create` throws.
   */
  reopenResult(options: {
    readonly runId: RunId;
    readonly repo: string;
    readonly base: ObjectId;
    readonly result: ObjectId;
    readonly signal?: AbortSignal;
  }): Promise<Workspace>;
  /** The trees of a run, whose files may be gone; `undefined` when nothing is left of it. */
  trees(runId: RunId): Promise<KeptTrees | undefined>;
  /**
   * Files that two runs, which started from the same tree, have changed in ways that git cannot join. None when the trees of one are
   * gone.
   */
  conflicts(
    base: ObjectId,
    ours: { readonly runId: RunId; readonly tree: ObjectId },
    theirs: { readonly runId: RunId; readonly tree: ObjectId },
  ): Promise<readonly string[]>;
  /** Everything that is left of workspaces, whoever made it. */
  stored(): Promise<readonly StoredRun[]>;
  /** What is left of a run takes that much of the disk, its recordings included; `null` when it cannot be counted in time. */
  sizeBytes(runId: RunId): Promise<number | null>;
  /** Whether the tip of a branch of the user's repository is exactly that tree. */
  hasBranch(repo: string, tree: ObjectId): Promise<boolean>;
  /** Deletes files, snapshots and state, whatever they hold. Nothing of that run may be at work. */
  clear(runId: RunId): Promise<void>;
  /** Deletes what is left of a workspace whose creation or removal did not end. One that is there stays. */
  removeRemains(runId: RunId): Promise<void>;
  /**
   * A file of the user's repository, from its objects.
   * @returns `undefined` when that commit has no such file.
   */
  readFile(repo: string, commit: ObjectId, path: string): Promise<Uint8Array | undefined>;
  /** A blob of the user's repository, up to 64 MiB; `undefined` when it is not there. */
  readBlob(repo: string, objectId: ObjectId): Promise<Uint8Array | undefined>;
  /** What changed between two commits of the user's repository. */
  changes(repo: string, from: ObjectId, to: ObjectId): Promise<readonly FileChange[]>;
  /**
   * The same as a patch, which `git apply` takes.
   * @throws {UserError} `git-output-too-large` when it has more than `maxBytes`.
   */
  patch(repo: string, from: ObjectId, to: ObjectId, maxBytes: number): Promise<string>;
}

/** The branch of a run's result. Everything under `airlock/` is quarantine. */
export function branchOf(taskId: string, attempt: number): string {
  return `airlock/${taskId}-${attempt}`;
}

/** The branch of a snapshot that the user wants to keep. */
export function snapshotBranchOf(taskId: string, attempt: number, index: number): string {
  return `${branchOf(taskId, attempt)}-s${index}`;
}
