import { lstat, realpath } from 'node:fs/promises';
import { execFile } from 'node:child_process';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { UserError, systemCodeOf } from '../base/errors';
import { objectIdSchema, type ObjectId } from '../core/ids';
import { GitFailure } from './gitFailure';
import { UserGit } from './userGit';

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
  readonly objectFormat: ObjectFormat;
  /** The branch that is checked out; `null` when HEAD is detached. */
  readonly branch: string | null;
  /** Objects may be missing here and be fetched when they are needed, which is never done for a run. */
  readonly isPartialClone: boolean;
}

/**
 * Looks at the repository that `folder` lies in, at its committed state.
 * @throws {UserError} `not-a-repository`, `repository-untrusted`, `repository-unreadable`, `bare-repository`, `no-commit`,
 * `missing-objects`: each says what to do.
 */
export async function inspectRepository(folder: string): Promise<Repository> {
  const found = await openGit(folder);
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
  const [prefix, commonFolder, format, branch, promisor, base] = await Promise.all([
    found.text('rev-parse', '--show-prefix'),
    git.text('rev-parse', '--path-format=absolute', '--git-common-dir'),
    git.text('rev-parse', '--show-object-format'),
    git.textIfAny('symbolic-ref', '-q', '--short', 'HEAD'),
    git.textIfAny('config', '--get-regexp', '^(extensions\\.partialclone|remote\\..*\\.promisor)$'),
    baseOf(git, root),
  ]);
  return {
    git,
    root: await realpath(root),
    commonFolder,
    subfolder: prefix.replace(/\/$/, ''),
    ...base,
    objectFormat: format === 'sha256' ? 'sha256' : 'sha1',
    branch: branch ?? null,
    isPartialClone: promisor !== undefined && promisor !== '',
  };
}

/** Git in `folder`, once it has been seen that git will work there. */
async function openGit(folder: string): Promise<UserGit> {
  const git = await UserGit.in(folder);
  try {
    await git.text('rev-parse', '--git-dir');
    return git;
  } catch (error) {
    if (!(error instanceof GitFailure)) throw error;
    const dubious = /dubious ownership in repository at '(.*)'/.exec(error.stderr)?.[1];
    if (dubious !== undefined && (await isDeclaredSafe(dubious))) return git.trusting(dubious);
    throw refusal(folder, error, dubious);
  }
}

function refusal(folder: string, failure: GitFailure, dubious: string | undefined): UserError {
  const facts = { folder, git: failure.stderr };
  const options = { cause: failure };
  if (dubious !== undefined) {
    return new UserError(
      'repository-untrusted',
      `The repository ${dubious} belongs to another account, so git does not trust it. If you do, run: git config --global --add safe.directory '${dubious}'`,
      facts,
      options,
    );
  }
  if (/not a git repository/i.test(failure.stderr)) {
    return new UserError(
      'not-a-repository',
      `${folder} is not in a git repository. Run "git init" there and commit your files first.`,
      facts,
      options,
    );
  }
  return new UserError(
    'repository-unreadable',
    `Git cannot read the repository in ${folder}: ${failure.stderr}. Check that "git status" works there for the account that owns the folder.`,
    facts,
    options,
  );
}

const execFilePromise = promisify(execFile);

/** Whether the user's own configuration, outside any repository, declares `folder` safe. */
async function isDeclaredSafe(folder: string): Promise<boolean> {
  try {
    const { stdout } = await execFilePromise('git', ['config', '-z', '--get-all', 'safe.directory'], {
      cwd: '/',
      env: { PATH: process.env['PATH'], HOME: homedir() },
    });
    return stdout.split('\0').some((safe) => safe === '*' || safe === folder || isUnder(folder, safe));
  } catch (error) {
    // Exit code 1 says that there is none. Without git the next command says so.
    if (systemCodeOf(error) === 'ENOENT') throw error;
    return false;
  }
}

function isUnder(folder: string, pattern: string): boolean {
  return pattern.endsWith('/*') && folder.startsWith(pattern.slice(0, -1));
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

async function baseOf(git: UserGit, root: string): Promise<{ baseCommit: ObjectId; baseTree: ObjectId }> {
  const head = await git.textIfAny('rev-parse', '--verify', '-q', 'HEAD');
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
