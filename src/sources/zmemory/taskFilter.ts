import { defaultPriority, type Priority } from '../../core/task';
import { readPersona, readPriority } from './context';

/** Which of a server's tasks are for this executor; the others stay on offer for somebody else. Absent: whichever. */
export interface TaskFilter {
  /** Names of repositories, as tasks have them in `context.repo`. */
  readonly repos?: readonly string[] | undefined;
  readonly personas?: readonly string[] | undefined;
  /** A task without a priority that is understood has 2. */
  readonly priorities?: readonly Priority[] | undefined;
}

/** Whether a task with this context gets through. Whatever is said must fit; a task that does not say is none of those. */
export function passesFilter(filter: TaskFilter, context: Readonly<Record<string, unknown>>): boolean {
  const { repos, personas, priorities } = filter;
  const repo = context['repo'];
  const persona = readPersona(context['persona']);
  return (
    (repos === undefined || (typeof repo === 'string' && repos.includes(repo))) &&
    (personas === undefined || (persona !== undefined && personas.includes(persona))) &&
    (priorities === undefined || priorities.includes(readPriority(context['priority']) ?? defaultPriority))
  );
}
