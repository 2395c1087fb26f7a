import { PassThrough } from 'node:stream';
import { UserError } from '../base/errors';
import type { ConflictedPath, ResolvedPath } from '../core/conflict';
import { objectIdSchema, type ObjectId } from '../core/ids';
import type { Merge } from '../core/landing';
import { diffTreeArguments, parseRawChanges } from './diffListing';
import { GitFailure } from './gitFailure';
import type { GitJail } from './gitJail';
import { openRepository } from './openRepository';
import { bytesOf, isStorable, printable, textOf } from './pathBytes';
import type { Snapshots } from './snapshots';
import { modeOf, records } from './treeListing';

export interface MergingOptions {
  readonly jail: GitJail;
  readonly snapshots: Snapshots;
  /** The user's repository, which has the commits. */
  readonly repo: string;
  /** The tree that is merged into: the workspace's base. */
  readonly ours: ObjectId;
}

/** A change as two commits of the user's repository. */
export interface MergedChange {
  readonly base: ObjectId;
  readonly result: ObjectId;
  /** Only these paths of it; absent: all. A path that it does not change is passed over. */
  readonly files?: readonly string[] | undefined;
}

/** Nobody sees these commits: they only say what comes from what. */
const identity = {
  GIT_AUTHOR_NAME: 'Airlock',
  GIT_AUTHOR_EMAIL: 'airlock@localhost',
  GIT_COMMITTER_NAME: 'Airlock',
  GIT_COMMITTER_EMAIL: 'airlock@localhost',
};

/**
 * Lays a change over a tree, in git jails, without a file being checked out. Only git's own text merge is used, whatever an
 * attribute says.
 * @throws {UserError} `missing-objects`.
 */
export async function mergeChange(change: MergedChange, options: MergingOptions): Promise<Merge> {
  const { jail, ours } = options;
  const [baseTree, resultTree] = await fetchTrees(change, options);
  const theirs = change.files ? await onlyFiles(change.files, baseTree, resultTree, options) : resultTree;
  const base = await commitTree(jail, baseTree);
  const argv = ['git', 'merge-tree', '--write-tree', '-z', '--no-messages'];
  const sides = [await commitTree(jail, ours, base), await commitTree(jail, theirs, base)];
  // It ends with 1 when there are conflicts.
  const answer = await jail.run({ argv: [...argv, ...sides], hostGit: 'write', answers: [0, 1] });
  const [tree = '', ...stages] = records(answer).filter((part) => part !== '');
  const merged = objectIdSchema.parse(tree);
  const paths = conflictedPaths(stages, sides);
  return paths.length > 0
    ? { kind: 'conflict', files: paths.map(({ path }) => path), paths, tree: merged }
    : { kind: 'merged', tree: merged };
}

const sideOfStage = { '1': 'base', '2': 'target', '3': 'result' } as const;

/**
 * Reads the lines of `merge-tree` about stages. A file that has to make way for a folder is listed under a name that git makes
 * of it and of its commit.
 */
function conflictedPaths(stages: readonly string[], commits: readonly ObjectId[]): ConflictedPath[] {
  const paths = new Map<string, ConflictedPath>();
  for (const line of stages) {
    const match = /^(\d{6}) ([0-9a-f]+) ([123])\t/.exec(line);
    if (!match?.[1] || !match[2]) throw new Error('git merge-tree answered something unknown');
    const bytes = line.slice(match[0].length);
    const path = textOf(bytes) ?? printable(bytes);
    const known = paths.get(bytes) ?? { path, base: null, target: null, result: null };
    const isMadeUp = !isStorable(bytes) || commits.some((commit) => bytes.includes(`~${commit}`));
    const side = sideOfStage[match[3] as keyof typeof sideOfStage];
    const entry = { mode: modeOf(match[1]), objectId: objectIdSchema.parse(match[2]) };
    paths.set(bytes, isMadeUp ? known : { ...known, [side]: entry });
  }
  return [...paths.values()];
}

