import { readFile } from 'node:fs/promises';
import type { Clock } from '../base/clock';
import { sha256 } from '../base/digest';
import { UserError } from '../base/errors';
import { newId } from '../base/ids';
import { Mutex } from '../base/mutex';
import { objectIdSchema, type ObjectId } from '../core/ids';
import { workspaceInJail } from '../core/jailPolicy';
import type { FileChange, Snapshot, SnapshotKeeping } from '../core/workspace';
import { isCheckSurface } from './checkSurface';
import { changesArguments, diffTreeArguments, parseChanges, parseRawChanges } from './diffListing';
import { listCommand, parseBaseline, parseScan, scanCommand, type FolderScan } from './folderScan';
import { GitFailure } from './gitFailure';
import type { GitJail } from './gitJail';
import { importStream, parseImportAnswer, type ImportedCommit, type TreeEdit } from './importStream';
import { bytesOf, isPlainPath, printable, textOf, type PathBytes } from './pathBytes';
import type { RunFolders } from './runFolders';
import { planSnapshot, type PlannedFile, type SnapshotPlan } from './snapshotPlan';
import { StoredFiles } from './storedFiles';
import { keptRef, pruneCommand, sizeCommand, parseSize } from './keptRefs';
import { restoreCommand } from './treeRestoring';
import { parseTreeListing, type TreeListing } from './treeListing';

/** What a snapshot takes at most; what the base has already does not count. */
export interface SnapshotLimits {
  /** A larger file is left out and named. */
  readonly maxFileBytes: number;
  /** More than that altogether is refused. */
  readonly maxBytes: number;
}

export const defaultSnapshotLimits: SnapshotLimits = { maxFileBytes: 100 * 1024 ** 2, maxBytes: 2 * 1024 ** 3 };

export interface SnapshotsOptions {
  readonly jail: GitJail;
  readonly folders: RunFolders;
  readonly clock: Clock;
  readonly baseCommit: ObjectId;
  readonly baseTree: ObjectId;
  /** Paths of shared folders. */
  readonly shares: readonly string[];
  readonly limits: SnapshotLimits;
}

const importCommand = [
  'git',
  '-c',
  'fastimport.unpackLimit=1000000',
  'fast-import',
  '--quiet',
  '--done',
  '--cat-blob-fd=1',
];

/** The message of a commit whose tree is not that of the workspace. */
export const surfaceRestored = 'Check surface restored';

/** A file that changes while it is read makes a try fail. */
const maxTries = 3;

type Commit = Pick<ImportedCommit, 'message' | 'tree' | 'edit'> & { readonly keeping?: SnapshotKeeping };

/**
 * The trees of a run, all of them made and compared in git jails. No git command ever walks the workspace: `find` lists it,
 * `hash-object --no-filters` stores the files that it is told by name, and `fast-import` edits the base's tree.
 */
export class Snapshots {
  private base: Promise<TreeListing> | undefined;
  private baseline: ReadonlyMap<PathBytes, string> | undefined;
  private readonly storedFiles = new StoredFiles();
  /** What the last snapshot was made of, and what came of it. */
  private last: { readonly edit: string; readonly commit: ObjectId; readonly tree: ObjectId } | undefined;
  /** What makes objects and what deletes them take turns: one that no commit has yet must not be swept away. */
  private readonly turns = new Mutex();

  constructor(private readonly options: SnapshotsOptions) {}

  /** Tells what is known already, so that it need not be read again. */
  know(base: TreeListing, baseline: ReadonlyMap<PathBytes, string>): void {
    this.base = Promise.resolve(base);
    this.baseline = baseline;
  }

  /** @throws {UserError} `workspace-limit`, `workspace-unsteady`, `snapshot-too-large`. */
  take(message: string, keeping?: SnapshotKeeping): Promise<Snapshot> {
    return this.turns.run(async () => {
      for (let tries = 1; ; tries += 1) {
        try {
          return await this.tryToTake(message, keeping);
        } catch (error) {
          if (!(error instanceof GitFailure)) throw error;
          this.forget();
          if (tries === maxTries) throw unsteady(error);
        }
      }
    });
  }

  /**
   * For a folder that nothing was run in. What no snapshot has counts too, such as ignored files.
   * @returns what is not as it was checked out, in words; `undefined` when everything is.
   */
  oddity(): Promise<string | undefined> {
    return this.turns.run(async () => {
      const { jail, folders } = this.options;
      const workspace = { folder: folders.workspace, access: 'read' } as const;
      const found = parseBaseline(await jail.run({ argv: listCommand, workspace }));
      const odd = oddPath(found, await this.baselineStamps());
      if (odd !== undefined) return `${odd} is not as it was checked out`;
      // Everything of the base is there, and nothing else: this is its tree.
      const isWhole = [...(await this.baseListing())].every(([path, { mode }]) => mode === '160000' || found.has(path));
      return isWhole ? undefined : 'its tree is not that of its base';
    });
  }

