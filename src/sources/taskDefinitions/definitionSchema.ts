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
    expression: z.string().describe('Five fields such as `0 9 * * 1-5`, or six with seconds in front.'),
    timezone: z.string().default('UTC').describe('An IANA name such as `Europe/Berlin`.'),
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
  path: inside.default('.').describe('A folder of the repository, watched with all that is below it, or one file.'),
  pattern: z.string().min(1).default('**').describe('Which files below `path`, as a glob; `*` does not cross a `/`.'),
  event: z
    .union([z.enum(fileEvents).transform((only) => [only]), z.array(z.enum(fileEvents)).min(1)])
    .default([...fileEvents])
    .describe('What has to happen to a file: one of them, or a list.'),
  debounce: z.number().min(0.1).max(3600).default(2).describe('Seconds of quiet that are waited for.'),
});
export type FileWatch = z.infer<typeof fileWatchSchema>;

const intervalSchema = z.strictObject({
  type: z.literal('interval'),
  seconds: z.number().int().min(10).max(maxSeconds).describe('Seconds between two starts, counted from 1970.'),
});

const workSchema = z.strictObject({
  prompt: z
    .string()
    .refine((prompt) => prompt.trim() !== '', 'it is empty')
    .describe('What the agent is to do. `{{ context.x }}` and `{{ env.X }}` are filled in.'),
  allowed_tools: z.array(z.string()).max(100).optional().describe('The only tools that the agent may use.'),
  disallowed_tools: z.array(z.string()).max(100).default([]).describe('Tools that the agent may not use.'),
  permission_mode: z
    .enum(['default', 'ask', 'acceptEdits', 'bypassPermissions', 'plan'])
    .default('default')
    .describe(
      '`plan`: nothing can be changed. `ask`, `acceptEdits`: the agent asks before it acts. The others: as the settings say.',
    ),
  timeout: z.number().positive().max(maxSeconds).optional().describe('Seconds of one run.'),
  max_retries: z.number().int().min(0).max(10).default(0).describe('How often it is tried again after it has failed.'),
  retry_backoff_seconds: z
    .number()
    .min(0)
    .max(maxSeconds)
    .default(60)
    .describe('Seconds before the first retry; twice as many before each further one.'),
  context: z.record(z.string(), z.unknown()).default({}).describe('Values for the prompt, and data for the agent.'),
  mcp_config: mcpConfigSchema.optional().describe('Servers of tools, in the shape of `.mcp.json`.'),
  checks: z
    .array(z.string().min(1))
    .max(maxChecks)
    .optional()
    .describe('Commands that must pass; without them those of the repository.'),
  persona: z.string().min(1).max(100).optional().describe('The role that works on it.'),
});

const handlerSchema = z.union([
  z.strictObject({ log: z.string().describe('Written into the log.') }),
  z.strictObject({ notify: z.string().describe('Shown to the user.') }),
]);
export type Handler = z.infer<typeof handlerSchema>;

/** One task a file, as it is written. */
export const definitionSchema = z
  .strictObject({
    name: name.describe('What the task is called.'),
    description: z.string().default('').describe('What the agent should know besides the prompt.'),
    enabled: z.boolean().default(true).describe('Whether it is started by itself.'),
    priority: z.enum(['normal', 'high']).default('normal').describe('`high`: before tasks of normal priority.'),
    schedule: scheduleSchema.optional().describe('When it is started, by the clock.'),
    trigger: z
      .discriminatedUnion('type', [fileWatchSchema, intervalSchema])
      .optional()
      .describe('What starts it, in place of a schedule: files that change, or an interval.'),
    overlap: z
      .enum(['skip', 'queue', 'replace'])
      .default('skip')
      .describe('What happens to a start while the one before it is not over.'),
    task: workSchema.describe('What is to be done.'),
    on_success: z.array(handlerSchema).max(20).default([]).describe('What is done when it has been done.'),
    on_failure: z.array(handlerSchema).max(20).default([]).describe('What is done when it has failed for good.'),
  })
  .refine(({ schedule, trigger }) => !schedule || !trigger, {
    path: ['trigger'],
    message: 'a task has a schedule or a trigger, not both',
  });
export type TaskDefinition = z.infer<typeof definitionSchema>;
