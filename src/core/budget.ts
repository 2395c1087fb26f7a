import { z } from 'zod';
import type { RunId, TaskId } from './ids';

const dollars = z.number().positive().nullable().default(null);
const tokens = z.number().int().positive().nullable().default(null);

/** What may be spent, in US dollars and in tokens of every class together. `null`: no limit. */
export const budgetLimitsSchema = z.object({
  /** Of one run, when neither task nor persona says. */
  perRunUsd: dollars,
  /** Of one task, all its runs together. */
  perTaskUsd: dollars,
  /** Of everything, from midnight to midnight in the time zone of the executor. */
  perDayUsd: dollars,
  /** Of everything that was ever spent with this storage. */
  totalUsd: dollars,
  /** Of all runs of a persona, by its name, from midnight to midnight. */
  perPersonaUsd: z.record(z.string(), z.number().positive()).default({}),
  perTaskTokens: tokens,
  perDayTokens: tokens,
  totalTokens: tokens,
  /** Whether a model may be asked whose price is not known while there is a limit in dollars, which cannot be kept then. */
  unknownPrices: z.enum(['refuse', 'allow']).default('refuse'),
});
export type BudgetLimits = z.infer<typeof budgetLimitsSchema>;

export const noLimits: BudgetLimits = budgetLimitsSchema.parse({});

/** What was spent, or may have been. */
export interface Spent {
  /** US dollars that are known. */
  readonly costUsd: number;
  /** The most that requests can have cost besides whose answer was never seen to its end. It counts as spent. */
  readonly unseenUsd: number;
  /** Requests whose price is not known and for which nothing is counted. */
  readonly unpriced: number;
  /** Tokens of all classes, those that may have been used included. */
  readonly tokens: number;
}

export const nothingSpent: Spent = Object.freeze({ costUsd: 0, unseenUsd: 0, unpriced: 0, tokens: 0 });

export function addSpent(a: Spent, b: Spent): Spent {
  return {
    costUsd: a.costUsd + b.costUsd,
    unseenUsd: a.unseenUsd + b.unseenUsd,
    unpriced: a.unpriced + b.unpriced,
    tokens: a.tokens + b.tokens,
  };
}

/** Everything that counts against a limit in dollars. */
export function dollarsOf({ costUsd, unseenUsd }: Spent): number {
  return costUsd + unseenUsd;
}

/** A request that was let out and of which the end has not been seen: it counts at the most that it can cost. */
export interface Reservation {
  readonly runId: RunId;
  readonly taskId: TaskId;
  readonly persona: string;
  readonly model: string;
  /** No more tokens than this are in the prompt. */
  readonly promptBound: number;
  /** `null` when the price is not known. */
  readonly upperUsd: number | null;
  readonly upperTokens: number;
  readonly atMs: number;
  /** What was told of it so far. */
  readonly seen: Spent;
}

/** How large the last prompt of a run really was, so that the next one, which goes on from it, need not be bounded by all its bytes. */
export interface MeasuredPrompt {
  readonly model: string;
  readonly bound: number;
  /** Of the prompt and its answer. */
  readonly tokens: number;
}

export interface BudgetState {
  /** Those of the executor that last worked; `null` while none has. */
  limits: BudgetLimits | null;
  /** Which prices it counts with. */
  prices: string;
  total: Spent;
  /**
   * By `quarterOf`: quarter of an hour since the epoch, as every time zone is at a multiple of that, and persona. The last 2,000 of
   * them, which is more than a day of ten personas.
   */
  readonly quarters: Map<string, Spent>;
  /** Requests on their way: a run has one at a time. */
  readonly reservations: Map<RunId, Reservation>;
  /** The highest alert that was given, in percent, by what it was about. The last 200 of them. */
  readonly alerts: Map<string, number>;
  /** Until when nothing new is started; `null`: until a limit changes. Absent: it is not held. */
  held?: { readonly reason: string; readonly untilMs: number | null };
}

export function emptyBudget(): BudgetState {
  return {
    limits: null,
    prices: '',
    total: nothingSpent,
    quarters: new Map(),
    reservations: new Map(),
    alerts: new Map(),
  };
}

const quarterMs = 900_000;

export function quarterOf(atMs: number, persona: string): string {
  return `${Math.floor(atMs / quarterMs)} ${persona}`;
}

/** The last midnight in this process's time zone. */
export function startOfDayMs(nowMs: number): number {
  return new Date(nowMs).setHours(0, 0, 0, 0);
}

/** The next midnight in this process's time zone: a day has 23, 24 or 25 hours. */
export function endOfDayMs(nowMs: number): number {
  return new Date(nowMs).setHours(24, 0, 0, 0);
}

/** What was spent on the day of `nowMs`, by one persona or by all. Requests on their way are not in it. */
export function spentToday(budget: BudgetState, nowMs: number, persona?: string): Spent {
  const from = startOfDayMs(nowMs) / quarterMs;
  const to = endOfDayMs(nowMs) / quarterMs;
  let sum = nothingSpent;
  for (const [key, spent] of budget.quarters) {
    const quarter = Number.parseInt(key, 10);
    if (quarter < from || quarter >= to) continue;
    if (persona === undefined || key === `${quarter} ${persona}`) sum = addSpent(sum, spent);
  }
  return sum;
}
