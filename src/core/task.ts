import { z } from 'zod';
import { approvalModeSchema } from './approval';
import { digestSchema, taskIdSchema } from './ids';
import { networkPolicySchema } from './jailPolicy';
import { mcpServersSchema } from './mcp';

/** Lower is more urgent: 0 is `P0`. */
export const prioritySchema = z.union([z.literal(0), z.literal(1), z.literal(2), z.literal(3)]);
export type Priority = z.infer<typeof prioritySchema>;
export const defaultPriority: Priority = 2;

/** What one task may use up. Absent means the persona's or the product's default. */
export const taskLimitsSchema = z.object({
  /** Wall time of one run, checks not counted. */
  timeoutMs: z.number().int().positive().optional(),
  /** Model turns of one run. */
  maxTurns: z.number().int().positive().optional(),
  /** US dollars of one run. The run stops before it is spent. */
  maxCostUsd: z.number().positive().optional(),
  /** Where it may connect to, of what its persona may: a task can only be tighter. */
  network: networkPolicySchema.optional(),
  /** The tools that it may use, of those that its persona may. */
  tools: z.array(z.string().max(200)).max(200).optional(),
  /** Tools of MCP servers that it may not use, whatever else is said. */
  deniedTools: z.array(z.string().max(200)).max(200).optional(),
  /** What it may do without asking, if that is less than its persona and the settings allow. */
  approvals: approvalModeSchema.optional(),
});
export type TaskLimits = z.infer<typeof taskLimitsSchema>;

/** Which source a task came from, and its name there. The two together are accepted once. */
export const taskOriginSchema = z.object({
  /** `user`, `zmemory:<name>`, … */
  sourceId: z.string().min(1).max(200),
  /** The task's own id or idempotency key at the source. */
  externalId: z.string().min(1).max(500),
});
export type TaskOrigin = z.infer<typeof taskOriginSchema>;

/**
 * What makes a task the same wherever it comes from: one that comes under a key that is known already is that task. Whoever
 * writes tasks chooses it.
 */
export const taskKeySchema = z.string().min(1).max(200);

/** The longest prompt that is accepted: more is not a task but a mistake, and no model's window holds it. */
export const maxPromptBytes = 1024 * 1024;
export const maxTitleLength = 200;
export const maxChecks = 50;

const repoNameSchema = z.string().max(1000);
const commandSchema = z.string().min(1, 'it is empty').max(10_000, 'it is longer than 10,000 characters');

/**
 * Which task a task comes from. `subtask`: an agent has split it off. `review`: its result is to be looked at.
 * `depth`: how many tasks lie between it and one that comes from none.
 */
export const taskParentSchema = z.object({
  kind: z.enum(['subtask', 'review']),
  taskId: taskIdSchema,
  depth: z.number().int().min(1).max(100),
});
export type TaskParent = z.infer<typeof taskParentSchema>;

/** Something to be done, as the journal holds it. Private and big parts (the prompt) are blobs. */
export const taskSpecSchema = z.object({
  title: z.string().min(1).max(maxTitleLength),
  /** The blob with the prompt, UTF-8. */
  prompt: digestSchema,
  priority: prioritySchema,
  /** The persona's name; `null` for the default one. */
  persona: z.string().max(100).nullable(),
  /** Commands that must pass. `null`: the repository's own, as its base commit names them. */
  checks: z.array(commandSchema).max(maxChecks).nullable(),
  limits: taskLimitsSchema,
  dependsOn: z.array(taskIdSchema).max(100),
  /** What it depends on besides, by ids of its own source, that the source has not offered yet: it is blocked until then. */
  dependsOnMissing: z.array(z.string()).optional(),
  /** Absolute path of the user's repository; `null` while nobody has said which. */
  repo: z.string().nullable(),
  /** What the source calls the repository when no open or allowed one has that name; empty when it is no name at all. */
  repoName: repoNameSchema.optional(),
  origin: taskOriginSchema,
  /** The blob with the source's free-form context as JSON, which the agent is shown as data; `null` for none. */
  context: digestSchema.nullable(),
  /** Servers of tools that its definition in the repository brings. */
  mcpServers: mcpServersSchema.optional(),
  /** Why it can never be worked on. It is taken from its source all the same, which then hears of it. */
  refusal: z.string().nullable().default(null),
  key: taskKeySchema.optional(),
  /** Its name in its repository (the ID of a row, say), by which a task of another source with that `key` means this one. */
  localKey: taskKeySchema.optional(),
  /** Absent: nobody's. */
  parent: taskParentSchema.optional(),
});
export type TaskSpec = z.infer<typeof taskSpecSchema>;

/** What a user or a source hands in to have a task queued. */
export const newTaskSchema = z.object({
  title: z
    .string()
    .max(maxTitleLength, `it is longer than ${maxTitleLength} characters`)
    .refine((title) => title.trim() !== '', 'it is empty'),
  prompt: z.string().refine((prompt) => prompt.trim() !== '', 'it is empty'),
  priority: prioritySchema.default(defaultPriority),
  persona: z.string().max(100).nullable().default(null),
  checks: z.array(commandSchema).max(maxChecks, `there are more than ${maxChecks}`).nullable().default(null),
  limits: taskLimitsSchema.default({}),
  dependsOn: z.array(taskIdSchema).max(100).default([]),
  repo: z.string().nullable().default(null),
  repoName: repoNameSchema.optional(),
  /** Absent: the user's own task. */
  origin: taskOriginSchema.optional(),
  context: z.record(z.string(), z.unknown()).nullable().default(null),
  mcpServers: mcpServersSchema.optional(),
  refusal: z.string().max(2000).nullable().default(null),
  key: taskKeySchema.optional(),
  localKey: taskKeySchema.optional(),
  parent: taskParentSchema.optional(),
});
export type NewTask = z.input<typeof newTaskSchema>;

/** How a task can end at its verdict. */
export const taskOutcomes = ['verified', 'partial', 'unchecked', 'contradicted', 'failed', 'cancelled'] as const;
export const taskOutcomeSchema = z.enum(taskOutcomes);
export type TaskOutcome = z.infer<typeof taskOutcomeSchema>;

/** Where a task is when nothing more happens to it without the user. */
export type EndedStatus = TaskOutcome | 'landed' | 'discarded';

/**
 * Where a task is.
 * - `queued`: it waits for a slot. `accepting`: its source is being asked for it. `running`: a run works on it.
 * - `blocked`: a dependency failed. `waiting`: for the user, a budget or a lane.
 * - an outcome: it ended; `landed` or `discarded`: the user has decided about the result.
 */
export type TaskStatus = 'queued' | 'accepting' | 'running' | 'blocked' | 'waiting' | EndedStatus;

const endedStatuses: ReadonlySet<TaskStatus> = new Set([...taskOutcomes, 'landed', 'discarded']);

/** True when nothing more happens to the task without the user. */
export function isEnded(status: TaskStatus): status is EndedStatus {
  return endedStatuses.has(status);
}

/** Outcomes that are reported to the source as complete, the verdict in the result; the rest are reported as failed. */
export function isJudged(status: TaskStatus): boolean {
  return status === 'verified' || status === 'partial' || status === 'unchecked' || status === 'contradicted';
}

export function isCompletion(outcome: TaskOutcome): boolean {
  return outcome === 'verified' || outcome === 'partial' || outcome === 'unchecked';
}
