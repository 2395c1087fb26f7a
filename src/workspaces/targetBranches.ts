import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../base/errors';
import { objectIdSchema, type ObjectId } from '../core/ids';
import type { Landed, LandingTargets, TargetBranch, TargetBranches } from '../core/landing';
import { GitFailure } from './gitFailure';
import { openRepository } from './openRepository';
import type { UserGit } from './userGit';

const branches = 'refs/heads/';
/** What is under it is quarantine, and not a place to land on. */
const quarantine = 'refs/heads/airlock/';
/** More than that nobody looks through. */
const maxListed = 500;
const reflogWords = 'airlock: a result was accepted';

export function createTargetBranches(): TargetBranches {
  return { find, list, tip, advance, goBack, keep, discard };
}

async function find(repo: string, branch?: string): Promise<TargetBranch> {
  const git = await openRepository(repo);
  const ref = branch === undefined ? await checkedOut(git, repo) : await named(git, branch);
  const commit = await commitOf(git, ref);
  if (ref.startsWith(quarantine) || commit === undefined) {
    const name = ref.slice(branches.length);
    throw new UserError('landing-target', `“${name}” is no branch that a result can go to. Name another one.`, { ref });
  }
  return { repo, ref, commit };
}

async function list(repo: string): Promise<LandingTargets> {
  const git = await openRepository(repo);
  const head = await git.textIfAny('symbolic-ref', '-q', 'HEAD');
  const refs = await git.text('for-each-ref', '--sort=-committerdate', '--format=%(refname)', branches);
  const names = refs.split('\n').filter((ref) => ref !== '' && !ref.startsWith(quarantine));
  return {
    checkedOut: head?.startsWith(branches) ? head.slice(branches.length) : null,
    branches: names.slice(0, maxListed).map((ref) => ref.slice(branches.length)),
  };
}

async function tip(repo: string, ref: string): Promise<ObjectId | undefined> {
  return commitOf(await openRepository(repo), ref);
}

async function advance({ repo, ref, commit }: TargetBranch, to: ObjectId): Promise<void> {
  const git = await openRepository(repo);
  if ((await commitOf(git, ref)) !== commit) throw moved(ref);
  const folder = await worktreeOf(git, ref);
  if (folder === undefined) return moveRef(git, ref, to, commit);
  await inWorktree(git.at(folder), ref, ['merge', '--ff-only', '--no-stat', '--quiet', objectIdSchema.parse(to)]);
}

async function goBack(repo: string, { ref, from, commit }: Landed): Promise<void> {
  const git = await openRepository(repo);
  const name = ref.slice(branches.length);
  if ((await commitOf(git, ref)) !== commit) {
    throw new UserError(
      'landing-built-on',
      `“${name}” has gone on since the result was accepted, so it is not taken back. To undo it all the same: git revert ${commit.slice(0, 12)}`,
      { ref, commit },
    );
  }
  const folder = await worktreeOf(git, ref);
  if (folder === undefined) return moveRef(git, ref, from, commit);
  await inWorktree(git.at(folder), ref, ['reset', '--keep', '--quiet', objectIdSchema.parse(from)]);
}

async function keep(repo: string, name: string, commit: ObjectId): Promise<void> {
  const git = await openRepository(repo);
  const ref = `${branches}${name}`;
  const isPlain = (await git.textIfAny('check-ref-format', ref)) !== undefined && !name.startsWith('-');
  if (!isPlain || ref.startsWith(quarantine)) {
    throw new UserError('branch-name-invalid', `“${name}” cannot be the name of a branch of yours.`, { name });
  }
  try {
    await git.text(
      'update-ref',
      '--no-deref',
      '-m',
      'airlock: a result was kept',
      ref,
      commit,
      '0'.repeat(commit.length),
    );
  } catch (error) {
    if (!(error instanceof GitFailure)) throw error;
    if ((await commitOf(git, ref)) === commit) return;
    const message = `The branch “${name}” cannot be made: there is one of that name already, or one that leaves no room for it.`;
    throw new UserError('branch-exists', message, { name, git: error.stderr }, { cause: error });
  }
}

