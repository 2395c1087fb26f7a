import { UserError } from '../base/errors';
import {
  type Conflict,
  type ConflictedPath,
  type ConflictFile,
  type ConflictReport,
  type ConflictSide,
  hasConflictMarkers,
  maxResolvedBytes,
  type Resolution,
  type ResolvedPath,
  resolutionSchema,
} from '../core/conflict';
import type { ObjectId, TaskId } from '../core/ids';
import { isLanding, type TaskState } from '../core/liveState';
import type { ExecutorPorts } from './ports';
import { foundTask, wrongState } from './steering';

/** As git itself does: a file with a NUL near its start is no text. */
const lookedAtBytes = 8000;

type Ports = Pick<ExecutorPorts, 'events' | 'workspaces' | 'targets'>;

/** A conflict that the user resolves by hand: what it is about, and whether what was made of it can be let out. */
export class Conflicts {
  constructor(private readonly ports: Ports) {}

  /** @throws {UserError} `wrong-state`; `landing-moved` when the branch is no longer where it was found in conflict. */
  async report(taskId: TaskId): Promise<ConflictReport> {
    const { conflict, repo, ref } = this.found(taskId);
    if ((await this.ports.targets.tip(repo, ref)) !== conflict.target) {
      const branch = ref.slice('refs/heads/'.length);
      throw new UserError(
        'landing-moved',
        `“${branch}” has moved since the conflict was found. Accept the result again to see what is in conflict now.`,
        { ref },
      );
    }
    const files: ConflictFile[] = [];
    for (const path of conflict.paths) files.push(await this.fileOf(repo, path));
    return { ref, target: conflict.target, files };
  }

  /** What one side has of a path in conflict; `undefined` when it has none. @throws {UserError} `wrong-state`. */
  async readFile(taskId: TaskId, side: ConflictSide, path: string): Promise<Uint8Array | undefined> {
    const { conflict, repo } = this.found(taskId);
    const entry = conflict.paths.find((known) => known.path === path)?.[side];
    return entry && entry.mode !== '160000' ? this.ports.workspaces.readBlob(repo, entry.objectId) : undefined;
  }

  /**
   * What a resolution makes of every path in conflict.
   * @throws {UserError} `wrong-state`, `resolution-invalid`, `resolution-too-large`, `resolution-unfinished`.
   */
  async resolved(taskId: TaskId, given: Resolution): Promise<readonly ResolvedPath[]> {
    const { conflict, repo } = this.found(taskId);
    const { target, files } = parsed(given);
    const byPath = new Map(files.map((file) => [file.path, file]));
    const isWhole = byPath.size === files.length && files.length === conflict.paths.length;
    if (target !== conflict.target || !isWhole) throw invalid();
    const resolved: ResolvedPath[] = [];
    const unfinished: string[] = [];
    let sizeBytes = 0;
    for (const known of conflict.paths) {
      const file = byPath.get(known.path);
      if (!file || isMadeUp(known)) throw invalid();
      if ('take' in file) {
        resolved.push({ path: known.path, entry: known[file.take] });
        continue;
      }
      if (!isFileSomewhere(known)) throw invalid();
      const content = Buffer.from(file.content, 'base64');
      sizeBytes += content.byteLength;
      if (await this.isUnfinished(repo, known, content)) unfinished.push(known.path);
      resolved.push({ path: known.path, mode: modeOf(known), content });
    }
    if (sizeBytes > maxResolvedBytes) throw tooLarge();
    if (unfinished.length > 0) throw stillInConflict(unfinished);
    return resolved;
  }

  /** Markers that one of the sides has itself are content. */
  private async isUnfinished(repo: string, path: ConflictedPath, content: Uint8Array): Promise<boolean> {
    if (!hasConflictMarkers(content)) return false;
    for (const entry of [path.target, path.result]) {
      const bytes = entry && (await this.ports.workspaces.readBlob(repo, entry.objectId));
      if (bytes && hasConflictMarkers(bytes)) return false;
    }
    return true;
  }

