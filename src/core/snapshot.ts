import { z } from 'zod';
import { addSpent, type BudgetState, emptyBudget, nothingSpent, quarterOf } from './budget';
import type { LiveState } from './liveState';

/** The live state as JSON, for snapshots and for clients. Its version changes when its shape does. */
export const liveStateVersion = 1;

const wireSchema = z.object({
  version: z.literal(liveStateVersion),
  seq: z.number().int().nonnegative(),
  executorId: z.string().nullable(),
  queueMode: z.enum(['running', 'paused']),
  holds: z.array(z.tuple([z.string(), z.string()])).default([]),
  tasks: z.array(z.looseObject({ id: z.string(), status: z.string() })),
  runs: z.array(z.looseObject({ id: z.string(), taskId: z.string() })),
  sessions: z.array(z.looseObject({ id: z.string(), runId: z.string() })),
  warm: z.array(z.looseObject({ runId: z.string(), repo: z.string() })).default([]),
  pastSessions: z.array(z.looseObject({ id: z.string(), runId: z.string() })).default([]),
  reports: z.array(z.looseObject({ report: z.looseObject({ reportId: z.string() }) })),
  sources: z.array(z.tuple([z.string(), z.object({ healthy: z.boolean(), looked: z.boolean(), message: z.string() })])),
  pausedSources: z.array(z.string()).default([]),
  spend: z.array(z.tuple([z.number(), z.looseObject({ costUsd: z.number() })])),
  budget: z
    .looseObject({
      total: z.looseObject({ costUsd: z.number(), unseenUsd: z.number() }),
      quarters: z.array(z.tuple([z.string(), z.looseObject({ costUsd: z.number() })])),
      reservations: z.array(z.looseObject({ runId: z.string() })),
      alerts: z.array(z.tuple([z.string(), z.number()])),
    })
    .optional(),
});

export function toWire(state: LiveState): unknown {
  return {
    version: liveStateVersion,
    seq: state.seq,
    executorId: state.executorId,
    queueMode: state.queueMode,
    holds: [...state.holds],
    tasks: [...state.tasks.values()],
    runs: [...state.runs.values()],
    sessions: [...state.sessions.values()],
    warm: [...state.warm.values()],
    pastSessions: [...state.pastSessions.values()],
    reports: [...state.reports.values()],
    sources: [...state.sources],
    pausedSources: [...state.pausedSources],
    spend: [...state.spend],
    budget: {
      ...state.budget,
      quarters: [...state.budget.quarters],
      reservations: [...state.budget.reservations.values()],
      alerts: [...state.budget.alerts],
    },
  };
}

/**
 * The state that `toWire` gave. What it holds was written by an executor of the same user and is guarded by a digest, so
 * its outline is checked and not every field.
 * @throws {z.ZodError} when it is another version or no live state at all.
 */
export function fromWire(wire: unknown): LiveState {
  const parsed = wireSchema.parse(wire);
  const byId = <T>(items: readonly { id: string }[]): Map<string, T> =>
    new Map(items.map((item) => [item.id, item as unknown as T]));
  return {
    seq: parsed.seq,
    executorId: parsed.executorId,
    queueMode: parsed.queueMode,
    holds: new Map(parsed.holds),
    // What later versions added has a value in a snapshot of an earlier one too.
    tasks: byId(parsed.tasks.map((task) => ({ failures: 0, ...task, landing: landingOf(task['landing']) }))),
    runs: byId(
      parsed.runs.map((run) => {
        const before = parsed.budget ? {} : { spent: { ...nothingSpent, costUsd: Number(run['costUsd'] ?? 0) } };
        return { snapshots: [], untoldRestore: null, usedMs: 0, ...before, ...run };
      }),
    ),
    sessions: byId(parsed.sessions),
    warm: new Map(parsed.warm.map((item) => [item.runId, item as unknown as never])),
    pastSessions: byId(parsed.pastSessions),
    reports: new Map(parsed.reports.map((item) => [item.report.reportId, item as unknown as never])),
    sources: new Map(parsed.sources),
    pausedSources: new Set(parsed.pausedSources),
    spend: new Map(parsed.spend.map(([hour, spend]) => [hour, spend as unknown as never])),
    budget: parsed.budget ? budgetOf(parsed.budget) : budgetOfEarlierVersion(parsed.spend),
  };
}

/** As it is kept now: earlier versions knew nothing of how a conflict is resolved. */
function landingOf(wire: unknown): unknown {
  return typeof wire === 'object' && wire !== null ? { only: null, conflict: null, ...wire } : null;
}

function budgetOf(wire: NonNullable<z.infer<typeof wireSchema>['budget']>): BudgetState {
  const { quarters, reservations, alerts, ...rest } = wire;
  return {
    ...(rest as unknown as Pick<BudgetState, 'limits' | 'prices' | 'total' | 'held'>),
    quarters: new Map(quarters as unknown as [string, never][]),
    reservations: new Map(reservations.map((item) => [item.runId, item as unknown as never])),
    alerts: new Map(alerts),
  };
}

/** Snapshots from before there was a ledger know what was spent in the last three days, by the hour. */
function budgetOfEarlierVersion(spend: z.infer<typeof wireSchema>['spend']): BudgetState {
  const budget = emptyBudget();
  for (const [hour, { costUsd }] of spend) {
    const spent = { ...nothingSpent, costUsd };
    budget.total = addSpent(budget.total, spent);
    budget.quarters.set(quarterOf(hour * 3_600_000, ''), spent);
  }
  return budget;
}
