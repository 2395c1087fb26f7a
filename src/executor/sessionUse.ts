import type { SessionUse } from '../core/sessionUse';
import type { ExecutorPorts } from './ports';

/** What each living session uses now. One whose processes are gone is left out. */
export function useOfSessions({
  events,
  sessions,
  clock,
}: Pick<ExecutorPorts, 'events' | 'sessions' | 'clock'>): SessionUse[] {
  return [...events.state.sessions.values()].flatMap(({ id, process }) => {
    const use = sessions.use(process);
    return use ? [{ sessionId: id, ...use, monotonicMs: clock.monotonicMs() }] : [];
  });
}
