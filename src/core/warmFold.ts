import type { AirlockEvent } from './events';
import type { LiveState } from './liveState';

type WarmEvent = Extract<AirlockEvent, { kind: 'session.warming' | 'session.warmed' | 'session.discarded' }>;

/** Sessions that are prepared ahead. They leave by `session.discarded`, or with the start of the run whose id they have. */
export function foldWarm(state: LiveState, event: WarmEvent): void {
  const { runId } = event;
  switch (event.kind) {
    case 'session.warming':
      // A run that has begun is never one that waits.
      if (state.runs.has(runId)) return;
      state.warm.set(runId, { runId, repo: event.repo, sessionId: null, process: null, sinceMs: event.atMs });
      return;
    case 'session.warmed': {
      const warm = state.warm.get(runId);
      if (warm) state.warm.set(runId, { ...warm, sessionId: event.sessionId, process: event.process });
      return;
    }
    case 'session.discarded':
      state.warm.delete(runId);
      return;
  }
}
