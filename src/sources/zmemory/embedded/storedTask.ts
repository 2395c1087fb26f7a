import { z } from 'zod';
import { UserError } from '../../../base/errors';
import { newId } from '../../../base/ids';
import { completeBodySchema, newTaskBodySchema, type NewTaskBody } from '../wire';

export const storedStatusSchema = z.enum(['pending', 'accepted', 'in_progress', 'completed', 'failed']);
export type StoredStatus = z.infer<typeof storedStatusSchema>;

/** A task as the embedded server keeps it and answers it. */
export const storedTaskSchema = z.object({
  id: z.string(),
  description: z.string(),
  context: z.record(z.string(), z.unknown()),
  status: storedStatusSchema,
  /** Who has it, or whom it is for; `null`: anybody. */
  agent: z.string().nullable(),
  progress: z.number().nullable(),
  created_at: z.string(),
  updated_at: z.string(),
  result: completeBodySchema.shape.result.nullable(),
  error: z.string().nullable(),
  completed_at: z.string().nullable(),
  failed_at: z.string().nullable(),
  /** Contents are files beside, named by their digest. */
  artifacts: z.array(z.object({ name: z.string(), sha256: z.string(), bytes: z.number() })),
});
export type StoredTask = z.infer<typeof storedTaskSchema>;

/** One line of the file: tasks as they are after one change. They count together or not at all. */
export const storedLineSchema = z.object({ v: z.literal(1), tasks: z.array(storedTaskSchema) });

export function isHeld(task: StoredTask): boolean {
  return task.status === 'accepted' || task.status === 'in_progress';
}

/** When it was over, in wall time; `Infinity` while it is not. */
export function endedMs({ completed_at, failed_at }: StoredTask): number {
  const text = completed_at ?? failed_at;
  return text === null ? Infinity : Date.parse(text);
}

/** Without its texts: what is left says that there was such a task, and how it ended. */
export function blanked(task: StoredTask): StoredTask {
  const result = task.result && { ...task.result, response: '', artifacts: [] };
  return { ...task, description: '', context: {}, error: task.error === null ? null : '', result, artifacts: [] };
}

export function isBlank({ description, artifacts, result, error }: StoredTask): boolean {
  return description === '' && artifacts.length === 0 && (result?.response ?? '') === '' && (error ?? '') === '';
}

/** @throws {UserError} `task-invalid`. */
export function newStoredTask(body: NewTaskBody, now: string): StoredTask {
  const parsed = newTaskBodySchema.safeParse(body);
  if (!parsed.success) {
    throw new UserError('task-invalid', `The task cannot be put in: ${z.prettifyError(parsed.error).slice(0, 500)}`);
  }
  const { id, description, context, agent } = parsed.data;
  return {
    id: id ?? newId('z'),
    description,
    context,
    status: 'pending',
    agent: agent ?? null,
    progress: null,
    created_at: now,
    updated_at: now,
    result: null,
    error: null,
    completed_at: null,
    failed_at: null,
    artifacts: [],
  };
}