  private async fileOf(repo: string, path: ConflictedPath): Promise<ConflictFile> {
    const [isInTarget, isInResult] = [path.target !== null, path.result !== null];
    const known = { path: path.path, isInTarget, isInResult };
    const isWhole = await Promise.all([path.target, path.result].map((entry) => this.isThere(repo, entry)));
    if (isMadeUp(path) || isWhole.includes(false)) return { ...known, how: 'agent' };
    const isText = await Promise.all([path.target, path.result].map((entry) => this.isText(repo, entry)));
    return { ...known, how: isText.includes(false) ? 'choose' : 'merge' };
  }

  /** Git may have joined two files before it came to see a conflict: that is in no object of the user's. */
  private async isThere(repo: string, entry: ConflictedPath['target']): Promise<boolean> {
    if (entry === null) return true;
    return entry.mode !== '160000' && (await this.ports.workspaces.readBlob(repo, entry.objectId)) !== undefined;
  }

  private async isText(repo: string, entry: ConflictedPath['target']): Promise<boolean> {
    if (entry === null || !entry.mode.startsWith('100')) return false;
    const bytes = await this.ports.workspaces.readBlob(repo, entry.objectId);
    return bytes !== undefined && !bytes.subarray(0, lookedAtBytes).includes(0);
  }

  private found(taskId: TaskId): { readonly conflict: Conflict; readonly repo: string; readonly ref: string } {
    const { state } = this.ports.events;
    const task = foundTask(state, taskId);
    const run = task.runId === null ? undefined : state.runs.get(task.runId);
    const conflict = task.landing?.conflict;
    if (!run || !task.landing || !conflict || isLanding(task) || task.landing.phase !== 'failed')
      throw noConflict(task);
    return { conflict, repo: run.repo, ref: task.landing.ref };
  }
}

/** No side has it under that name, so that nobody can say what is to be there. */
function isMadeUp({ base, target, result }: ConflictedPath): boolean {
  return base === null && target === null && result === null;
}

/** What is a link or a submodule on both sides is one of these, and never made a file of. */
function isFileSomewhere({ target, result }: ConflictedPath): boolean {
  return [target, result].some((entry) => entry?.mode.startsWith('100'));
}

/** As git joins modes: whoever changed it wins, and the branch where both did. */
function modeOf({ base, target, result }: ConflictedPath): '100644' | '100755' {
  const modes = [base, target, result].map((entry) => entry?.mode);
  const mode = modes[1] === undefined || modes[1] === modes[0] ? (modes[2] ?? modes[1]) : modes[1];
  return mode === '100755' ? mode : '100644';
}

function parsed(given: Resolution): Resolution {
  const { data } = resolutionSchema.safeParse(given);
  if (!data) throw invalid();
  return data;
}

function noConflict(task: TaskState): UserError {
  return wrongState(task, 'resolved by hand, for it is in no conflict that can be');
}

function invalid(): UserError {
  return new UserError(
    'resolution-invalid',
    'What was resolved is not what is in conflict now. Open the conflict again.',
  );
}

function tooLarge(): UserError {
  return new UserError(
    'resolution-too-large',
    `The resolved files have more than ${maxResolvedBytes / 1024 ** 2} MiB together. Send the conflict to the agent, or merge its branch yourself.`,
    { maxBytes: maxResolvedBytes },
  );
}

function stillInConflict(paths: readonly string[]): UserError {
  const listed = paths.slice(0, 5).join(', ') + (paths.length > 5 ? ', …' : '');
  return new UserError('resolution-unfinished', `There are still conflict markers in ${listed}. Nothing was changed.`, {
    files: listed,
  });
}

/** What is let out when a conflict was resolved by hand. */
export interface ResolvedLanding {
  /** Where the branch was when it was resolved. */
  readonly target: ObjectId;
  readonly paths: readonly ResolvedPath[];
}