/** A tree with some paths as the user wants them. */
export async function withResolved(
  tree: ObjectId,
  paths: readonly ResolvedPath[],
  snapshots: Snapshots,
): Promise<ObjectId> {
  const edit = {
    removed: paths.map(({ path }) => bytesOf(path)),
    entries: paths.flatMap((resolved) =>
      'entry' in resolved && resolved.entry ? [{ path: bytesOf(resolved.path), ...resolved.entry }] : [],
    ),
    links: [],
    contents: paths.flatMap((resolved) =>
      'content' in resolved
        ? [
            {
              path: bytesOf(resolved.path),
              mode: resolved.mode,
              bytes: Buffer.from(resolved.content).toString('latin1'),
            },
          ]
        : [],
    ),
  };
  return (await snapshots.commit({ message: 'A conflict resolved\n', tree, edit })).tree;
}

/** Brings what is not there yet from the user's repository. @returns the two trees. */
export async function fetchTrees(
  { base, result }: Pick<MergedChange, 'base' | 'result'>,
  options: Pick<MergingOptions, 'jail' | 'repo' | 'ours'>,
): Promise<[ObjectId, ObjectId]> {
  const git = await openRepository(options.repo);
  try {
    const trees = (
      await git.text('rev-parse', `${objectIdSchema.parse(base)}^{tree}`, `${objectIdSchema.parse(result)}^{tree}`)
    ).split('\n');
    const [baseTree, resultTree] = [objectIdSchema.parse(trees[0]), objectIdSchema.parse(trees[1])];
    const pack = new PassThrough();
    const stored = options.jail.run({ argv: ['git', 'index-pack', '--stdin'], hostGit: 'write', stdin: pack });
    const packed = git.run(['pack-objects', '--revs', '--stdout', '-q', '--window=0', '--delta-base-offset'], {
      stdin: Buffer.from(`${baseTree}\n${resultTree}\n^${options.ours}\n`),
      stdout: pack,
    });
    // When packing fails, storing fails too, for want of an end.
    const [packing, storing] = await Promise.allSettled([packed.finally(() => pack.end()), stored]);
    if (packing.status === 'rejected') throw packing.reason;
    if (storing.status === 'rejected') throw storing.reason;
    return [baseTree, resultTree];
  } catch (error) {
    if (!(error instanceof GitFailure)) throw error;
    throw new UserError(
      'missing-objects',
      `The result is no longer whole in ${options.repo}: ${error.stderr}. Retry the task.`,
      { folder: options.repo, git: error.stderr },
      { cause: error },
    );
  }
}

/** The base with some files as the result has them. */
async function onlyFiles(
  files: readonly string[],
  baseTree: ObjectId,
  resultTree: ObjectId,
  { jail, snapshots }: MergingOptions,
): Promise<ObjectId> {
  const wanted = new Set(files);
  // From the result to the base: then what each change was made from is as the result has it.
  const argv = ['git', 'diff-tree', ...diffTreeArguments, '--no-renames', resultTree, baseTree];
  const changes = parseRawChanges(await jail.run({ argv })).filter(({ path }) => wanted.has(textOf(path) ?? ''));
  const edit = {
    removed: changes.filter(({ before }) => !before).map(({ path }) => path),
    entries: changes.flatMap(({ path, before }) => (before ? [{ path, ...before }] : [])),
    links: [],
  };
  return (await snapshots.commit({ message: 'Some files of a result\n', tree: baseTree, edit })).tree;
}

async function commitTree(jail: GitJail, tree: ObjectId, parent?: ObjectId): Promise<ObjectId> {
  const parents = parent === undefined ? [] : ['-p', parent];
  const argv = ['git', 'commit-tree', tree, ...parents, '-m', 'merging'];
  const answer = await jail.run({ argv, hostGit: 'write', environment: identity });
  return objectIdSchema.parse(answer.toString('latin1').trim());
}
