import { mayForget, neededBlobs, type DataDeletion, type DeletedData } from '../core/dataDeletion';
import type { TaskId } from '../core/ids';
import type { PastSession } from '../core/pastSession';
import type { ExecutorPorts } from './ports';
import type { SessionArchive } from './sessionArchive';

/** What was written so shortly before is left alone: the event that names it may be on its way. */
const settledMs = 60_000;

/**
 * Deletes what tasks that are over have left of private things: prompts, conversations, outputs, recordings, and what engines and
 * sources keep on this machine. The journal stays whole, for it only names them.
 */
export class DataRemoval {
  constructor(
    private readonly ports: Pick<
      ExecutorPorts,
      'events' | 'blobs' | 'engine' | 'engines' | 'sources' | 'clock' | 'logger'
    >,
    private readonly archive: Pick<SessionArchive, 'delete'>,
  ) {}

  async remove({ olderThanMs, dryRun }: DataDeletion): Promise<DeletedData> {
    const { blobs, clock, events } = this.ports;
    const nowMs = clock.nowMs();
    const beforeMs = nowMs - olderThanMs;
    const forgotten = this.forgotten(beforeMs);
    const sessions = this.sessionsOf(forgotten, beforeMs);
    // What is deleted may be gone before the journal could say so afterwards.
    if (!dryRun) await events.append([{ kind: 'data.deleted', beforeMs }]);
    const needed = neededBlobs(events.state, forgotten);
    const texts = await blobs.sweep({
      isNeeded: (digest) => needed.has(digest),
      beforeMs: Math.min(beforeMs, nowMs - settledMs),
      dryRun,
    });
    if (!dryRun) {
      for (const { id } of sessions) await this.archive.delete(id);
      for (const engine of [this.ports.engine, ...(this.ports.engines ?? [])]) engine.forget?.();
      for (const source of this.ports.sources) await source.forget?.(beforeMs);
      this.ports.logger.info('Private data was deleted', { texts: texts.count, recordings: sessions.length });
    }
    return { tasks: forgotten.size, texts: texts.count, bytes: texts.bytes, recordings: sessions.length };
  }

  private forgotten(beforeMs: number): ReadonlySet<TaskId> {
    const { tasks } = this.ports.events.state;
    return new Set([...tasks.values()].filter((task) => mayForget(task, beforeMs)).map(({ id }) => id));
  }

  private sessionsOf(forgotten: ReadonlySet<TaskId>, beforeMs: number): PastSession[] {
    const { pastSessions, tasks } = this.ports.events.state;
    return [...pastSessions.values()].filter(
      ({ taskId, closedAtMs }) =>
        closedAtMs <= beforeMs && (taskId === null || forgotten.has(taskId) || !tasks.has(taskId)),
    );
  }
}
