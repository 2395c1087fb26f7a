import { createReadStream, createWriteStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../base/errors';
import { newId } from '../base/ids';
import { objectIdSchema, type ObjectId } from '../core/ids';
import { GitFailure } from './gitFailure';
import { hostGitInJail, type GitJail } from './gitJail';
import { openRepository } from './openRepository';
import type { RunFolders } from './runFolders';
import type { Snapshots } from './snapshots';
import type { UserGit } from './userGit';

export interface PublishingOptions {
  readonly jail: GitJail;
  readonly folders: RunFolders;
  readonly snapshots: Snapshots;
  readonly repo: string;
  readonly baseCommit: ObjectId;
}

export interface Publication {
  readonly tree: ObjectId;
  readonly branch: string;
  readonly message: string;
}

/** A result that is larger is a mistake. */
const maxPackBytes = 2 * 1024 ** 3;

/**
 * Puts a tree into the user's repository as one commit on the base and a new branch. A pack of what is new is made in a git
 * jail, looked through in another one, and only then handed to the user's repository, which looks again. Nothing else there
 * changes, and no hook is run.
 * @throws {UserError} `branch-exists`, `branch-namespace-taken`, `branch-name-invalid`, `result-invalid`, `missing-objects`,
 * `publish-failed`.
 */
export async function publish(publication: Publication, options: PublishingOptions): Promise<ObjectId> {
  const git = await openRepository(options.repo);
  const ref = `refs/heads/${publication.branch}`;
  const there = await findBranch(git, publication, options.baseCommit);
  if (there) return there;
  if ((await git.textIfAny('cat-file', '-e', `${options.baseCommit}^{commit}`)) === undefined) {
    throw new UserError(
      'missing-objects',
      `The commit ${options.baseCommit} that the run started from is no longer in ${options.repo}. Fetch it back, or discard the result.`,
      { folder: options.repo, commit: options.baseCommit },
    );
  }
  const { commit } = await options.snapshots.commit({ message: publication.message, tree: publication.tree });
  // Among the checks: what a crash leaves there is cleared away with them.
  const pack = join(options.folders.checks, newId('result'));
  try {
    await makePack(pack, commit, options);
    await git.run(['index-pack', '--stdin', '--fix-thin', '--strict'], { stdin: createReadStream(pack) });
    await git.text(
      'update-ref',
      '--no-deref',
      '-m',
      'airlock: result of a run',
      ref,
      commit,
      '0'.repeat(commit.length),
    );
  } catch (error) {
    if (!(error instanceof GitFailure)) throw error;
    const meanwhile = await findBranch(git, publication, options.baseCommit);
    if (meanwhile) return meanwhile;
    throw publishFailed(publication.branch, options.repo, error);
  } finally {
    await rm(pack, { force: true });
  }
  return commit;
}

/**
 * A branch of the user's that is named `airlock` leaves no room for results beside it: better said before a run than after.
 * @throws {UserError} `branch-namespace-taken`.
 */
export async function assertQuarantineFree(git: UserGit): Promise<void> {
  const taken = 'refs/heads/airlock';
  const refs = (await git.text('for-each-ref', '--format=%(refname)', taken)).split('\n');
  if (refs.includes(taken)) throw namespaceTaken('airlock/*', taken);
}

/**
 * The branch's commit when it is there already and is this very result; `undefined` when the name is free.
 * @throws {UserError} when something else has the name.
 */
async function findBranch(
  git: UserGit,
  { branch, tree }: Publication,
  baseCommit: ObjectId,
): Promise<ObjectId | undefined> {
  const ref = `refs/heads/${branch}`;
  if ((await git.textIfAny('check-ref-format', ref)) === undefined) {
    throw new UserError('branch-name-invalid', `"${branch}" cannot be the name of a branch.`, { branch });
  }
  const top = ref.split('/').slice(0, 3).join('/');
  const refs = (await git.text('for-each-ref', '--format=%(refname) %(objectname) %(tree) %(parent)', top)).split('\n');
  for (const line of refs) {
    const [name = '', commit = '', itsTree, ...parents] = line.split(' ');
    if (name === ref && itsTree === tree && parents.join() === baseCommit) return objectIdSchema.parse(commit);
    if (name === ref || name.startsWith(`${ref}/`)) throw branchExists(branch, name);
    if (name !== '' && ref.startsWith(`${name}/`)) throw namespaceTaken(branch, name);
  }
  return undefined;
}

function branchExists(branch: string, ref: string): UserError {
  return new UserError(
    'branch-exists',
    `The branch ${ref.slice('refs/heads/'.length)} exists already and holds something else, so the result cannot be put there. Rename or delete it.`,
    { branch, ref },
  );
}

function namespaceTaken(branch: string, ref: string): UserError {
  const taken = ref.slice('refs/heads/'.length);
  return new UserError(
    'branch-namespace-taken',
    `There is a branch named "${taken}", so git cannot have ${branch} beside it. Rename it: git branch -m ${taken} <new name>`,
    { branch, taken },
  );
}

async function makePack(pack: string, commit: ObjectId, options: PublishingOptions): Promise<void> {
  await options.jail.run({
    argv: ['git', 'pack-objects', '--revs', '--thin', '--stdout', '-q', '--delta-base-offset'],
    stdin: Buffer.from(`${commit}\n^${options.baseCommit}\n`),
    stdout: createWriteStream(pack, { mode: 0o600 }),
  });
  const { size } = await stat(pack);
  if (size > maxPackBytes) {
    throw new UserError('result-invalid', `The result takes ${size} bytes, more than ${maxPackBytes}.`, { size });
  }
  try {
    await options.jail.run({
      argv: ['git', 'index-pack', '--stdin', '--fix-thin', '--strict'],
      environment: { GIT_OBJECT_DIRECTORY: '/tmp', GIT_ALTERNATE_OBJECT_DIRECTORIES: `${hostGitInJail}/objects` },
      stdin: createReadStream(pack),
    });
  } catch (error) {
    if (!(error instanceof GitFailure)) throw error;
    throw new UserError(
      'result-invalid',
      `Git refuses the result: ${error.stderr}. Nothing was put into the repository.`,
      { git: error.stderr },
      { cause: error },
    );
  }
}

function publishFailed(branch: string, repo: string, cause: GitFailure): UserError {
  return new UserError(
    'publish-failed',
    `The branch ${branch} could not be made in ${repo}: ${cause.stderr}. The result is kept; try again when this is mended.`,
    { branch, folder: repo, git: cause.stderr },
    { cause },
  );
}