  /** See `Workspace.dropSnapshots`. */
  async drop(indices: readonly number[]): Promise<void> {
    if (indices.length === 0) return;
    const { jail } = this.options;
    const stdin = Buffer.from(indices.map((index) => `delete ${keptRef(index)}\n`).join(''));
    await this.turns.run(() => jail.run({ argv: pruneCommand, hostGit: 'write', stdin }));
  }

  async sizeBytes(): Promise<number> {
    return parseSize(await this.options.jail.run({ argv: sizeCommand }));
  }

  async changes(from: ObjectId, to: ObjectId): Promise<readonly FileChange[]> {
    return parseChanges(await this.options.jail.run({ argv: ['git', 'diff-tree', ...changesArguments, from, to] }));
  }

  /** A file of a tree; `undefined` when there is none of that path. */
  async readFile(tree: ObjectId, path: string): Promise<Buffer | undefined> {
    if (!isPlainPath(path)) return undefined;
    const { jail } = this.options;
    const listed = parseTreeListing(await jail.run({ argv: ['git', 'ls-tree', '-z', tree, '--', path] }));
    const entry = listed.get(bytesOf(path));
    if (!entry || entry.mode === '160000') return undefined;
    return jail.run({ argv: ['git', 'cat-file', 'blob', entry.objectId] });
  }

  /** See `Workspace.restore`. */
  async restore(from: ObjectId, to: ObjectId): Promise<void> {
    const workspace = { folder: this.options.folders.workspace, access: 'write' } as const;
    try {
      await this.turns.run(() => this.options.jail.run({ argv: restoreCommand(from, to), workspace }));
    } catch (error) {
      throw error instanceof GitFailure ? notRestored(error) : error;
    }
  }

  async restoreCheckSurface(tree: ObjectId): Promise<ObjectId> {
    const { baseTree, jail } = this.options;
    const differing = parseRawChanges(
      await jail.run({ argv: ['git', 'diff-tree', ...diffTreeArguments, '--no-renames', baseTree, tree] }),
    ).filter(({ path }) => isCheckSurface(textOf(path) ?? path));
    if (differing.length === 0) return tree;
    const edit: TreeEdit = {
      removed: differing.filter(({ before }) => !before).map(({ path }) => path),
      entries: differing.flatMap(({ path, before }) => (before ? [{ path, ...before }] : [])),
      links: [],
    };
    return (await this.commit({ message: `${surfaceRestored}\n`, tree, edit })).tree;
  }

  /** Makes a commit on the base, under a ref of this run's own. */
  commit(commit: Commit): Promise<{ commit: ObjectId; tree: ObjectId }> {
    return this.turns.run(() => this.import(commit));
  }

  private async import({ keeping, ...commit }: Commit): Promise<{ commit: ObjectId; tree: ObjectId }> {
    const { clock, baseCommit, jail } = this.options;
    const stdin = importStream({
      ref: keeping ? keptRef(keeping.index) : `refs/snapshots/${newId('snapshot')}`,
      parent: baseCommit,
      committedAtMs: clock.nowMs(),
      ...commit,
    });
    const answer = parseImportAnswer(
      // Forced, because a kept ref may be left from a try that did not end.
      await jail.run({ argv: [...importCommand, ...(keeping ? ['--force'] : [])], hostGit: 'write', stdin }),
    );
    return { commit: objectIdSchema.parse(answer.commit), tree: objectIdSchema.parse(answer.tree) };
  }

  private async tryToTake(message: string, keeping: SnapshotKeeping | undefined): Promise<Snapshot> {
    const { clock } = this.options;
    const scannedAtMs = clock.nowMs();
    const plan = await this.plan(await this.scan());
    const unread = plan.files.filter((file) => this.storedFiles.objectOf(file) === undefined);
    const newBytes = unread.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    if (keeping && newBytes > keeping.maxNewBytes) throw tooLarge(newBytes, keeping.maxNewBytes);
    const read = await this.store(unread);
    const entries = plan.files.map((file) => {
      const { path, mode } = file;
      const objectId = read.get(path) ?? this.storedFiles.objectOf(file);
      if (objectId === undefined) throw new GitFailure('git hash-object', 0, 'it answered less than it was asked');
      return { path, mode, objectId };
    });
    const edit: TreeEdit = { removed: plan.removed, entries, links: plan.links };
    const digest = sha256(JSON.stringify(edit));
    const { commit, tree } =
      this.last?.edit === digest ? this.last : await this.import({ message, edit, ...(keeping ? { keeping } : {}) });
    this.last = { edit: digest, commit, tree };
    this.storedFiles.replace(plan.files, entries, scannedAtMs);
    return { commit, tree, skipped: plan.skipped, newBytes };
  }

