// A process of its own that uses a store as a busy executor does, with segments and snapshots so small that all that is done now and
// then is done all the time: snapshots, rotation, anchors, dropping of old segments, the history. It says each task once it is durable.
import { writeSync } from 'node:fs';
import path from 'node:path';
import { systemClock } from '../../src/base/clock';
import { silentLogger } from '../../src/base/logger';
import { fileSlot } from '../../src/cli/anchorSlot';
import { openStore } from '../../src/store/store';
import { ended, queued } from './storeEvents';
import { operations } from './killingFiles';

const [storage = '', slotFile = '', from = '0', count = '10'] = process.argv.slice(2);

function say(message: object): void {
  writeSync(1, `${JSON.stringify(message)}\n`);
}

async function use(): Promise<void> {
  const store = await openStore({
    storage,
    clock: systemClock,
    logger: { ...silentLogger, warn: (message, facts) => say({ warning: message, ...facts }) },
    maxSegmentBytes: 2500,
    eventsBetweenSnapshots: 4,
    keep: { segments: { keepMs: null, maxBytes: 6000 } },
    anchorSlot: fileSlot(slotFile),
    onBrokenAnchor: (message) => say({ broken: message }),
    databaseWorker: { entry: path.join(__dirname, 'databaseWorker.js') },
  });
  for (const note of store.notes) say({ note });
  for (let number = Number(from); number < Number(from) + Number(count); number += 1) {
    const name = `task-${number}`;
    await store.blobs.put(`the prompt of ${name}`);
    await store.journal.append([queued(name)]);
    await store.journal.append([ended(name)]);
    say({ task: name });
  }
  await store.close();
  say({ operations: operations() });
}

use().catch((error: unknown) => {
  say({ failed: String(error) });
  process.exit(1);
});
