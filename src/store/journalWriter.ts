import type { Clock } from '../base/clock';
import { messageOf, UserError } from '../base/errors';
import { type AirlockEvent, currentVersion, type EventBody, eventBodySchema } from '../core/events';
import type { Journal } from '../core/journal';
import { diskFull, isDiskFull } from '../base/durableFile';
import type { JournalFile, OpenJournalFile } from './journalFile';
import { encodeCommit, encodeEvent, hashOf } from './journalLine';
import { isAnchored, type JournalPosition } from './journalPosition';
import { createSegment, segmentFile } from './segments';
import type { WriteFailures } from './writeFailures';

export interface JournalWriterOptions {
  /** The folder with the segments. */
  readonly folder: string;
  /** Where the last segment ends: behind its last commit line, everything before it durable. */
  readonly position: JournalPosition;
  /** A segment that has become so long is followed by a new one. Absent: 16 MiB. */
  readonly maxSegmentBytes?: number | undefined;
  readonly clock: Clock;
  readonly openFile: OpenJournalFile;
  /** Called with the events of each append once they are durable and before the append resolves, in order. Never throws. */
  readonly onDurable: (events: readonly AirlockEvent[]) => void;
  /** Absent: no room is made, and what failed is refused with `journal-failed`. */
  readonly failures?: WriteFailures | undefined;
}

/** Read in about half a second, and small enough to be copied or looked at by itself. */
const defaultMaxSegmentBytes = 16 * 1024 ** 2;

