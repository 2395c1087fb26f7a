import { z } from 'zod';
import { defaultPriority, prioritySchema } from '../../core/task';
import { readPersona, readPriority } from './context';

/** Which of a server's tasks are for this executor; the others stay on offer for somebody else. Absent: whichever. */
export const taskFilterSchema = z.strictObject({
  /** Names of repositories, as tasks have them in `context.repo`. */
  repos: z.array(z.string().min(1).max(1000)).optional(),
  personas: z.array(z.string().min(1).max(100)).optional(),
  /** 0 to 3. A task without a priority that is understood has 2. */
  priorities: z.array(prioritySchema).optional(),
});
export type TaskFilter = z.infer<typeof taskFilterSchema>;

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
