import { z } from 'zod';
import { serverKey } from '../../base/serverAddress';
import { artifactKinds, type ArtifactKind } from '../../core/artifact';
import { approvalModeSchema } from '../../core/approval';
import { efforts } from '../../core/engine';
import { ownPricesSchema } from '../../core/prices';
import { type ReportSchedule, reportSchedules } from '../../core/reportSchedule';

/**
 * Who may choose a setting.
 * - `machine`: the user of this machine alone, never a folder that is opened. What the one executor of this machine does,
 *   what is spent, and above all where the key is sent.
 * - `window`: a folder's own settings too. How things are shown.
 */
export type SettingScope = 'machine' | 'window';

/** One setting: what it may hold. The default and the words stand in the manifest; a test compares the two. */
export interface SettingEntry<T> {
  readonly schema: z.ZodType<T>;
  readonly fallback: T;
  readonly scope: SettingScope;
}

/** An address, or nothing at all. */
const addressSchema = z.union([
  z.literal(''),
  z.url({ protocol: /^https?$/ }).refine((url) => !hasCredentials(url), 'no user name or password in the address'),
]);

/** Within a repository. */
const fileSchema = z.string().regex(/^(?!\/)(?!(?:.*\/)?\.\.(?:\/|$)).+$/);
const agentSchema = z.string().regex(/^[\w.@-]{1,100}$/);
const pollSecondsSchema = z.number().min(1).max(3600);

/** Further ZMemory servers. What one does not say is as for the single one. */
const serversSchema = z
  .array(
    z.strictObject({
      name: z.string().regex(/^\w[\w-]{0,39}$/, 'a name has letters, digits, - and _'),
      url: addressSchema.refine((url) => url !== '', 'no address'),
      agent: agentSchema.optional(),
      pollSeconds: pollSecondsSchema.optional(),
      repos: z.array(z.string().min(1)).optional(),
      personas: z.array(z.string().min(1)).optional(),
      priorities: z.array(z.enum(['P0', 'P1', 'P2', 'P3'])).optional(),
      query: z.record(z.string(), z.string()).optional(),
    }),
  )
  .max(20)
  .refine((servers) => isEachOnce(servers.map(({ name }) => name)), 'two servers have one name')
  .refine(
    // Their tasks would be done twice. Parts of one queue may have names of their own.
    (servers) =>
      isEachOnce(
        servers.map(({ url, agent, repos, personas, priorities, query }) =>
          JSON.stringify([serverKey(url), agent, repos, personas, priorities, query]),
        ),
      ),
    'two servers have one address, and choose the same tasks there',
  );
export type ServerSetting = z.infer<typeof serversSchema>[number];

