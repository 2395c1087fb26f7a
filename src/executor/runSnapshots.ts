import { messageOf, UserError } from '../base/errors';
import type { RestoredSnapshot } from '../core/executor';
import { Mutex } from '../base/mutex';
import type { ObjectId, RunId } from '../core/ids';
import type { RunState } from '../core/liveState';
import { type SnapshotCause, supernumerary } from '../core/runSnapshot';
import type { Snapshot, Workspace } from '../core/workspace';
import { restoreNews } from './instructions';
import type { ExecutorPorts, ExecutorSettings } from './ports';

export interface RunSnapshotsOptions {
  readonly runId: RunId;
  readonly workspace: Workspace;
  readonly settings: Pick<ExecutorSettings, 'maxSnapshots' | 'maxSnapshotBytes'>;
  /** What the run's session and its agent have to do with it; absent for a run that is not at work. */
  readonly living?: {
    /** Tells whoever looks at the run's terminal. */
    readonly note: (text: string) => void;
    /** Tells the agent, at its next turn. */
    readonly tell: (news: string) => void;
    /** A user has the keyboard: what the agent has begun stands still. */
    readonly isPaused: () => boolean;
  };
}

/** More than the limit are let gather, so that not every turn deletes something. */
const slack = 5;

/**
 * Keeps the files of a run as they are after each turn of the agent that may have changed them. A turn is over when the
 * results of its tool calls are in; the snapshot is taken while the model is asked, and no tool that writes begins before it
 * is there. A snapshot that cannot be had is said and harms nothing else.
 */
export class RunSnapshots {
  private readonly turns = new Mutex();
  private touched = false;
  private underway: Promise<void> = Promise.resolve();
  private readonly said = new Set<string>();
  /** Since it was last measured; `undefined`: not yet. */
  private storedBytes: number | undefined;
  /** Tools that are at work. */
  private atWork = 0;
  private restoring: Promise<unknown> | undefined;
  private closed = false;

  constructor(
    private readonly ports: Pick<ExecutorPorts, 'events' | 'logger'>,
    private readonly options: RunSnapshotsOptions,
  ) {}

  get workspace(): Workspace {
    return this.options.workspace;
  }

  /** Something may have changed the files: a tool that writes, or the user. */
  touch(): void {
    this.touched = true;
  }

  /** The results of a turn are in: what it changed is kept, without anybody waiting for it. */
  turnEnded(): void {
    if (!this.touched || this.options.settings.maxSnapshots === 0) return;
    this.touched = false;
    this.underway = this.keepTurn();
  }

  /** Does a tool call when the files are not just being put back, nor, if it `writes`, being stored. */
  async during<T>(writes: boolean, call: () => Promise<T>): Promise<T> {
    if (writes) await this.underway;
    while (this.restoring) await this.restoring.catch(() => {});
    if (writes) this.touch();
    this.atWork += 1;
    try {
      return await call();
    } finally {
      this.atWork -= 1;
    }
  }

  /** The run comes to its end: nothing is put back any more. Resolves when nothing is under way. */
  async close(): Promise<void> {
    this.closed = true;
    await this.underway;
    await this.restoring?.catch(() => {});
  }

  /**
   * Makes the files what they were. What they are now is a snapshot before that, so that it can be undone, and the agent is
   * told.
   * @throws {UserError} `session-busy`, `wrong-state`, `restore-failed`, and what `take` throws.
   */
  restore(index: number, tree: ObjectId): Promise<RestoredSnapshot> {
    this.throwIfBusy();
    const restoring = this.turns.run(() => this.putBack(index, tree));
    this.restoring = restoring;
    return restoring.finally(() => {
      if (this.restoring === restoring) this.restoring = undefined;
    });
  }

  /**
   * The files as they are now, for a verdict or before they are replaced, however large; kept too, where that is possible.
   * @throws {UserError} `workspace-limit`, `workspace-unsteady`.
   */
  take(cause: SnapshotCause, message: string): Promise<Snapshot> {
    const { workspace, settings } = this.options;
    if (settings.maxSnapshots === 0) return workspace.snapshot(message);
    return this.turns.run(async () => {
      const snapshot = await workspace.snapshot(message, {
        index: this.nextIndex(),
        maxNewBytes: Number.MAX_SAFE_INTEGER,
      });
      await this.record(cause, snapshot).catch((error: unknown) => this.say(error));
      return snapshot;
    });
  }

