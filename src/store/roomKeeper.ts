import { statfs } from 'node:fs/promises';
import type { Clock } from '../base/clock';
import { type Disposable, toDisposable } from '../base/disposable';
import { Emitter } from '../base/emitter';
import { messageOf } from '../base/errors';
import type { Logger } from '../base/logger';
import { Mutex } from '../base/mutex';
import type { StorageRoom } from '../core/storageRoom';
import { DiskReserve } from './diskReserve';

const MiB = 1024 ** 2;
/** How often it is looked whether there is room again. */
const lookAgainMs = 5_000;

export interface RoomKeeperOptions {
  readonly storage: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Sizes that fit the disk: on a small one less is set aside. */
interface Sizes {
  readonly pieceBytes: number;
  /** With less than this free, nothing new is begun. */
  readonly lowBytes: number;
}

/**
 * Keeps some room of the disk for what must be kept, gives it back when there is none left, and sets it aside again when
 * there is.
 */
export class RoomKeeper implements StorageRoom, Disposable {
  private readonly changed = new Emitter<void>();
  readonly onDidChange = this.changed.event;
  private readonly mutex = new Mutex();
  private readonly reserve: DiskReserve;
  private problem: string | undefined;
  private timer: Disposable = toDisposable(() => {});
  private ended = false;

  static async open(options: RoomKeeperOptions): Promise<RoomKeeper> {
    const keeper = new RoomKeeper(options, sizesFor((await spaceOf(options.storage)).totalBytes));
    await keeper.look();
    return keeper;
  }

  private constructor(
    private readonly options: RoomKeeperOptions,
    private readonly sizes: Sizes,
  ) {
    this.reserve = new DiskReserve(options.storage, sizes.pieceBytes);
  }

  get shortage(): string | undefined {
    return this.problem;
  }

  look(): Promise<string | undefined> {
    return this.mutex.run(async () => {
      try {
        await this.judge();
      } catch (error) {
        // A quota shows only when something is written.
        this.isShort(messageOf(error));
      }
      return this.problem;
    });
  }

  /** Something could not be written for want of room. @returns whether some was made, so that it may be tried again. */
  makeRoom(): Promise<boolean> {
    return this.mutex.run(async () => {
      this.isShort('a write found no room');
      return this.reserve.release().catch(() => false);
    });
  }

  dispose(): void {
    this.ended = true;
    this.timer.dispose();
    this.changed.dispose();
  }

  private async judge(): Promise<void> {
    const { freeBytes } = await spaceOf(this.options.storage);
    const missingBytes = await this.reserve.missingBytes();
    // Twice as much is asked for before it goes on, so that it does not stop again at once.
    const neededBytes = missingBytes + this.sizes.lowBytes * (this.problem === undefined ? 1 : 2);
    if (freeBytes < neededBytes) return this.isShort(`${describe(freeBytes)} free, ${describe(neededBytes)} needed`);
    if (missingBytes > 0) await this.reserve.fill();
    if (this.problem === undefined) return;
    this.problem = undefined;
    this.timer.dispose();
    this.options.logger.info('There is room on the disk again');
    this.changed.fire();
  }

  private isShort(detail: string): void {
    const { storage, clock, logger } = this.options;
    if (!this.ended) {
      this.timer.dispose();
      this.timer = clock.setTimer(lookAgainMs, () => void this.look());
    }
    if (this.problem !== undefined) return;
    this.problem = `The disk that holds ${storage} is full (${detail}). Nothing is lost, and nothing new is begun; free some space and it goes on by itself.`;
    logger.warn(this.problem);
    this.changed.fire();
  }
}

function sizesFor(totalBytes: number): Sizes {
  const part = (divisor: number, maxBytes: number): number =>
    Math.max(64 * 1024, Math.min(maxBytes, Math.floor(totalBytes / divisor)));
  return { pieceBytes: part(200, 2 * MiB), lowBytes: part(50, 32 * MiB) };
}

async function spaceOf(folder: string): Promise<{ readonly freeBytes: number; readonly totalBytes: number }> {
  const { bavail, blocks, bsize } = await statfs(folder);
  // A file system that tells no size has one that nobody knows.
  return blocks === 0
    ? { freeBytes: Infinity, totalBytes: Infinity }
    : { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}

function describe(bytes: number): string {
  return `${(bytes / MiB).toFixed(1)} MiB`;
}
