import { UserError } from '../../base/errors';
import { defaultPriority } from '../../core/task';
import type { TaskRow } from './taskTable';

/** Which rows of a table may be taken, by their IDs and priorities. */
export interface RowChoice {
  accepts(row: TaskRow): boolean;
}

/** None is taken by itself: those that the user queues. */
export const noRows: RowChoice = { accepts: () => false };

/**
 * Reads `all`, or a list of IDs and priorities such as `P0,P1,T-17`.
 * @throws {UserError} `rows-invalid` when the list is empty.
 */
export function parseRowChoice(text: string): RowChoice {
  const words = text.split(/[\s,;]+/).filter((word) => word !== '');
  if (words.length === 0)
    throw new UserError('rows-invalid', 'No rows are named. Say all, or priorities and IDs such as P0,P1,T-17.');
  if (words.some((word) => word.toLowerCase() === 'all')) return { accepts: () => true };
  const ids = new Set(words);
  const priorities = new Set(words.map((word) => word.toUpperCase()));
  return { accepts: (row) => ids.has(row.id) || priorities.has(`P${row.priority ?? defaultPriority}`) };
}
