import type { LiveState, TaskState } from './liveState';

/**
 * The tasks that came from a source, ended ones too, in the order in which they were queued. A source that has no memory of
 * its own reads here what it has delivered already: it is durable, because it is a fold of the journal.
 */
export type KnownTasks = (sourceId: string) => readonly TaskState[];

export function knownTasksOf(state: LiveState): KnownTasks {
  return (sourceId) => [...state.tasks.values()].filter((task) => task.spec.origin.sourceId === sourceId);
}
