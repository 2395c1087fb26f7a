import { stat, statfs } from 'node:fs/promises';
import type { Clock } from '../base/clock';
import { type Disposable, toDisposable } from '../base/disposable';
import { Emitter } from '../base/emitter';
import { isDiskFull } from '../base/durableFile';
import { messageOf, systemCodeOf, UserError } from '../base/errors';
import type { Logger } from '../base/logger';
import { Mutex } from '../base/mutex';
import type { StorageRoom } from '../core/storageRoom';
import { DiskReserve } from './diskReserve';
import type { WriteFailures } from './writeFailures';

const MiB = 1024 ** 2;
/** How often it is looked whether all can be kept again. */
const lookAgainMs = 5_000;
/** Writes that fail again so soon after they had worked again are left alone twice as long as before: each try costs an answer of the model. */
const relapseMs = 10 * 60_000;
const maxLookAgainMs = 5 * 60_000;

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

type Part = () => Promise<void>;

/**
 * Keeps some room of the disk for what must be kept, gives it back when there is none left, and sets it aside again when
 * there is. When the disk takes no writes at all, it finds out when it does again.
 */
export class RoomKeeper implements StorageRoom, WriteFailures, Disposable {
  private readonly changed = new Emitter<void>();
  readonly onDidChange = this.changed.event;
  private readonly mutex = new Mutex();
  private readonly reserve: DiskReserve;
  private problem: UserError | undefined;
  /** What has to be brought back before the storage counts as writable. */
  private readonly parts: Part[] = [];
  /** How many writes were refused. */
  private refused = 0;
  private waitMs = lookAgainMs;
  /** Its writes have just failed. */
  private isLeftAlone = false;
  private writesAgainSinceMs = -Infinity;
  private timer: Disposable = toDisposable(() => {});
  private ended = false;

  static async open(options: RoomKeeperOptions): Promise<RoomKeeper> {
    const { storage } = options;
    const keeper = new RoomKeeper(options, sizesFor((await spaceOf(storage)).totalBytes), await placeOf(storage));
    await keeper.look();
    return keeper;
  }

  private constructor(
    private readonly options: RoomKeeperOptions,
    private readonly sizes: Sizes,
    private readonly place: string,
  ) {
    this.reserve = new DiskReserve(options.storage, sizes.pieceBytes);
  }

  get shortage(): UserError | undefined {
    return this.problem;
  }

  /** @param part Rejects while its part of the storage cannot be written to. */
  writesAgainWith(part: Part): void {
    this.parts.push(part);
  }

  look(): Promise<UserError | undefined> {
    return this.mutex.run(async () => {
      if (this.isUnwritable && this.isLeftAlone) return this.problem;
      const { refused } = this;
      try {
        if (this.isUnwritable) await this.writesAgain();
        // What was refused meanwhile knows better.
        if ((await this.hasRoom()) && refused === this.refused) this.isWell();
        else this.lookLater();
      } catch (error) {
        // A quota shows only when something is written.
        if (isRoomless(error)) this.isShort(messageOf(error));
        else this.cannotWrite(error);
        this.lookLater();
      }
      return this.problem;
    });
  }

  refuse(cause: unknown): UserError {
    this.refused += 1;
    return this.cannotWrite(cause);
  }

  makeRoom(): Promise<boolean> {
    return this.mutex.run(async () => {
      if (this.isUnwritable) return false;
      this.isShort('a write found no room');
      return this.reserve.release().catch(() => false);
    });
  }

  dispose(): void {
    this.ended = true;
    this.timer.dispose();
    this.changed.dispose();
  }

  private get isUnwritable(): boolean {
    return this.problem?.code === 'storage-unwritable';
  }

  /** Has every part look for what it was promised, and writes as much as must be kept. @throws what stands in the way. */
  private async writesAgain(): Promise<void> {
    // The lock is on another one then, and somebody else may own this one.
    if ((await placeOf(this.options.storage)) !== this.place)
      throw new Error('another file system is there now; end Airlock and start it again');
    for (const bringBack of this.parts) await bringBack();
    await this.reserve.prove();
  }

  private async hasRoom(): Promise<boolean> {
    const { freeBytes } = await spaceOf(this.options.storage);
    const missingBytes = await this.reserve.missingBytes();
    // Twice as much is asked for before it goes on, so that it does not stop again at once.
    const neededBytes = missingBytes + this.sizes.lowBytes * (this.problem === undefined ? 1 : 2);
    if (freeBytes < neededBytes) {
      this.isShort(`${describe(freeBytes)} free, ${describe(neededBytes)} needed`);
      return false;
    }
    if (missingBytes > 0) await this.reserve.fill();
    return true;
  }

  private isWell(): void {
    if (this.problem === undefined) return;
    const { storage, clock, logger } = this.options;
    if (this.isUnwritable) this.writesAgainSinceMs = clock.monotonicMs();
    this.timer.dispose();
    logger.info('The storage takes everything again', { storage });
    this.set(undefined);
  }

  private isShort(detail: string): void {
    if (this.problem?.code === 'disk-full') return;
    const { storage } = this.options;
    this.waitMs = lookAgainMs;
    this.say(
      new UserError(
        'disk-full',
        `The disk that holds ${storage} is full (${detail}). Nothing is lost, and nothing new is begun; free some space and it goes on by itself.`,
        { storage },
      ),
    );
  }

  private cannotWrite(cause: unknown): UserError {
    if (this.problem?.code === 'storage-unwritable') return this.problem;
    const { storage, clock } = this.options;
    const isRelapse = clock.monotonicMs() - this.writesAgainSinceMs < relapseMs;
    this.waitMs = isRelapse ? Math.min(this.waitMs * 2, maxLookAgainMs) : lookAgainMs;
    return this.say(
      new UserError(
        'storage-unwritable',
        `Nothing can be written to the storage folder ${storage} (${wordsOf(cause)}). What was kept is safe, what runs is interrupted, ` +
          'and nothing new is begun. Let it take writes again (`dmesg` may say what its disk has), and all goes on by itself; ' +
          'end Airlock first if it must be unmounted for that.',
        { storage, code: systemCodeOf(cause) },
        { cause },
      ),
    );
  }

  private lookLater(): void {
    if (this.ended || this.problem === undefined) return;
    this.isLeftAlone = true;
    this.timer.dispose();
    this.timer = this.options.clock.setTimer(this.waitMs, () => {
      this.isLeftAlone = false;
      void this.look();
    });
  }

  private say(problem: UserError): UserError {
    this.options.logger.warn(problem.message);
    this.set(problem);
    this.lookLater();
    return problem;
  }

  private set(problem: UserError | undefined): void {
    this.problem = problem;
    this.changed.fire();
  }
}

/** Without what was being done to which file: it is the whole folder that matters. */
function wordsOf(cause: unknown): string {
  const words = messageOf(cause);
  return systemCodeOf(cause) === undefined ? words : (words.split(', ', 1)[0] ?? words);
}

function isRoomless(error: unknown): boolean {
  return isDiskFull(error) || (error instanceof UserError && error.code === 'disk-full');
}

/** Where a folder really is. The lock keeps its file system in use, so that nobody else gets the same. */
async function placeOf(folder: string): Promise<string> {
  const { dev, ino } = await stat(folder);
  return `${dev} ${ino}`;
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
