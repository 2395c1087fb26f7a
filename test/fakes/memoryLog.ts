import { sha256 } from '../../src/base/digest';
import { Emitter } from '../../src/base/emitter';
import type { UserError } from '../../src/base/errors';
import { Mutex } from '../../src/base/mutex';
import type { Clock } from '../../src/base/clock';
import type { BlobStore, BlobSweep } from '../../src/core/blobs';
import { currentVersion, type AirlockEvent, type EventBody } from '../../src/core/events';
import { applyEvent } from '../../src/core/fold';
import type { EventLog } from '../../src/core/journal';
import { emptyState } from '../../src/core/liveState';
import type { StorageRoom } from '../../src/core/storageRoom';

/** An event log that keeps everything in memory, for tests of what decides and not of what keeps. */
export class MemoryLog implements EventLog {
  readonly state = emptyState();
  readonly events: AirlockEvent[] = [];
  /** When set, the next append fails with it. */
  failNext: Error | undefined;
  /** While it is set, every append fails with it. */
  dead: Error | undefined;
  private readonly emitter = new Emitter<readonly AirlockEvent[]>();
  readonly onDidAppend = this.emitter.event;
  private readonly mutex = new Mutex();

  constructor(private readonly clock: Clock) {}

  append(bodies: readonly EventBody[]): Promise<readonly AirlockEvent[]> {
    return this.mutex.run(async () => {
      const failure = this.dead ?? this.failNext;
      this.failNext = undefined;
      if (failure) throw failure;
      const appended = bodies.map((body, index): AirlockEvent => ({
        ...body,
        seq: this.events.length + 1 + index,
        atMs: this.clock.nowMs(),
        v: currentVersion(body.kind),
      }));
      this.events.push(...appended);
      for (const event of appended) applyEvent(this.state, event);
      this.emitter.fire(appended);
      return appended;
    });
  }

  /** The kinds of what was appended, for comparing a course of events as a whole. */
  get kinds(): string[] {
    return this.events.map((event) => event.kind);
  }
}

export class MemoryBlobs implements BlobStore {
  private readonly blobs = new Map<string, Uint8Array>();

  async put(bytes: Uint8Array | string): Promise<string> {
    const digest = sha256(bytes);
    this.blobs.set(digest, typeof bytes === 'string' ? Buffer.from(bytes) : bytes);
    return digest;
  }

  async get(digest: string): Promise<Uint8Array | undefined> {
    return this.blobs.get(digest);
  }

  /** It knows no times: all are old enough. */
  async sweep({ isNeeded, dryRun }: BlobSweep): Promise<{ readonly count: number; readonly bytes: number }> {
    const swept = [...this.blobs].filter(([digest]) => !isNeeded(digest));
    if (!dryRun) for (const [digest] of swept) this.blobs.delete(digest);
    return { count: swept.length, bytes: swept.reduce((sum, [, { length }]) => sum + length, 0) };
  }
}

/** A disk that is as the test says. */
export class PaperRoom implements StorageRoom {
  shortage: UserError | undefined;
  private readonly changed = new Emitter<void>();
  readonly onDidChange = this.changed.event;

  look(): Promise<UserError | undefined> {
    return Promise.resolve(this.shortage);
  }

  become(shortage: UserError | undefined): void {
    this.shortage = shortage;
    this.changed.fire();
  }
}

/** A disk with room. */
export const enoughRoom: StorageRoom = new PaperRoom();
