import { messageOf, UserError } from '../base/errors';
import { Mutex } from '../base/mutex';
import type { RunId } from '../core/ids';
import type { RunState } from '../core/liveState';
import { type SnapshotCause, supernumerary } from '../core/runSnapshot';
import type { Snapshot, Workspace } from '../core/workspace';
import type { ExecutorPorts, ExecutorSettings } from './ports';

export interface RunSnapshotsOptions {
  readonly runId: RunId;
  readonly workspace: Workspace;
  readonly settings: Pick<ExecutorSettings, 'maxSnapshots' | 'maxSnapshotBytes'>;
  /** Tells whoever looks at the run's terminal. */
  readonly note: (text: string) => void;
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

  constructor(
    private readonly ports: Pick<ExecutorPorts, 'events' | 'logger'>,
    private readonly options: RunSnapshotsOptions,
  ) {}

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

  /** Resolves when no snapshot of a turn is being taken. */
  settled(): Promise<void> {
    return this.underway;
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

  /** Writes down what is new; a snapshot of the same files as the last one is none. */
  private async record(cause: SnapshotCause, { tree, commit, newBytes }: Snapshot): Promise<void> {
    const { runId, workspace } = this.options;
    if (this.storedBytes !== undefined) this.storedBytes += newBytes;
    const before = this.kept.at(-1)?.tree ?? workspace.baseTree;
    if (tree === before) return;
    const { length: filesChanged } = await workspace.changes(before, tree);
    await this.ports.events.append([
      { kind: 'snapshot.taken', runId, index: this.nextIndex(), cause, tree, commit, filesChanged },
    ]);
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
    const { runId, note } = this.options;
    this.ports.logger.warn('The files of a run could not be kept after a turn', { runId, reason: messageOf(error) });
    if (this.said.has(code)) return;
    this.said.add(code);
    note(`The files could not be kept after this turn, so you cannot go back to it: ${messageOf(error)}`);
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