  private throwIfBusy(): void {
    if (this.closed) {
      throw new UserError('wrong-state', 'The run is just ending: its files cannot be put back now.', {
        runId: this.options.runId,
      });
    }
    if (this.restoring || (this.atWork > 0 && this.options.living?.isPaused() !== true)) {
      throw new UserError(
        'session-busy',
        'The agent is just running something. Wait until that has ended, or take the session over, and try again.',
        { runId: this.options.runId },
      );
    }
  }

  private async putBack(index: number, tree: ObjectId): Promise<RestoredSnapshot> {
    const { runId, workspace, living } = this.options;
    const before = await workspace.snapshot('before files were put back', {
      index: this.nextIndex(),
      maxNewBytes: Number.MAX_SAFE_INTEGER,
    });
    const savedAs = await this.record('restore', before);
    const files = await workspace.changes(before.tree, tree);
    await this.ports.events.append([{ kind: 'snapshot.restored', runId, index, savedAs }]);
    await workspace.restore(before.tree, tree);
    living?.note(`The user put the files back to snapshot ${index}; what was there is snapshot ${savedAs}.`);
    living?.tell(restoreNews(files));
    return { savedAs, files };
  }

  private async keepTurn(): Promise<void> {
    try {
      await this.turns.run(async () => {
        await this.record('turn', await this.takeWithinLimit());
        const { maxSnapshots } = this.options.settings;
        if (supernumerary(this.kept, maxSnapshots).length > slack) await this.makeRoom(maxSnapshots);
      });
    } catch (error) {
      this.say(error);
    }
  }

  private async takeWithinLimit(): Promise<Snapshot> {
    try {
      return await this.tryToTake();
    } catch (error) {
      if (!(error instanceof UserError) || error.code !== 'snapshot-too-large') throw error;
      await this.makeRoom(Math.floor(this.kept.length / 2));
      return this.tryToTake();
    }
  }

  private async tryToTake(): Promise<Snapshot> {
    const { workspace, settings } = this.options;
    const storedBytes = (this.storedBytes ??= this.kept.length === 0 ? 0 : await workspace.snapshotBytes());
    return workspace.snapshot('after a turn', {
      index: this.nextIndex(),
      maxNewBytes: settings.maxSnapshotBytes - storedBytes,
    });
  }

  /** Writes down what is new; a snapshot of the same files as the last one is none. @returns its number. */
  private async record(cause: SnapshotCause, { tree, commit, newBytes }: Snapshot): Promise<number> {
    const { runId, workspace } = this.options;
    if (this.storedBytes !== undefined) this.storedBytes += newBytes;
    const last = this.kept.at(-1);
    const before = last?.tree ?? workspace.baseTree;
    if (tree === before) return last?.index ?? 0;
    const index = this.nextIndex();
    const { length: filesChanged } = await workspace.changes(before, tree);
    await this.ports.events.append([{ kind: 'snapshot.taken', runId, index, cause, tree, commit, filesChanged }]);
    return index;
  }

  private async makeRoom(keep: number): Promise<void> {
    const { runId, workspace } = this.options;
    const indices = supernumerary(this.kept, keep);
    if (indices.length > 0) {
      await this.ports.events.append([{ kind: 'snapshot.dropped', runId, indices }]);
      await workspace.dropSnapshots(indices);
    }
    this.storedBytes = await workspace.snapshotBytes();
  }

  /** Each kind of trouble once: the next turn very likely has the same. */
  private say(error: unknown): void {
    const code = error instanceof UserError ? error.code : 'unforeseen';
    const { runId, living } = this.options;
    this.ports.logger.warn('The files of a run could not be kept after a turn', { runId, reason: messageOf(error) });
    if (this.said.has(code)) return;
    this.said.add(code);
    living?.note(`The files could not be kept after this turn, so you cannot go back to it: ${messageOf(error)}`);
  }

  private nextIndex(): number {
    return (this.kept.at(-1)?.index ?? 0) + 1;
  }

  private get kept(): RunState['snapshots'] {
    return this.run.snapshots;
  }

  private get run(): RunState {
    const run = this.ports.events.state.runs.get(this.options.runId);
    if (!run) throw new Error(`Run ${this.options.runId} is not in the state`);
    return run;
  }
}