interface Waiting {
  readonly bodies: readonly EventBody[];
  readonly atMs: number;
  readonly resolve: (events: readonly AirlockEvent[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * - `open`: appends are taken, until `close()`.
 * - `failed`: the device failed and the file could not be brought back to what was promised; nothing is written until
 *   `bringBack` has done it.
 */
type WriterMode = { readonly kind: 'open' } | { readonly kind: 'failed'; readonly error: UserError };

/** The one writer of the journal: all appends that wait are one write, one commit line and one `fdatasync`. */
export class JournalWriter implements Journal {
  private mode: WriterMode = { kind: 'open' };
  private closed = false;
  private waiting: Waiting[] = [];
  private flushing: Promise<void> | undefined;
  private durable: JournalPosition;

  static async open(options: JournalWriterOptions): Promise<JournalWriter> {
    return new JournalWriter(options, await options.openFile(segmentFile(options.folder, options.position.segment)));
  }

  private constructor(
    private readonly options: JournalWriterOptions,
    private file: JournalFile,
  ) {
    this.durable = options.position;
  }

  /** Behind the last group that is durable. */
  get position(): JournalPosition {
    return this.durable;
  }

  private get path(): string {
    return segmentFile(this.options.folder, this.durable.segment);
  }

  async append(bodies: readonly EventBody[]): Promise<readonly AirlockEvent[]> {
    this.assertOpen();
    // What cannot be read back must not be written: one such line would make the whole journal unreadable.
    // Through JSON, so that the event in memory is to the last detail the one that a replay gives.
    const checked = bodies.map((body) => eventBodySchema.parse(JSON.parse(JSON.stringify(body))));
    if (checked.length === 0) return [];
    return new Promise((resolve, reject) => {
      this.waiting.push({ bodies: checked, atMs: this.options.clock.nowMs(), resolve, reject });
      this.flushing ??= this.flush();
    });
  }

  /**
   * Writes again after the device has failed: in the file as it is there now, once all that was promised was found in it and
   * what was not is cut. Does nothing otherwise. @throws what stands in the way; then nothing was changed.
   */
  async bringBack(): Promise<void> {
    if (this.mode.kind !== 'failed') return;
    await this.reopen();
    if (this.closed) await this.file.close();
    else this.mode = { kind: 'open' };
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.flushing;
    await this.file.close().catch(() => {});
  }

  private assertOpen(): void {
    if (this.mode.kind === 'failed') throw this.mode.error;
    if (this.closed) throw new UserError('journal-closed', 'Airlock is ending; nothing more is written.');
  }

  private async flush(): Promise<void> {
    // Whoever appends in the same turn of the event loop shares the write.
    await Promise.resolve();
    while (this.waiting.length > 0) await this.writeGroup(this.waiting.splice(0));
    this.flushing = undefined;
  }

  private async writeGroup(appends: readonly Waiting[]): Promise<void> {
    try {
      if (this.mode.kind === 'failed') throw this.mode.error;
      const { maxSegmentBytes = defaultMaxSegmentBytes } = this.options;
      if (this.durable.offset >= maxSegmentBytes) await this.withRoom(() => this.beginSegment());
      const group = encodeGroup(appends, this.durable);
      await this.withRoom(() => this.writeDurably(group.bytes));
      this.durable = group.end;
      appends.forEach((append, index) => {
        const events = group.events[index] ?? [];
        this.options.onDurable(events);
        append.resolve(events);
      });
    } catch (error) {
      for (const append of appends) append.reject(error);
    }
  }

  /** The segment before stays as it is. What fails on the way is begun again with the next append, in the same way. */
  private async beginSegment(): Promise<void> {
    const { folder, openFile } = this.options;
    const number = this.durable.segment + 1;
    try {
      const position = await createSegment(folder, number, this.durable);
      const file = await openFile(segmentFile(folder, number));
      await this.file.close().catch(() => {});
      this.file = file;
      this.durable = position;
    } catch (error) {
      throw error instanceof UserError ? error : this.refusal(error, true);
    }
  }

  private async withRoom(write: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await write();
      } catch (error) {
        const isFull = error instanceof UserError && error.code === 'disk-full' && this.mode.kind !== 'failed';
        if (!isFull || !(await this.options.failures?.makeRoom())) throw error;
      }
    }
  }

  private async writeDurably(bytes: Uint8Array): Promise<void> {
    try {
      for (let written = 0; written < bytes.length;) {
        const count = await this.file.write(bytes.subarray(written));
        if (count === 0) throw new Error('The device took no bytes');
        written += count;
      }
    } catch (error) {
      await this.undo(error, () => this.file.truncate(this.durable.offset));
    }
    try {
      await this.file.datasync();
    } catch (error) {
      // After a failed sync the kernel may call dirty pages clean: this descriptor's word is worth nothing any more.
      await this.undo(error, () => this.reopen());
    }
  }

  /**
   * Brings the file back to its last durable byte after a failure, and says what went wrong.
   * @throws {UserError} always.
   */
  private async undo(cause: unknown, bringBack: () => Promise<void>): Promise<never> {
    try {
      await bringBack();
    } catch {
      await this.reopen().catch((error: unknown) => this.fail(error));
    }
    throw isDiskFull(cause) ? diskFull(this.path, cause) : this.refusal(cause, true);
  }

  /** Opens the file anew, looks whether what was promised is there, and cuts what was not. */
  private async reopen(): Promise<void> {
    await this.file.close().catch(() => {});
    this.file = await this.options.openFile(this.path);
    if (!(await isAnchored(this.file, this.durable))) throw new Error('What was written before is no longer there');
    await this.file.truncate(this.durable.offset);
  }

  private fail(cause: unknown): never {
    const error = this.refusal(cause, false);
    this.mode = { kind: 'failed', error };
    throw error;
  }

  private refusal(cause: unknown, recovered: boolean): UserError {
    return this.options.failures?.refuse(cause) ?? this.failure(cause, recovered);
  }

  private failure(cause: unknown, recovered: boolean): UserError {
    const file = this.path;
    return new UserError(
      'journal-failed',
      `The disk failed to keep what was written to ${file} (${messageOf(cause)}). ` +
        (recovered
          ? 'Nothing of it was kept, and everything before it is still there; try again, and look at the disk.'
          : 'Airlock has stopped writing. Look at the disk, then start Airlock again: it goes on from what was kept.'),
      { file, recovered },
      { cause },
    );
  }
}

function encodeGroup(
  appends: readonly Waiting[],
  from: JournalPosition,
): { readonly bytes: Buffer; readonly events: AirlockEvent[][]; readonly end: JournalPosition } {
  let { hash, seq } = from;
  const lines: string[] = [];
  const add = (line: string): void => {
    lines.push(line, '\n');
    hash = hashOf(line);
  };
  const events = appends.map(({ bodies, atMs }) =>
    bodies.map((body): AirlockEvent => {
      seq += 1;
      const event = { seq, atMs, v: currentVersion(body.kind), ...body };
      add(encodeEvent(event, hash));
      return event;
    }),
  );
  add(encodeCommit(seq, seq - from.seq, hash));
  const bytes = Buffer.from(lines.join(''));
  return { bytes, events, end: { ...from, offset: from.offset + bytes.length, hash, seq } };
}
