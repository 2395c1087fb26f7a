import { addSpent, dollarsOf, nothingSpent, quarterOf, type Reservation, type Spent } from './budget';
import type { AirlockEvent } from './events';
import type { LiveState, RunState } from './liveState';
import { addUsage, inputTokensOf, noUsage, totalTokens } from './usage';

const hourMs = 3_600_000;
const keptHours = 72;
const maxQuarters = 2000;
const maxAlerts = 200;

type EventOf<K extends AirlockEvent['kind']> = Extract<AirlockEvent, { kind: K }>;

/** A request was let out. */
export function foldReserved(state: LiveState, run: RunState, event: EventOf<'request.reserved'>): void {
  const { runId, model, promptBound, upperUsd, upperTokens, atMs } = event;
  const { taskId, persona } = run;
  // One before it whose end nobody told counts at its most.
  settle(state, run.id, atMs, true);
  const of = { runId, taskId, persona, model, promptBound, upperUsd, upperTokens, atMs };
  state.budget.reservations.set(runId, { ...of, seen: nothingSpent });
}

/** Usage was told: it is spent, whatever becomes of the request. */
export function foldUsage(state: LiveState, run: RunState, event: EventOf<'usage.recorded'>): void {
  const { usage, model, costUsd, atMs } = event;
  recordSpend(state, run, event);
  const spent: Spent = {
    costUsd: costUsd ?? 0,
    unseenUsd: 0,
    unpriced: costUsd === null ? 1 : 0,
    tokens: totalTokens(usage),
  };
  count(state, run, atMs, spent);
  const reservation = state.budget.reservations.get(run.id);
  if (!reservation) return;
  state.budget.reservations.set(run.id, { ...reservation, seen: addSpent(reservation.seen, spent) });
  run.lastPrompt = { model, bound: reservation.promptBound, tokens: totalTokens(usage) };
  // Nothing was told of the prompt: it is not known how large it was.
  if (inputTokensOf(usage) === 0) delete run.lastPrompt;
}

export function foldSettled(state: LiveState, event: EventOf<'request.settled'>): void {
  settle(state, event.runId, event.atMs, event.unseen);
}

/** Of the process that ended nobody will tell what its requests came to. */
export function settleAll(state: LiveState): void {
  for (const { runId, atMs } of [...state.budget.reservations.values()]) settle(state, runId, atMs, true);
}

export function foldBudget(state: LiveState, event: EventOf<'budget.limited' | 'budget.alert' | 'queue.held'>): void {
  const { budget } = state;
  switch (event.kind) {
    case 'budget.limited':
      budget.limits = event.limits;
      budget.prices = event.prices;
      return;
    case 'budget.alert':
      budget.alerts.delete(event.about);
      budget.alerts.set(event.about, event.percent);
      forgetFirst(budget.alerts, maxAlerts);
      return;
    case 'queue.held':
      if (event.reason === null) delete budget.held;
      else budget.held = { reason: event.reason, untilMs: event.untilMs ?? null };
      return;
  }
}

function recordSpend(state: LiveState, run: RunState, event: EventOf<'usage.recorded'>): void {
  run.usage = addUsage(run.usage, event.usage);
  run.costUsd = run.costUsd === null || event.costUsd === null ? null : run.costUsd + event.costUsd;
  const hour = Math.floor(event.atMs / hourMs);
  const before = state.spend.get(hour) ?? { costUsd: 0, unpriced: 0, usage: noUsage };
  state.spend.set(hour, {
    costUsd: before.costUsd + (event.costUsd ?? 0),
    unpriced: before.unpriced + (event.costUsd === null ? 1 : 0),
    usage: addUsage(before.usage, event.usage),
  });
  for (const kept of state.spend.keys()) if (kept < hour - keptHours) state.spend.delete(kept);
}

function settle(state: LiveState, runId: string, atMs: number, unseen: boolean): void {
  const reservation = state.budget.reservations.get(runId);
  if (!reservation) return;
  state.budget.reservations.delete(runId);
  const run = state.runs.get(runId);
  if (run) count(state, run, atMs, unseenOf(reservation, unseen));
}

/** What a request may have cost beyond what was told of it. */
function unseenOf({ upperUsd, upperTokens, seen }: Reservation, unseen: boolean): Spent {
  // Another model answered than was asked, and its price is not known: what was reserved counts.
  if (!unseen && (seen.unpriced === 0 || upperUsd === null)) return nothingSpent;
  return {
    costUsd: 0,
    unseenUsd: Math.max(0, (upperUsd ?? 0) - dollarsOf(seen)),
    unpriced: upperUsd === null && seen.unpriced === 0 ? 1 : 0,
    tokens: unseen ? Math.max(0, upperTokens - seen.tokens) : 0,
  };
}

function count(state: LiveState, run: RunState, atMs: number, spent: Spent): void {
  const { budget } = state;
  budget.total = addSpent(budget.total, spent);
  run.spent = addSpent(run.spent ?? nothingSpent, spent);
  const task = state.tasks.get(run.taskId);
  if (task) task.spent = addSpent(task.spent ?? nothingSpent, spent);
  const quarter = quarterOf(atMs, run.persona);
  budget.quarters.set(quarter, addSpent(budget.quarters.get(quarter) ?? nothingSpent, spent));
  // By their number and not by their age: a clock that jumps ahead and back forgets nothing of today.
  forgetFirst(budget.quarters, maxQuarters);
}

function forgetFirst(map: Map<unknown, unknown>, max: number): void {
  for (const key of map.keys()) {
    if (map.size <= max) return;
    map.delete(key);
  }
}
