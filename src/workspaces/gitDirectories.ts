import { constants } from 'node:fs';
import { copyFile, lstat, mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { UserError } from '../base/errors';
import { GitFailure } from './gitFailure';
import { missingObjects, type ObjectFormat, type Repository } from './repositoryInspection';
import type { RunFolders } from './runFolders';
import { UserGit } from './userGit';

/**
 * Highest in rank of all attributes: whatever a `.gitattributes` says, no filter, no diff or merge driver, no conversion of
 * line ends or encoding. Files are checked out as they are stored; those of LFS stay pointers.
 */
const attributes = '* -text -filter -ident !eol !working-tree-encoding !diff !merge\n';

const maxExcludeBytes = 1024 ** 2;

type Base = Pick<Repository, 'baseCommit' | 'objectFormat'>;

/** Makes both git directories of a run and puts the base commit, without its history, into each. Nothing of it is synced yet. */
export async function createGitDirectories(
  folders: RunFolders,
  repository: Repository,
  signal: AbortSignal | undefined,
): Promise<void> {
  await createGitDirectory(folders.hostGit, repository, hostConfig(repository.objectFormat));
  await Promise.all([
    writeFile(join(folders.hostGit, 'info/attributes'), attributes),
    copyExcludes(repository, join(folders.hostGit, 'info/exclude')),
    writeFile(join(folders.hostGit, 'HEAD'), 'ref: refs/heads/none\n'),
  ]);
  // Not before the rest is there: without a HEAD it is no repository.
  await packBase(folders, repository, signal);
  await createAgentGit(folders, repository);
}

/** Makes the agent's git directory, with what the run's own has in packs: the base. */
export async function createAgentGit({ agentGit, hostGit }: RunFolders, base: Base): Promise<void> {
  await createGitDirectory(agentGit, base, agentConfig(base.objectFormat));
  await Promise.all([
    copyFile(join(hostGit, 'info/exclude'), join(agentGit, 'info/exclude')),
    writeFile(join(agentGit, 'HEAD'), 'ref: refs/heads/main\n'),
    writeFile(join(agentGit, 'refs/heads/main'), `${base.baseCommit}\n`),
  ]);
  await copyPacks(hostGit, agentGit);
}

async function createGitDirectory(folder: string, { baseCommit }: Base, config: string): Promise<void> {
  await Promise.all(
    ['objects/pack', 'objects/info', 'refs/heads', 'info'].map((path) =>
      mkdir(join(folder, path), { recursive: true }),
    ),
  );
  // Shallow: the base's parents are not there and are not missed.
  await Promise.all([writeFile(join(folder, 'config'), config), writeFile(join(folder, 'shallow'), `${baseCommit}\n`)]);
}

function format(objectFormat: ObjectFormat): string {
  if (objectFormat === 'sha1') return '[core]\n\trepositoryformatversion = 0\n';
  return '[core]\n\trepositoryformatversion = 1\n[extensions]\n\tobjectFormat = sha256\n[core]\n';
}

/**
 * Git syncs packs by itself, but no loose objects, and every snapshot is some. Batched, those that one command makes cost one
 * flush of the disk; `hash-object` alone pays for each. Gits older than 2.36 do not know this.
 */
function hostConfig(objectFormat: ObjectFormat): string {
  return `${format(objectFormat)}\tbare = true
\tfilemode = true
\tautocrlf = false
\tfsmonitor = false
\thooksPath = /dev/null
\tlogAllRefUpdates = false
\tfsync = loose-object,pack,pack-metadata,reference
\tfsyncMethod = batch
[gc]
\tauto = 0
[maintenance]
\tauto = false
[fastimport]
\tunpackLimit = 1
[protocol]
\tallow = never
`;
}

function agentConfig(objectFormat: ObjectFormat): string {
  return `${format(objectFormat)}\tbare = false
\tfilemode = true
\tlogAllRefUpdates = true
[user]
\tname = Agent
\temail = agent@airlock.localhost
[gc]
\tauto = 0
[maintenance]
\tauto = false
`;
}

/** The user's own `info/exclude` counts as it does for them. */
async function copyExcludes({ commonFolder }: Repository, to: string): Promise<void> {
  const from = join(commonFolder, 'info/exclude');
  const found = await lstat(from).catch(() => undefined);
  const isPlain = found?.isFile() === true && found.size <= maxExcludeBytes;
  await writeFile(to, isPlain ? await readFile(from).catch(() => '') : '');
}

/**
 * One pack with the base commit, its trees and its files goes straight from the user's repository into `host.git`.
 * @throws {UserError} `missing-objects`, `repository-unreadable`. @throws {CancelledError}
 */
async function packBase(folders: RunFolders, repository: Repository, signal: AbortSignal | undefined): Promise<void> {
  const { baseCommit, git, root } = repository;
  const stopping = signal ? { signal } : {};
  if (repository.isPartialClone) await refuseMissingObjects(repository, signal);
  const hostGit = await UserGit.in(folders.hostGit);
  const pack = new PassThrough();
  const stored = hostGit.run(['--git-dir=.', 'index-pack', '--stdin'], { stdin: pack, ...stopping });
  // Deltas that are there already are taken over; looking for new ones would take longer than it saves.
  const packed = git.run(['pack-objects', '--revs', '--stdout', '-q', '--window=0', '--delta-base-offset'], {
    stdin: Buffer.from(`--shallow ${baseCommit}\n${baseCommit}\n`),
    stdout: pack,
    ...stopping,
  });
  // When packing fails, storing fails too, for want of an end: the first is the one to tell of.
  const [packing, storing] = await Promise.allSettled([packed.catch(endOf(pack)), stored]);
  if (packing.status === 'rejected')
    throw packing.reason instanceof GitFailure ? unreadable(root, packing.reason) : packing.reason;
  if (storing.status === 'rejected') throw storing.reason;
}

function endOf(stream: PassThrough): (error: unknown) => never {
  return (error) => {
    stream.end();
    throw error;
  };
}

function unreadable(root: string, failure: GitFailure): UserError {
  if (/missing|unable to read|bad object|could not fetch|promisor/i.test(failure.stderr))
    return missingObjects(root, failure);
  return new UserError(
    'repository-unreadable',
    `The checked-out commit of ${root} cannot be read: ${failure.stderr}. See "git fsck".`,
    { folder: root, git: failure.stderr },
    { cause: failure },
  );
}

/** Lists what a partial clone does not have, without fetching it. */
async function refuseMissingObjects(
  { git, root, baseCommit }: Repository,
  signal: AbortSignal | undefined,
): Promise<void> {
  const listed = await git.run(
    ['rev-list', '--objects', '--no-walk', '--missing=print', baseCommit],
    signal ? { signal } : {},
  );
  const missing = listed.toString('latin1').match(/^\?/gm)?.length ?? 0;
  if (missing > 0) throw missingObjects(root, undefined, missing);
}

/** Copies, not links: the agent may write to its own, and a link would be one file under two names. */
async function copyPacks(from: string, to: string): Promise<void> {
  const packs = join('objects', 'pack');
  const names = await readdir(join(from, packs));
  await Promise.all(
    names.map((name) => copyFile(join(from, packs, name), join(to, packs, name), constants.COPYFILE_FICLONE)),
  );
}
