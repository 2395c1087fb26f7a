// A process of its own that appends to a journal as fast as it can, from several callers at once, and says the number of
// each event once its append has resolved.
import { writeSync } from 'node:fs';
import { systemClock } from '../../../src/base/clock';
import { openJournal } from '../../../src/store/journal';

const [folder = ''] = process.argv.slice(2);

async function appendForEver(): Promise<void> {
  const { journal } = await openJournal({ folder, clock: systemClock, onReplay: () => {}, onDurable: () => {} });
  const callers = Array.from({ length: 8 }, async (_, caller) => {
    for (;;) {
      const group = Array.from(
        { length: 1 + caller },
        () => ({ kind: 'task.accepting', taskId: `task-${caller}` }) as const,
      );
      const events = await journal.append(group);
      writeSync(1, `${events.map((event) => event.seq).join(' ')}\n`);
    }
  });
  await Promise.all(callers);
}

void appendForEver();
