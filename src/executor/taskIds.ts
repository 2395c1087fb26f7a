import { sha256 } from '../base/digest';
import type { TaskOrigin } from '../core/task';

/**
 * The id of a task of a source: its own id where that is safe in a branch and a file name, and otherwise what is safe of it
 * with a part of its digest, so that two different ids never meet.
 */
export function taskIdFor(origin: TaskOrigin): string {
  const plain = origin.externalId.toLowerCase();
  const safe = plain
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 40)
    .replace(/-+$/, '');
  if (safe === origin.externalId) return safe;
  const digest = sha256(originKey(origin)).slice(0, 8);
  return safe === '' ? `task-${digest}` : `${safe}-${digest}`;
}

/** One string for source and id together. */
export function originKey(origin: TaskOrigin): string {
  return `${origin.sourceId}\n${origin.externalId}`;
}
