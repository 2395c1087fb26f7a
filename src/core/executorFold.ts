import { foldBudget, settleAll } from './budgetFold';
import type { AirlockEvent } from './events';
import type { LiveState } from './liveState';

/** Applies an event about the executor itself, its queue, its budget or its sources. */
export function foldExecutor(state: LiveState, event: AirlockEvent): void {
  switch (event.kind) {
    case 'executor.started':
      state.executorId = event.executorId;
      // Whatever lived in the process before is gone with it.
      state.sources.clear();
      state.holds.clear();
      for (const task of state.tasks.values()) delete task.landingWaits;
      settleAll(state);
      for (const id of event.sources) state.sources.set(id, { healthy: true, looked: false, message: '' });
      return;
    case 'executor.stopped':
      state.executorId = null;
      return;
    case 'queue.changed':
      state.queueMode = event.mode;
      return;
    case 'source.added':
      state.sources.set(event.sourceId, { healthy: true, looked: false, message: '' });
      return;
    case 'source.removed':
      state.sources.delete(event.sourceId);
      return;
    case 'source.paused':
      if (event.paused) state.pausedSources.add(event.sourceId);
      else state.pausedSources.delete(event.sourceId);
      return;
    case 'queue.held':
      if (event.reason === null) state.holds.delete(event.cause);
      else state.holds.set(event.cause, event.reason);
      if (event.cause === 'budget') foldBudget(state, event);
      return;
    case 'budget.limited':
    case 'budget.alert':
      foldBudget(state, event);
      return;
    case 'source.changed':
      state.sources.set(event.sourceId, { healthy: event.healthy, looked: true, message: event.message });
      return;
    default:
      return;
  }
}
