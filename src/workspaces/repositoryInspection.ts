import { lstat, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../base/errors';
import { objectIdSchema, type ObjectId } from '../core/ids';
import { GitFailure } from './gitFailure';
import { openRepository } from './openRepository';
import type { UserGit } from './userGit';

export type ObjectFormat = 'sha1' | 'sha256';

/** What is known of the user's repository before anything is made of it. */
export interface Repository {
  /** Git in `root`. */
  readonly git: UserGit;
  /** The top folder of the work tree, without links in its path. */
  readonly root: string;
  /** Where the objects and refs are; for a linked worktree that is not below `root`. */
  readonly commonFolder: string;
  /** The folder that was asked for, relative to `root`; empty when it is the same. */
  readonly subfolder: string;
  readonly baseCommit: ObjectId;
  readonly baseTree: ObjectId;
  /** The base is what the user has checked out, and not a commit that was asked for. */
  readonly isCheckedOut: boolean;
  readonly objectFormat: ObjectFormat;
  /** The branch that is checked out; `null` when HEAD is detached. */
  readonly branch: string | null;
  /** Objects may be missing here and be fetched when they are needed, which is never done for a run. */
  readonly isPartialClone: boolean;
}

/**
 * Looks at the repository that `folder` lies in, at its committed state: at `base`, or else where its `HEAD` is.
 * @throws {UserError} `not-a-repository`, `repository-untrusted`, `repository-unreadable`, `bare-repository`, `no-commit`,
 * `missing-objects`: each says what to do.
 */
export async function inspectRepository(folder: string, base?: ObjectId): Promise<Repository> {
  const found = await openRepository(folder);
  const [isBare, isInWorkTree] = (await found.text('rev-parse', '--is-bare-repository', '--is-inside-work-tree')).split(
    '\n',
  );
  if (isBare === 'true') {
    throw new UserError(
      'bare-repository',
      `${folder} is a bare repository: it has no files checked out. Clone it, or add a worktree to it, and use that folder.`,
      { folder },
    );
  }
  if (isInWorkTree !== 'true') {
    throw new UserError('not-a-repository', `${folder} lies inside a .git folder. Use the folder above it.`, {
      folder,
    });
  }
  const root = await found.text('rev-parse', '--path-format=absolute', '--show-toplevel');
  const git = found.at(root);
  await refuseStrayWorkTree(folder, root);
  const [prefix, commonFolder, format, branch, promisor, start] = await Promise.all([
    found.text('rev-parse', '--show-prefix'),
    git.text('rev-parse', '--path-format=absolute', '--git-common-dir'),
    git.text('rev-parse', '--show-object-format'),
    git.textIfAny('symbolic-ref', '-q', '--short', 'HEAD'),
    git.textIfAny('config', '--get-regexp', '^(extensions\\.partialclone|remote\\..*\\.promisor)$'),
    baseOf(git, root, base),
  ]);
  return {
    git,
    root: await realpath(root),
    commonFolder,
    subfolder: prefix.replace(/\/$/, ''),
    ...start,
    isCheckedOut: base === undefined,
    objectFormat: format === 'sha256' ? 'sha256' : 'sha1',
    branch: branch ?? null,
    isPartialClone: promisor !== undefined && promisor !== '',
  };
}

/**
 * A repository's own configuration may say that its work tree is any other folder, and shared folders are looked for there.
 * Git's own set-ups all have a `.git` at the top of the work tree.
 */
async function refuseStrayWorkTree(folder: string, root: string): Promise<void> {
  const found = await lstat(join(root, '.git')).catch(() => undefined);
  if (found) return;
  throw new UserError(
    'repository-unreadable',
    `The repository of ${folder} says that its files are in ${root}, where there is no .git. Unset core.worktree in it.`,
    { folder, root },
  );
}

async function baseOf(
  git: UserGit,
  root: string,
  base: ObjectId | undefined,
): Promise<{ baseCommit: ObjectId; baseTree: ObjectId }> {
  const head = base ?? (await git.textIfAny('rev-parse', '--verify', '-q', 'HEAD'));
  if (!head) {
    throw new UserError(
      'no-commit',
      `The repository ${root} has no commit yet. A run starts from a commit: commit your files first.`,
      { folder: root },
    );
  }
  try {
    return {
      baseCommit: objectIdSchema.parse(await git.text('rev-parse', '--verify', `${head}^{commit}`)),
      baseTree: objectIdSchema.parse(await git.text('rev-parse', '--verify', `${head}^{tree}`)),
    };
  } catch (error) {
    if (!(error instanceof GitFailure)) throw error;
    throw missingObjects(root, error);
  }
}

/** The error for a commit that is not wholly there. */
export function missingObjects(root: string, cause: unknown, count?: number): UserError {
  const what = count === undefined ? 'Objects' : `${count} object${count === 1 ? '' : 's'}`;
  return new UserError(
    'missing-objects',
    `${what} of the checked-out commit are missing in ${root}, and nothing is fetched for a run. In a partial clone, fetch them with "git fetch --refetch --no-filter"; otherwise see "git fsck".`,
    { folder: root, missing: count },
    { cause },
  );
}
