import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { AirlockEvent } from '../../../src/core/events';
import { openJournal, type OpenJournalOptions } from '../../../src/store/journal';
import type { JournalWriter } from '../../../src/store/journalWriter';
import { FakeClock } from '../../fakes/clock';

export interface OpenForTest {
  readonly journal: JournalWriter;
  readonly notes: readonly string[];
  /** What was there already. */
  readonly replayed: readonly AirlockEvent[];
  /** What was appended since, in the order in which it became durable. */
  readonly followed: readonly AirlockEvent[];
}

/** Opens the journal in a folder as the store does. */
export async function openForTest(folder: string, options: Partial<OpenJournalOptions> = {}): Promise<OpenForTest> {
  const replayed: AirlockEvent[] = [];
  const followed: AirlockEvent[] = [];
  const { journal, notes } = await openJournal({
    folder,
    clock: new FakeClock(),
    onReplay: (events) => replayed.push(...events),
    onDurable: (events) => followed.push(...events),
    ...options,
  });
  return { journal, notes, replayed, followed };
}

/** What a restart finds: opens, closes, and says what was there. */
export async function reopen(folder: string, options: Partial<OpenJournalOptions> = {}): Promise<OpenForTest> {
  const opened = await openForTest(folder, options);
  await opened.journal.close();
  return opened;
}

export function firstSegment(folder: string): string {
  return path.join(folder, '000001.jsonl');
}

export async function linesOf(folder: string): Promise<string[]> {
  return (await readFile(firstSegment(folder), 'utf8')).split('\n').slice(0, -1);
}
