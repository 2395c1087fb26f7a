import type { OfferedTask } from './source';

/**
 * What is on offer, each task behind those of the same offer that it depends on, and otherwise in the offer's order: a
 * dependency can only be named when it is queued already. In a ring, the task that the offer has first comes last.
 */
export function dependenciesFirst(tasks: readonly OfferedTask[]): OfferedTask[] {
  const byId = new Map(tasks.map((task) => [task.externalId, task]));
  const seen = new Set<string>();
  const ordered: OfferedTask[] = [];
  // A stack of our own: a chain of dependencies may be as long as the offer.
  const pending: { readonly task: OfferedTask; readonly isDone: boolean }[] = tasks
    .toReversed()
    .map((task) => ({ task, isDone: false }));
  for (let next = pending.pop(); next; next = pending.pop()) {
    const { task, isDone } = next;
    if (isDone) ordered.push(task);
    if (isDone || seen.has(task.externalId)) continue;
    seen.add(task.externalId);
    pending.push({ task, isDone: true });
    for (const id of (task.dependsOnExternal ?? []).toReversed()) {
      const dependency = byId.get(id);
      if (dependency && !seen.has(id)) pending.push({ task: dependency, isDone: false });
    }
  }
  return ordered;
}
