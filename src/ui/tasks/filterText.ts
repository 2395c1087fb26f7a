import { makeVisible } from '../../base/visible';
import type { RunState, TaskState } from '../../core/liveState';
import { branchName, statusWord } from './taskWords';

/** Words that must all be found, in any order and in upper or lower case. */
export type FilterWords = readonly string[];

export function filterWords(text: string): FilterWords {
  return [...new Set(text.toLowerCase().split(/\s+/))].filter((word) => word !== '');
}

/** @param text In lower case. */
export function hasWords(words: FilterWords, text: string): boolean {
  return words.every((word) => text.includes(word));
}

/** What a task is found by beside its prompt, in lower case: title, ids, source, persona, status, priority, repository and branch. */
export function searchText(task: TaskState, run: RunState | undefined): string {
  const { title, origin, persona, priority, repo } = task.spec;
  const parts = [
    makeVisible(title),
    task.id,
    origin.sourceId,
    origin.externalId,
    persona ?? run?.persona ?? '',
    task.status,
    statusWord(task),
    `P${priority}`,
    run?.repo ?? repo ?? '',
    run?.branch ? branchName(run.branch) : '',
  ];
  return parts.join('\n').toLowerCase();
}
