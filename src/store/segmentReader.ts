import { z } from 'zod';
import { messageOf, UserError } from '../base/errors';
import type { AirlockEvent } from '../core/events';
import { type EventVersions, liftEvent } from './eventLifting';
import { JournalDamage } from './journalDamage';
import { decodeLine, type EventData, hashOf, type JournalLine, journalFormat, NewerFormatError } from './journalLine';
import type { JournalPosition } from './journalPosition';

/** A line as it stands in the file. */
export interface RawLine {
  /** Without the newline. */
  readonly bytes: Buffer;
  /** From the start of the segment. */
  readonly offset: number;
  /** False for what stands behind the last newline of the file. */
  readonly ended: boolean;
}

/** Called with each whole group and the position behind its commit line. Answers false to stop there. */
export type OnGroup = (events: readonly AirlockEvent[], end: JournalPosition) => boolean;

/** A run of zeros as long as this is a block that was never written before the power went, not damage by chance. */
const unwritten = Buffer.alloc(64);

/**
 * Reads one segment line by line and hands out its groups. After the first line that is not whole it looks on, only to
 * tell a group that was never finished (a crash in the middle of a write: its appends were never answered) from damage to
 * what was promised to be kept.
 */
export class SegmentReader {
  stopped = false;
  private hash: string;
  private seq: number;
  private group: { readonly data: EventData; readonly offset: number }[] = [];
  private broken: RawLine | undefined;
  private linesAfterBroken: 'none' | 'commitLast' | 'more' = 'none';

  constructor(
    private readonly file: string,
    /** Behind the last good group. */
    public position: JournalPosition,
    private readonly versions: EventVersions,
    private readonly onGroup: OnGroup,
  ) {
    this.hash = position.hash;
    this.seq = position.seq;
  }

  /** @throws {JournalDamage} @throws {UserError} `journal-newer`. */
  take(raw: RawLine): void {
    if (this.broken) {
      this.lookPast(raw);
      return;
    }
    const line = raw.ended ? this.decode(raw) : undefined;
    if (!line) {
      this.broken = raw;
      return;
    }
    if (line.prev !== this.hash) throw this.damage(raw.offset, 'it does not follow the line before it');
    if ((line.kind === 'header') !== (raw.offset === 0))
      throw this.damage(raw.offset, 'a header is not where it belongs');
    this.hash = hashOf(raw.bytes);
    this.accept(line, raw);
  }

  /**
   * To be called after the last line.
   * @returns Where a group begins that was never finished; `undefined` when the segment ends with a whole group.
   * @throws {JournalDamage} when what is broken was once whole.
   */
  end(): number | undefined {
    const { broken } = this;
    if (!broken) return this.group.length > 0 ? this.position.offset : undefined;
    const hole = broken.bytes.includes(unwritten);
    const wasWhole = broken.ended
      ? // A crash writes the beginning of a group and not its end, or leaves blocks of zeros in it.
        this.linesAfterBroken === 'more' ||
        (this.linesAfterBroken === 'commitLast' && !hole) ||
        (this.group.length > 0 && !hole)
      : // A whole line whose newline has become something else.
        decodeLine(broken.bytes.subarray(0, -1)) !== undefined;
    if (wasWhole || this.position.offset === 0) {
      throw this.damage(broken.offset, 'its checksum does not match: it was changed or damaged after it was written');
    }
    return this.position.offset;
  }

  private lookPast(raw: RawLine): void {
    if (this.linesAfterBroken === 'commitLast') this.linesAfterBroken = 'more';
    else if (raw.ended && this.decode(raw)?.kind === 'commit') this.linesAfterBroken = 'commitLast';
  }

  private decode(raw: RawLine): JournalLine | undefined {
    try {
      return decodeLine(raw.bytes);
    } catch (error) {
      if (!(error instanceof NewerFormatError)) throw error;
      throw new UserError(
        'journal-newer',
        `${this.file} was written by a newer version of Airlock (format ${error.format}, this version knows ` +
          `${journalFormat}). Update Airlock, or use another storage folder. Nothing was changed.`,
        { file: this.file, format: error.format },
      );
    }
  }

  private accept(line: JournalLine, raw: RawLine): void {
    const behind = raw.offset + raw.bytes.length + 1;
    switch (line.kind) {
      case 'header':
        if (line.segment !== this.position.segment || line.firstSeq !== this.seq + 1) {
          throw this.damage(raw.offset, `it is the header of segment ${line.segment}, from event ${line.firstSeq}`);
        }
        this.position = { ...this.position, offset: behind, hash: this.hash };
        return;
      case 'event':
        if (line.data.seq !== this.seq + 1) {
          throw this.damage(raw.offset, `event ${line.data.seq} stands where ${this.seq + 1} belongs`);
        }
        this.seq = line.data.seq;
        this.group.push({ data: line.data, offset: raw.offset });
        return;
      case 'commit':
        if (line.seq !== this.seq || line.events !== this.group.length) {
          throw this.damage(raw.offset, 'it closes another group than the one before it');
        }
        this.position = { ...this.position, offset: behind, hash: this.hash, seq: this.seq };
        this.stopped = !this.onGroup(this.liftGroup(), this.position);
        return;
    }
  }

  private liftGroup(): AirlockEvent[] {
    const group = this.group;
    this.group = [];
    return group.map(({ data, offset }) => {
      try {
        return liftEvent(data, this.versions);
      } catch (error) {
        if (!(error instanceof z.ZodError)) throw error;
        const issue = error.issues[0];
        const where = issue ? `${issue.path.join('.')}: ${issue.message}` : messageOf(error);
        throw this.damage(offset, `it is no ${data.kind} (${where})`, error);
      }
    });
  }

  private damage(offset: number, what: string, cause?: unknown): JournalDamage {
    return new JournalDamage(this.file, offset, what, { cause });
  }
}
