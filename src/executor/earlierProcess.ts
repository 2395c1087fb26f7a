import { runOf } from '../core/liveState';
import type { ProcessIdentity } from '../core/session';
import { budgetAtStart } from './budgetWatch';
import type { ExecutorPorts, ExecutorSettings } from './ports';
import { needsWord } from './userQuestions';

/** Who takes over. */
export interface ExecutorSelf {
  readonly id: string;
  readonly process: ProcessIdentity;
  readonly version: string;
}

/**
 * Ends processes that an earlier executor left, and puts its runs back into the queue, where they go on. So does what waits
 * for the user, who may have seen to it meanwhile: what has not changed waits again.
 */
export async function takeOverFromEarlierProcess(
  ports: ExecutorPorts,
  settings: ExecutorSettings,
  self: ExecutorSelf,
): Promise<void> {
  const { events, sessions, logger } = ports;
  const { state } = events;
  for (const session of [...state.sessions.values()]) {
    const wasAlive = await sessions.endOrphan(session.process);
    if (wasAlive)
      logger.warn('A session of an earlier process was still alive and was ended', { sessionId: session.id });
    await events.append([
      {
        kind: 'session.closed',
        sessionId: session.id,
        reason: 'Airlock ended without closing it: it crashed, was killed, or the machine went down.',
        breach: null,
      },
    ]);
  }
  // What they waited in is deleted later: nobody waits for that.
  for (const { process } of state.warm.values()) if (process) await sessions.endOrphan(process);
  const tasks = [...state.tasks.values()];
  const left = tasks.filter(({ status }) => status === 'running');
  const waiting = tasks.filter(
    (task) =>
      !task.paused && (task.waitingOn === 'user' || task.waitingOn === 'lane') && !needsWord(runOf(state, task)),
  );
  const limits = { ...settings.budget, perRunUsd: settings.maxCostUsd };
  await events.append([
    {
      kind: 'executor.started',
      executorId: self.id,
      process: self.process,
      version: self.version,
      sources: ports.sources.map((source) => source.id),
    },
    ...left.map(
      ({ id }) =>
        ({
          kind: 'task.requeued',
          taskId: id,
          reason: 'It was interrupted and goes on where it was.',
          notBeforeMs: 0,
        }) as const,
    ),
    ...waiting.map(({ id }) => ({ kind: 'task.requeued', taskId: id, reason: '', notBeforeMs: 0 }) as const),
    ...budgetAtStart(state, limits, ports.priceList, ports.clock.nowMs()),
  ]);
}
