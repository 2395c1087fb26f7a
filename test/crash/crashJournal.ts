import path from 'node:path';
import type { AirlockEvent } from '../../src/core/events';
import { journalBeginning } from '../../src/store/droppedSegments';
import { readJournal } from '../../src/store/journalReader';

/** Every event that became durable, in order. @throws when the journal is damaged. */
export async function readEvents(storage: string): Promise<AirlockEvent[]> {
  const events: AirlockEvent[] = [];
  const folder = path.join(storage, 'journal');
  await readJournal({
    folder,
    from: await journalBeginning(folder),
    onGroup: (group) => {
      events.push(...group);
      return true;
    },
  });
  return events;
}

/** What the journal says about each answer of the model: in which process it was recorded. */
export interface RecordedAnswers {
  /** The process that recorded the task's answer at that place; `undefined` when none has. */
  recordedBy(taskId: string, place: number): number | undefined;
}

export function recordedAnswers(events: readonly AirlockEvent[]): RecordedAnswers {
  const tasks = new Map<string, string>();
  const places = new Map<string, number>();
  const recorders = new Map<string, number>();
  let pid = 0;
  for (const event of events) {
    if (event.kind === 'executor.started') pid = event.process.pid;
    if (event.kind === 'run.started') tasks.set(event.runId, event.taskId);
    if (event.kind !== 'message.recorded' || event.role !== 'assistant') continue;
    const taskId = tasks.get(event.runId) ?? '';
    const place = places.get(event.runId) ?? 0;
    places.set(event.runId, place + 1);
    recorders.set(`${taskId}/${place}`, pid);
  }
  return { recordedBy: (taskId, place) => recorders.get(`${taskId}/${place}`) };
}

/** How often something happened for each task. */
export function countByTask(events: readonly AirlockEvent[], kind: AirlockEvent['kind']): Map<string, number> {
  const counts = new Map<string, number>();
  for (const event of events) {
    if (event.kind !== kind || !('taskId' in event)) continue;
    counts.set(event.taskId, (counts.get(event.taskId) ?? 0) + 1);
  }
  return counts;
}

/** Calls of `echo N >> log.txt`: by task and N, whether the journal has them finished well. */
export function finishedLines(events: readonly AirlockEvent[]): Map<string, boolean> {
  const tasks = new Map<string, string>();
  const called = new Map<string, string>();
  const finished = new Map<string, boolean>();
  for (const event of events) {
    if (event.kind === 'run.started') tasks.set(event.runId, event.taskId);
    if (event.kind === 'tool.called') {
      const line = /^\$ echo (\d+) >> log\.txt$/.exec(event.summary)?.[1];
      if (line !== undefined) called.set(`${event.runId}/${event.callId}`, `${tasks.get(event.runId)}/${line}`);
    }
    if (event.kind === 'tool.finished') {
      const line = called.get(`${event.runId}/${event.callId}`);
      if (line !== undefined) finished.set(line, event.ok);
    }
  }
  return finished;
}