  /** The next snapshot reads everything anew. */
  private forget(): void {
    this.last = undefined;
    this.storedFiles.clear();
  }

  private async scan(): Promise<FolderScan> {
    const { jail, folders } = this.options;
    const workspace = { folder: folders.workspace, access: 'read' } as const;
    return parseScan(await jail.run({ argv: scanCommand, workspace }));
  }

  private async plan(scan: FolderScan): Promise<SnapshotPlan> {
    const { limits, shares } = this.options;
    const [base, baseline] = await Promise.all([this.baseListing(), this.baselineStamps()]);
    const plan = planSnapshot(scan, {
      base,
      baseline,
      shares: shares.map(bytesOf),
      maxFileBytes: limits.maxFileBytes,
    });
    if (plan.sizeBytes <= limits.maxBytes) return plan;
    throw new UserError(
      'workspace-limit',
      `The run changed ${plan.sizeBytes} bytes of files, more than the ${limits.maxBytes} that a result may have. Delete what is not part of it, or add it to .gitignore.`,
      { limit: 'diskBytes', sizeBytes: plan.sizeBytes, maxBytes: limits.maxBytes },
    );
  }

  /** Stores files as they are, unconverted, and answers their names by path. */
  private async store(files: readonly PlannedFile[]): Promise<ReadonlyMap<PathBytes, ObjectId>> {
    if (files.length === 0) return new Map();
    const paths = files.map(({ path }) => path);
    const answer = await this.options.jail.run({
      argv: ['xargs', '-0', 'git', '-C', workspaceInJail, 'hash-object', '-w', '--no-filters', '--'],
      hostGit: 'write',
      workspace: { folder: this.options.folders.workspace, access: 'read' },
      stdin: Buffer.from(paths.map((path) => `${path}\0`).join(''), 'latin1'),
    });
    const objectIds = answer.toString('latin1').trim().split('\n');
    return new Map(paths.slice(0, objectIds.length).map((path, at) => [path, objectIdSchema.parse(objectIds[at])]));
  }

  baseListing(): Promise<TreeListing> {
    const { jail, baseTree } = this.options;
    this.base ??= jail.run({ argv: ['git', 'ls-tree', '-r', '-z', baseTree] }).then(parseTreeListing);
    return this.base;
  }

  /** Without it every file counts as changed, and is read. */
  private async baselineStamps(): Promise<ReadonlyMap<PathBytes, string>> {
    this.baseline ??= parseStamps(await readFile(this.options.folders.baseline, 'latin1').catch(() => ''));
    return this.baseline;
  }
}

/** The first path that is new, gone, or another than it was. */
function oddPath(found: ReadonlyMap<PathBytes, string>, baseline: ReadonlyMap<PathBytes, string>): string | undefined {
  const changed = [...found].find(([path, stamp]) => baseline.get(path) !== stamp);
  const odd = changed?.[0] ?? [...baseline.keys()].find((path) => !found.has(path));
  return odd === undefined ? undefined : printable(odd);
}

/** The stamps of a fresh checkout as the bytes of a file: path and stamp in turn, each ended by NUL. */
export function formatStamps(stamps: ReadonlyMap<PathBytes, string>): Buffer {
  return Buffer.from([...stamps].map(([path, stamp]) => `${path}\0${stamp}\0`).join(''), 'latin1');
}

function parseStamps(text: string): Map<PathBytes, string> {
  const fields = text.split('\0');
  const stamps = new Map<PathBytes, string>();
  for (let at = 0; at + 1 < fields.length; at += 2) stamps.set(fields[at] ?? '', fields[at + 1] ?? '');
  return stamps;
}

function tooLarge(newBytes: number, maxNewBytes: number): UserError {
  return new UserError(
    'snapshot-too-large',
    `The workspace was not stored: ${newBytes} bytes in it are new, and ${Math.max(0, maxNewBytes)} are left for snapshots of this run.`,
    { newBytes, maxNewBytes },
  );
}

function notRestored(cause: GitFailure): UserError {
  return new UserError(
    'restore-failed',
    `The files could not all be put back: ${cause.stderr}. Some may be as they were wanted and some as they were before. What was there before is a snapshot.`,
    { git: cause.stderr },
    { cause },
  );
}

function unsteady(cause: GitFailure): UserError {
  return new UserError(
    'workspace-unsteady',
    `The workspace could not be stored: ${cause.stderr}. Its files may be changing while they are read: let what runs in it end first.`,
    { git: cause.stderr },
    { cause },
  );
}
