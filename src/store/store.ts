import path from 'node:path';
import type { Clock } from '../base/clock';
import type { Disposable } from '../base/disposable';
import type { Event } from '../base/emitter';
import type { Logger } from '../base/logger';
import type { BlobStore } from '../core/blobs';
import type { AirlockEvent } from '../core/events';
import type { History } from '../core/history';
import type { Journal } from '../core/journal';
import { emptyState, type LiveState } from '../core/liveState';
import type { SecretSlot } from '../core/secretSlot';
import type { StorageRoom } from '../core/storageRoom';
import { openBlobFolder } from './blobFolder';
import { WorkerHistory, type WorkerProgram } from './history/workerHistory';
import { openJournal } from './journal';
import { JournalAnchors } from './journalAnchors';
import type { OpenJournalFile } from './journalFile';
import type { Keep } from './keep';
import { LiveFold } from './liveFold';
import { RoomKeeper } from './roomKeeper';
import { defaultSegmentLimits, SegmentRetention } from './segmentRetention';
import { readNewestSnapshot } from './snapshotFiles';
import { SnapshotKeeper } from './snapshotKeeper';

export interface OpenStoreOptions {
  /** The storage folder. Who opens it owns it (`acquireOwnership`). */
  readonly storage: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A snapshot is written after so many events; 10,000 are replayed in about a tenth of a second. */
  readonly eventsBetweenSnapshots?: number;
  readonly keep?: Keep | undefined;
  /** Where the key is with which heads of the journal are anchored. Absent: none are. */
  readonly anchorSlot?: SecretSlot | undefined;
  /** Told when the journal is not what was anchored: somebody cut it back, rewrote it, or put an older copy there. */
  readonly onBrokenAnchor?: ((message: string) => void) | undefined;
  /** As in `OpenJournalOptions`. */
  readonly maxSegmentBytes?: number;
  readonly databaseWorker?: WorkerProgram;
  /** What tests put in place of real files. */
  readonly openFile?: OpenJournalFile;
}

/** Everything that is kept: the journal, the state that is folded from it, blobs and history. */
export interface Store {
  readonly journal: Journal;
  /** Every event is in it before its append resolves. Whoever reads it must not change it. */
  readonly state: LiveState;
  /** The events of each append, after they were applied to `state` and before the append resolves. */
  readonly onDidAppend: Event<readonly AirlockEvent[]>;
  readonly blobs: BlobStore;
  readonly history: History;
  readonly room: StorageRoom;
  /** What the user is to be told about what was found at the start. */
  readonly notes: readonly string[];
  /** Writes what waits and a snapshot, and closes the files. Doing it again does nothing. */
  close(): Promise<void>;
}

const defaultEventsBetweenSnapshots = 10_000;

/**
 * Opens what is in a storage folder: the newest good snapshot, the events after it, and the rest beside it.
 * @throws {UserError} `journal-corrupt`, `journal-newer`: nothing was changed. `disk-full`.
 */
export async function openStore(options: OpenStoreOptions): Promise<Store> {
  const { storage, clock, logger } = options;
  const inStorage = (name: string): string => path.join(storage, name);
  const { snapshot, notes } = await readNewestSnapshot(inStorage('snapshots'));
  const room = await RoomKeeper.open({ storage, clock, logger });
  const blobs = await openBlobFolder(inStorage('blobs'), room);
  const fold = new LiveFold(snapshot?.state ?? emptyState(), logger);
  const opened = await openJournal({
    folder: inStorage('journal'),
    clock,
    openFile: options.openFile,
    maxSegmentBytes: options.maxSegmentBytes,
    from: snapshot?.position,
    onReplay: (events) => fold.replay(events),
    onDurable: (events) => fold.follow(events),
    failures: room,
  });
  const { journal } = opened;
  room.writesAgainWith(() => journal.bringBack());
  const anchors = new JournalAnchors({
    storage,
    slot: options.anchorSlot,
    clock,
    logger,
    onBroken: options.onBrokenAnchor ?? ((message) => logger.warn(message)),
  });
  anchors.check(journal.position);
  const snapshots = new SnapshotKeeper({
    folder: inStorage('snapshots'),
    state: fold.state,
    position: () => journal.position,
    lastSeq: snapshot?.position.seq ?? 0,
    eventsBetween: options.eventsBetweenSnapshots ?? defaultEventsBetweenSnapshots,
    logger,
    onDidWrite: (position) => {
      anchors.anchor(position);
      retention.consider();
    },
  });
  fold.onDidAppend(() => snapshots.consider());
  const history = new WorkerHistory({
    file: inStorage('history.sqlite'),
    journalFolder: inStorage('journal'),
    durableSeq: () => journal.position.seq,
    clock,
    logger,
    keepRawMs: options.keep?.rawMs,
    program: options.databaseWorker,
  });
  const retention = new SegmentRetention({
    journal: inStorage('journal'),
    snapshots: inStorage('snapshots'),
    limits: options.keep?.segments ?? defaultSegmentLimits,
    takeIn: (throughSeq) => history.takeIn(throughSeq),
    clock,
    logger,
  });
  retention.consider();
  let closing: Promise<void> | undefined;
  return {
    journal,
    state: fold.state,
    onDidAppend: fold.onDidAppend,
    blobs,
    history,
    room,
    notes: [...notes, ...opened.notes],
    close: () =>
      (closing ??= closeAll(
        [
          () => journal.close(),
          () => snapshots.finish(),
          () => anchors.finish(journal.position),
          () => retention.finish(),
          () => history.close(),
        ],
        [room, fold],
      )),
  };
}

async function closeAll(parts: readonly (() => Promise<void>)[], disposables: readonly Disposable[]): Promise<void> {
  const failures: unknown[] = [];
  for (const close of parts) await close().catch((error: unknown) => failures.push(error));
  for (const disposable of disposables) disposable.dispose();
  if (failures.length > 0) throw new AggregateError(failures, 'The store could not be closed in order');
}
