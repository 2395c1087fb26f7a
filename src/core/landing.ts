import type { ConflictedPath } from './conflict';
import type { ObjectId } from './ids';

/** A branch of the user's repository, and where it was when it was looked at. */
export interface TargetBranch {
  readonly repo: string;
  /** `refs/heads/…` */
  readonly ref: string;
  readonly commit: ObjectId;
}

/** What comes of laying a result over what a branch has become. */
export type Merge =
  | { readonly kind: 'merged'; readonly tree: ObjectId }
  /** Paths that both changed in ways that only somebody who understands them can join. */
  | {
      readonly kind: 'conflict';
      readonly files: readonly string[];
      /** The same, with what each side has under that name. */
      readonly paths: readonly ConflictedPath[];
      /** With both versions in those files, between markers. */
      readonly tree: ObjectId;
    };

/** Where a result was let out to. */
export interface Landed {
  /** `refs/heads/…` */
  readonly ref: string;
  /** Where the branch was before. */
  readonly from: ObjectId;
  /** Where it is since. */
  readonly commit: ObjectId;
}

/** Where results can be let out to. */
export interface LandingTargets {
  /** The branch that is checked out; `null` when none is. */
  readonly checkedOut: string | null;
  /** Names of local branches, the one that was committed to last first; at most 500. */
  readonly branches: readonly string[];
}

export interface LandingOptions {
  /** The name of the branch; absent: the one that is checked out. */
  readonly onto?: string | undefined;
  /** Only these files of the result; absent: all. */
  readonly files?: readonly string[] | undefined;
}

/**
 * The user's own branches, moved as `git merge --ff-only` moves them and in no other way: no hook and no filter is run, and
 * files with uncommitted changes are never touched.
 */
export interface TargetBranches {
  /**
   * Where a result would be let out to.
   * @throws {UserError} `landing-detached` when no branch is checked out, `landing-target` when there is no such branch.
   */
  find(repo: string, branch?: string): Promise<TargetBranch>;
  list(repo: string): Promise<LandingTargets>;
  /** Where a branch is; `undefined` when it is gone. */
  tip(repo: string, ref: string): Promise<ObjectId | undefined>;
  /**
   * Moves a branch, and the files where it is checked out, to a commit that follows it.
   * @throws {UserError} `landing-moved` when it is no longer where it was, `landing-overwrites` when uncommitted changes are in
   * the way: then nothing was changed. `landing-refused` for what else git says.
   */
  advance(target: TargetBranch, to: ObjectId): Promise<void>;
  /**
   * Moves a branch back to where it was, keeping uncommitted changes.
   * @throws {UserError} `landing-built-on` when it has gone on since, `landing-overwrites`, `landing-refused`.
   */
  goBack(repo: string, landed: Landed): Promise<void>;
  /** Makes a branch of the user's own at a commit. @throws {UserError} `branch-name-invalid`, `branch-exists`. */
  keep(repo: string, name: string, commit: ObjectId): Promise<void>;
  /** Deletes a branch in quarantine, if it is still at that commit. */
  discard(repo: string, branch: string, commit: ObjectId): Promise<void>;
}