/** Every setting that there is, with its unit in the name where it has one. */
export const settingTable = {
  'airlock.concurrency': machine(z.number().int().min(1).max(64), 2),
  'airlock.startQueueOnOpen': machine(z.boolean(), false),
  'airlock.repositories': machine(z.array(z.string()), []),

  'airlock.engine.kind': machine(z.enum(['anthropic', 'claude-code']), 'anthropic'),
  'airlock.engine.model': machine(z.string(), ''),
  'airlock.engine.baseUrl': machine(addressSchema, ''),
  'airlock.engine.contextTokens': machine(z.number().int().min(1000).max(100_000_000).nullable(), null),
  'airlock.engine.effort': machine(z.enum(['default', ...efforts]), 'default'),
  'airlock.claudeCode.path': machine(z.string().regex(/^$|^(\/|~\/)/, 'no absolute path'), ''),
  'airlock.claudeCode.process': machine(z.enum(['perRun', 'perExchange', 'prestarted', 'shared']), 'perRun'),

  'airlock.zmemory.url': machine(addressSchema, ''),
  'airlock.zmemory.servers': machine<readonly ServerSetting[]>(serversSchema, []),
  'airlock.zmemory.agent': machine(agentSchema, 'airlock'),
  'airlock.zmemory.pollSeconds': machine(pollSecondsSchema, 30),
  'airlock.zmemory.artifacts': machine<readonly ArtifactKind[]>(z.array(z.enum(artifactKinds)), artifactKinds),

  'airlock.taskFile.path': machine(fileSchema, 'docs/TASKS.md'),
  'airlock.taskFile.morePaths': machine<readonly string[]>(z.array(fileSchema).max(50), []),
  'airlock.taskFile.rows': machine(z.string(), ''),
  'airlock.taskDefinitions.enabled': machine(z.boolean(), false),
  'airlock.taskDefinitions.environment': machine(z.array(z.string()), []),

  'airlock.checks.maxFixRounds': machine(z.number().int().min(0).max(20), 2),
  'airlock.checks.timeoutMinutes': machine(z.number().positive().max(1440), 10),
  'airlock.limits.maxTurns': machine(z.number().int().min(1).max(1000), 60),
  'airlock.limits.runMinutes': machine(z.number().positive().max(1440), 45),
  'airlock.limits.modelWaitMinutes': machine(z.number().positive().max(1440), 30),
  'airlock.limits.runsPerRepository': machine(z.number().int().min(1).max(64).nullable(), null),
  'airlock.limits.runsPerPersona': machine(z.number().int().min(1).max(64).nullable(), null),
  'airlock.host.maxCpuPercent': machine(z.number().min(0).max(100), 85),
  'airlock.host.maxMemoryPercent': machine(z.number().min(0).max(100), 85),
  'airlock.limits.maxCostPerRun': machine(z.number().positive().nullable(), null),

  'airlock.personas.folder': machine(z.string().regex(/^$|^(\/|~\/)/, 'no absolute path'), ''),
  'airlock.personas.network': machine(z.array(z.string()), []),
  'airlock.mcp.approved': machine(z.array(z.string()), []),
  'airlock.mcp.privateHosts': machine(z.array(z.string()), []),

  'airlock.budget.perTask': machine(z.number().positive().nullable(), null),
  'airlock.budget.perDay': machine(z.number().positive().nullable(), null),
  'airlock.budget.total': machine(z.number().positive().nullable(), null),
  'airlock.budget.perPersona': machine(z.record(z.string(), z.number().positive()), {}),
  'airlock.budget.tokensPerTask': machine(z.number().int().positive().nullable(), null),
  'airlock.budget.tokensPerDay': machine(z.number().int().positive().nullable(), null),
  'airlock.budget.tokensTotal': machine(z.number().int().positive().nullable(), null),
  'airlock.budget.unknownPrices': machine(z.enum(['refuse', 'allow']), 'refuse'),
  'airlock.breaker.sameCalls': machine(z.number().int().min(0).max(1000), 20),
  'airlock.breaker.turnsWithoutProgress': machine(z.number().int().min(0).max(1000), 30),
  'airlock.breaker.costPerLine': machine(z.number().positive().nullable(), 0.5),
  'airlock.approvals.mode': machine(approvalModeSchema, 'unattended'),
  'airlock.approvals.timeoutMinutes': machine(z.number().positive().max(100_000).nullable(), 60),
  'airlock.personas.routing': machine(z.boolean(), false),
  'airlock.review.persona': machine(z.string().max(100), ''),
  'airlock.review.holdsAcceptance': machine(z.boolean(), false),
  'airlock.agents.maxDepth': machine(z.number().int().min(0).max(10), 2),
  'airlock.agents.maxSubtasks': machine(z.number().int().min(0).max(50), 10),
  'airlock.prices': machine(ownPricesSchema, {}),

  'airlock.setup.network': machine(z.array(z.string()), []),
  'airlock.setup.maxGigabytes': machine(z.number().positive().max(10_000), 20),

  'airlock.snapshots.keep': machine(z.number().int().min(0).max(1000), 20),
  'airlock.snapshots.maxMegabytes': machine(z.number().positive().max(1_000_000), 512),
  'airlock.workspaces.keepDays': machine(z.number().min(0).max(3650), 14),
  'airlock.workspaces.warm': machine(z.number().int().min(0).max(4), 1),
  'airlock.jail.toolChains': machine(z.array(z.string()), []),

  'airlock.storage': machine(z.string().regex(/^$|^(\/|~\/)/, 'no absolute path'), ''),

  'airlock.retention.journalDays': machine(z.number().min(0).max(36_500), 90),
  'airlock.retention.journalGigabytes': machine(z.number().min(0).max(10_000), 2),
  'airlock.retention.usageDays': machine(z.number().min(0).max(36_500), 90),

  'airlock.telemetry.endpoint': machine(addressSchema, ''),
  'airlock.report.schedule': machine<ReportSchedule>(z.enum(reportSchedules), 'off'),
  'airlock.report.folder': machine(z.string().regex(/^$|^(\/|~\/)/, 'no absolute path'), ''),

  'airlock.terminal.openAutomatically': {
    schema: z.boolean(),
    fallback: false,
    scope: 'window',
  } satisfies SettingEntry<boolean>,
} as const;

export type SettingId = keyof typeof settingTable;
export type SettingValue<K extends SettingId> = (typeof settingTable)[K]['fallback'];

function machine<T>(schema: z.ZodType<T>, fallback: T): SettingEntry<T> {
  return { schema, fallback, scope: 'machine' };
}

function isEachOnce(texts: readonly string[]): boolean {
  return new Set(texts).size === texts.length;
}

function hasCredentials(url: string): boolean {
  // What is no address at all has been found wrong before.
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  return parsed !== undefined && (parsed.username !== '' || parsed.password !== '');
}

/** The setting's value when it may hold that, and otherwise its default and what is wrong. */
export function readSetting<K extends SettingId>(
  id: K,
  raw: unknown,
): { readonly value: SettingValue<K>; readonly problem: string | null } {
  const { schema, fallback } = settingTable[id] as SettingEntry<SettingValue<K>>;
  const parsed = schema.safeParse(raw);
  if (parsed.success) return { value: parsed.data, problem: null };
  return { value: fallback, problem: parsed.error.issues.map((issue) => issue.message).join('; ') };
}