async function discard(repo: string, branch: string, commit: ObjectId): Promise<void> {
  const git = await openRepository(repo);
  const ref = `${branches}${branch}`;
  // One that the user has moved, or has checked out somewhere, is the user's own by now.
  if (!ref.startsWith(quarantine) || (await commitOf(git, ref)) !== commit) return;
  if ((await worktreeOf(git, ref)) !== undefined) return;
  await git.text('update-ref', '-d', ref, commit);
}

async function checkedOut(git: UserGit, repo: string): Promise<string> {
  const ref = await git.textIfAny('symbolic-ref', '-q', 'HEAD');
  if (ref?.startsWith(branches)) return ref;
  throw new UserError(
    'landing-detached',
    `No branch is checked out in ${repo}. Check one out, or name the branch that the result is to go to.`,
    { repo },
  );
}

async function named(git: UserGit, branch: string): Promise<string> {
  const ref = `${branches}${branch}`;
  if ((await git.textIfAny('check-ref-format', ref)) !== undefined) return ref;
  throw new UserError('landing-target', `“${branch}” cannot be the name of a branch.`, { branch });
}

async function commitOf(git: UserGit, ref: string): Promise<ObjectId | undefined> {
  const commit = await git.textIfAny('rev-parse', '--verify', '-q', `${ref}^{commit}`);
  return commit === undefined || commit === '' ? undefined : objectIdSchema.parse(commit);
}

/** The folder where a branch is checked out; `undefined` when it is nowhere, or that folder is gone. */
async function worktreeOf(git: UserGit, ref: string): Promise<string | undefined> {
  const listed = await git.text('worktree', 'list', '--porcelain', '-z');
  for (const entry of listed.split('\0\0')) {
    const lines = entry.split('\0');
    const folder = lines.find((line) => line.startsWith('worktree '))?.slice('worktree '.length);
    if (folder === undefined || !lines.includes(`branch ${ref}`)) continue;
    if (await lstat(join(folder, '.git')).catch(() => undefined)) return folder;
  }
  return undefined;
}

async function moveRef(git: UserGit, ref: string, to: ObjectId, from: ObjectId): Promise<void> {
  try {
    await git.text('update-ref', '--no-deref', '-m', reflogWords, ref, to, from);
  } catch (error) {
    if (!(error instanceof GitFailure)) throw error;
    throw (await commitOf(git, ref)) === from ? refused(ref, error) : moved(ref);
  }
}

/** Git looks at each file before it touches the first: it does all of it or nothing. */
async function inWorktree(git: UserGit, ref: string, command: readonly string[]): Promise<void> {
  try {
    await git.run(['-c', 'submodule.recurse=false', ...command], { configuration: await withoutFilters(git) });
  } catch (error) {
    if (!(error instanceof GitFailure)) throw error;
    if (/not possible to fast-forward/i.test(error.stderr)) throw moved(ref);
    if (/would be overwritten|not uptodate|untracked working tree/i.test(error.stderr)) {
      throw new UserError(
        'landing-overwrites',
        `Files that you have changed and not committed are in the way, and they stay as they are. Commit or stash them, then try again. ${error.stderr}`,
        { ref, git: error.stderr },
        { cause: error },
      );
    }
    throw refused(ref, error);
  }
}

/**
 * The repository's own filters, switched off: a result says by its `.gitattributes` which of them are run on its files. What
 * LFS keeps elsewhere stays a pointer until `git lfs pull`.
 */
async function withoutFilters(git: UserGit): Promise<ReadonlyMap<string, string>> {
  const names = await git.textIfAny(
    'config',
    '--name-only',
    '-z',
    '--get-regexp',
    '^filter\\..*\\.(clean|smudge|process|required)$',
  );
  const keys = (names ?? '').split('\0').filter((name) => name !== '');
  return new Map(keys.map((key) => [key, key.endsWith('.required') ? 'false' : '']));
}

function moved(ref: string): UserError {
  const name = ref.slice(branches.length);
  return new UserError('landing-moved', `“${name}” has moved meanwhile. Try again.`, { ref });
}

function refused(ref: string, cause: GitFailure): UserError {
  return new UserError(
    'landing-refused',
    `Git does not move “${ref.slice(branches.length)}”: ${cause.stderr}. Nothing was changed.`,
    { ref, git: cause.stderr },
    { cause },
  );
}
