import { z } from 'zod';
import { mcpConfigSchema } from '../../core/mcp';
import { maxChecks } from '../../core/task';
import { cronProblem, zoneProblem } from './starts';

const maxSeconds = 30 * 24 * 3600;
const name = z.string().trim().min(1, 'it is empty').max(200, 'it is longer than 200 characters');

/** Once, or whenever its time comes. */
const scheduleSchema = z
  .strictObject({
    type: z.literal('cron'),
    /** Five fields, or six with seconds in front. */
    expression: z.string(),
    /** An IANA name such as `Europe/Berlin`. */
    timezone: z.string().default('UTC'),
  })
  .superRefine(({ expression, timezone }, context) => {
    const zone = zoneProblem(timezone);
    if (zone !== null) context.addIssue({ code: 'custom', path: ['timezone'], message: zone });
    const cron = zone === null ? cronProblem(expression, timezone) : null;
    if (cron !== null) context.addIssue({ code: 'custom', path: ['expression'], message: cron });
  });

export const fileEvents = ['created', 'modified', 'deleted'] as const;
export type FileEvent = (typeof fileEvents)[number];

const inside = z
  .string()
  .refine((path) => !path.startsWith('/') && !path.split('/').includes('..'), 'it must lie within the repository');

const fileWatchSchema = z.strictObject({
  type: z.literal('file_watch'),
  /** A folder of the repository, watched with all that is below it, or one file. */
  path: inside.default('.'),
  /** Which files below `path`, as a glob. */
  pattern: z.string().min(1).default('**'),
  event: z
    .union([z.enum(fileEvents).transform((only) => [only]), z.array(z.enum(fileEvents)).min(1)])
    .default([...fileEvents]),
  /** Seconds of quiet that are waited for. */
  debounce: z.number().min(0.1).max(3600).default(2),
});
export type FileWatch = z.infer<typeof fileWatchSchema>;

const intervalSchema = z.strictObject({
  type: z.literal('interval'),
  seconds: z.number().int().min(10).max(maxSeconds),
});

const workSchema = z.strictObject({
  prompt: z.string().refine((prompt) => prompt.trim() !== '', 'it is empty'),
  allowed_tools: z.array(z.string()).max(100).optional(),
  disallowed_tools: z.array(z.string()).max(100).default([]),
  permission_mode: z.enum(['default', 'ask', 'acceptEdits', 'bypassPermissions', 'plan']).default('default'),
  /** Seconds of one run. */
  timeout: z.number().positive().max(maxSeconds).optional(),
  max_retries: z.number().int().min(0).max(10).default(0),
  /** Seconds before the first retry; twice as many before each further one. */
  retry_backoff_seconds: z.number().min(0).max(maxSeconds).default(60),
  context: z.record(z.string(), z.unknown()).default({}),
  /** Servers of tools, in the shape of `.mcp.json`. */
  mcp_config: mcpConfigSchema.optional(),
  checks: z.array(z.string().min(1)).max(maxChecks).optional(),
  persona: z.string().min(1).max(100).optional(),
});

const handlerSchema = z.union([z.strictObject({ log: z.string() }), z.strictObject({ notify: z.string() })]);
export type Handler = z.infer<typeof handlerSchema>;

/** One task a file, as it is written. */
export const definitionSchema = z
  .strictObject({
    name,
    description: z.string().default(''),
    enabled: z.boolean().default(true),
    priority: z.enum(['normal', 'high']).default('normal'),
    schedule: scheduleSchema.optional(),
    trigger: z.discriminatedUnion('type', [fileWatchSchema, intervalSchema]).optional(),
    /** What happens to a start while the one before it is not over. */
    overlap: z.enum(['skip', 'queue', 'replace']).default('skip'),
    task: workSchema,
    on_success: z.array(handlerSchema).max(20).default([]),
    on_failure: z.array(handlerSchema).max(20).default([]),
  })
  .refine(({ schedule, trigger }) => !schedule || !trigger, {
    path: ['trigger'],
    message: 'a task has a schedule or a trigger, not both',
  });
export type TaskDefinition = z.infer<typeof definitionSchema>;
