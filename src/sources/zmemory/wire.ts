import { z } from 'zod';

/**
 * What goes over ZMemory's wire. Strict about what we need, loose about the rest: servers add fields of their own, and know
 * none of ours.
 */

/** No part of a path that a server would resolve, and well-formed, so that it can stand in a URL. */
const textId = z
  .string()
  .min(1)
  .max(500)
  .refine((id) => id !== '.' && id !== '..' && !/\p{Surrogate}/u.test(id), 'is not a usable id');

/** Some servers count their tasks. */
export const wireIdSchema = z.union([textId, z.number().int().transform(String)]);

/** A task on offer. */
export const pendingTaskSchema = z.looseObject({
  id: wireIdSchema,
  description: z.string(),
  context: z.record(z.string(), z.unknown()).nullish(),
  status: z.string().nullish(),
  agent: z.string().nullish(),
});
export type PendingTask = z.infer<typeof pendingTaskSchema>;

/** What is read of a task's state at the server. */
export const taskStateSchema = z.looseObject({
  id: wireIdSchema,
  status: z.string(),
  agent: z.string().nullish(),
});
export type WireTaskState = z.infer<typeof taskStateSchema>;

/** A list whose entries are looked at one by one, so that a bad one harms no other. */
export const taskListSchema = z.looseObject({ tasks: z.array(z.unknown()) });

/** The answer to a change. An empty answer with a good status counts as success. */
export const changeAnswerSchema = z.looseObject({
  success: z.boolean().optional(),
  task: taskStateSchema.optional().catch(undefined),
});

/** Where servers put the words for what went wrong. */
export const errorAnswerSchema = z.looseObject({
  error: z.unknown().optional(),
  message: z.unknown().optional(),
  detail: z.unknown().optional(),
});

export const acceptBodySchema = z.object({ agent: z.string().min(1).max(200) });

export const statusBodySchema = z.object({
  status: z.string().min(1).max(50),
  progress: z.number().min(0).max(100).nullish(),
});
export type StatusBody = z.infer<typeof statusBodySchema>;

const count = z.number().nonnegative();

export const completeBodySchema = z.object({
  result: z.looseObject({
    response: z.string(),
    usage: z.looseObject({ input_tokens: count, output_tokens: count, total_tokens: count }),
    model: z.string().nullish(),
    execution_time_seconds: count,
    artifacts: z.array(z.unknown()),
    execution_mode: z.string(),
  }),
  /** ISO 8601. */
  completed_at: z.string(),
});
export type CompleteBody = z.infer<typeof completeBodySchema>;

export const failBodySchema = z.object({
  error: z.string(),
  /** ISO 8601. */
  failed_at: z.string(),
});
export type FailBody = z.infer<typeof failBodySchema>;

export const artifactBodySchema = z.object({ name: z.string().min(1).max(500), content: z.string() });
export type ArtifactBody = z.infer<typeof artifactBodySchema>;

/** What makes a new task at the embedded server. */
export const newTaskBodySchema = z.object({
  /** Chosen by whoever puts it in: putting the same id in again answers the task that is there. Absent: the server chooses. */
  id: wireIdSchema.optional(),
  description: z.string().min(1),
  context: z.record(z.string(), z.unknown()).default({}),
  /** Whom it is for; anybody when it is absent. */
  agent: z.string().min(1).max(200).nullish(),
});
export type NewTaskBody = z.input<typeof newTaskBodySchema>;
