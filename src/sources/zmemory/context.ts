import { z } from 'zod';
import { planTools } from '../../core/persona';
import { defaultPriority, maxChecks, type NewTask, type Priority, taskKeySchema } from '../../core/task';

/**
 * Says which of the user's repositories a name means; `undefined` when the task names none. Answers an absolute path from
 * among those that the user has opened or allowed, and `null` when the user has to say. The name is the backend's: it is
 * never itself a path to use.
 */
export type ResolveRepository = (name: string | undefined) => string | null;

export interface ContextFields extends Required<
  Pick<NewTask, 'priority' | 'persona' | 'checks' | 'limits' | 'repo' | 'context'>
> {
  /** What makes it the same task wherever else it comes from. */
  readonly key?: string;
  /** What it calls its repository, when that is none of the user's. */
  readonly repoName?: string;
  /** External ids. */
  readonly dependsOn: readonly string[];
}

export type ReadContext =
  | { readonly problem: null; readonly fields: ContextFields }
  /** What bounds or judges the task is not understood: without it the task would be another one. */
  | { readonly problem: string };

const maxLimitSeconds = 30 * 24 * 3600;

/** Servers that keep everything as text send numbers as text. */
const numeric = z.union([z.number(), z.string().trim().min(1).transform(Number)]);
const command = z.string().trim().min(1).max(10_000);

/** What bounds the task or judges it must be understood if it is there; `null` and absent are the same. */
const strictSchema = z.object({
  checks: z.union([command.transform((only) => [only]), z.array(command).max(maxChecks)]).nullish(),
  timeout_seconds: numeric.pipe(z.number().positive().max(maxLimitSeconds)).nullish(),
  max_turns: numeric.pipe(z.number().int().positive()).nullish(),
  max_cost_usd: numeric.pipe(z.number().positive()).nullish(),
  permission_mode: z.enum(['default', 'ask', 'acceptEdits', 'bypassPermissions', 'plan']).nullish(),
  depends_on: z
    .union([
      z
        .string()
        .min(1)
        .transform((only) => [only]),
      z.array(z.union([z.string().min(1), z.int().transform(String)])),
    ])
    .nullish(),
});

const priorities: Readonly<Record<string, Priority>> = {
  p0: 0,
  p1: 1,
  p2: 2,
  p3: 3,
  '0': 0,
  '1': 1,
  '2': 2,
  '3': 3,
  critical: 0,
  high: 1,
  normal: 2,
  medium: 2,
  low: 3,
};

/**
 * Reads what is understood of a task's free-form context; the rest stays data for the agent. A priority or a persona that
 * is not understood is the server's own word for something and stays data too.
 */
export function readContext(
  context: Readonly<Record<string, unknown>>,
  resolveRepository: ResolveRepository,
): ReadContext {
  const strict = strictSchema.safeParse(context);
  if (!strict.success) {
    const [issue] = strict.error.issues;
    return { problem: `context.${issue?.path.join('.') ?? ''} cannot be used (${issue?.message ?? 'unknown shape'})` };
  }
  const known = strict.data;
  const priority = readPriority(context['priority']);
  const persona = readPersona(context['persona']);
  const repoName = nameIn(context['repo']);
  const repo = resolveRepository(repoName);
  const key = readKey(context);
  const understood = new Set<string>(Object.keys(strictSchema.shape));
  if (priority !== undefined) understood.add('priority');
  if (persona !== undefined) understood.add('persona');
  if (repo !== null) understood.add('repo');
  const rest = Object.entries(context).filter(([key]) => !understood.has(key));
  return {
    problem: null,
    fields: {
      priority: priority ?? defaultPriority,
      persona: persona ?? null,
      checks: known.checks && known.checks.length > 0 ? known.checks : null,
      limits: {
        ...(known.timeout_seconds ? { timeoutMs: Math.ceil(known.timeout_seconds * 1000) } : {}),
        ...(known.max_turns ? { maxTurns: known.max_turns } : {}),
        ...(known.max_cost_usd ? { maxCostUsd: known.max_cost_usd } : {}),
        ...(known.permission_mode === 'ask' ? { approvals: 'ask' as const } : {}),
        ...(known.permission_mode === 'acceptEdits' ? { approvals: 'edits' as const } : {}),
        ...(known.permission_mode === 'plan' ? { tools: [...planTools] } : {}),
      },
      repo,
      ...(repo === null && repoName !== undefined ? { repoName } : {}),
      ...(key === undefined ? {} : { key }),
      dependsOn: known.depends_on ?? [],
      context: rest.length > 0 ? Object.fromEntries(rest) : null,
    },
  };
}

/** `undefined` for a word that is none of ours. */
export function readPriority(value: unknown): Priority | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const word = String(value).trim().toLowerCase();
  return Object.hasOwn(priorities, word) ? priorities[word] : undefined;
}

/** It stays in what the agent is shown: people name tasks by it. */
function readKey(context: Readonly<Record<string, unknown>>): string | undefined {
  const schema = z.union([z.string().trim().pipe(taskKeySchema), z.int().transform(String)]);
  for (const name of ['idempotency_key', 'key']) {
    const parsed = schema.safeParse(context[name]);
    if (parsed.success) return parsed.data;
  }
  return undefined;
}

export function readPersona(value: unknown): string | undefined {
  const parsed = z.string().trim().min(1).max(100).safeParse(value);
  return parsed.success ? parsed.data : undefined;
}

function nameIn(value: unknown): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  // Something else than a name names nothing that the user has: let the resolver say so.
  return typeof value === 'string' ? value.slice(0, 1000) : '';
}
