import {
  addSpent,
  type BudgetLimits,
  dollarsOf,
  endOfDayMs,
  nothingSpent,
  type Reservation,
  spentToday,
  startOfDayMs,
  type Spent,
} from './budget';
import type { TaskId } from './ids';
import type { LiveState, RunState } from './liveState';

/** One limit, and how much of it is left. */
export interface Room {
  readonly scope: 'run' | 'task' | 'persona' | 'day' | 'total';
  /** The task's or the persona's name; empty where there is none. */
  readonly subject: string;
  readonly unit: 'usd' | 'tokens';
  readonly limit: number;
  readonly spent: number;
  /** What requests on their way can take at most. */
  readonly reserved: number;
  /** When there is room again by itself, in wall time; `null` when there never is. */
  readonly untilMs: number | null;
  /** Names this limit in this period of it. */
  readonly about: string;
}

/** Every limit that holds for a request of `run`; without a run, those that hold for all. */
export function roomsOf(state: LiveState, limits: BudgetLimits, nowMs: number, run?: RunState): Room[] {
  const { budget } = state;
  const untilMs = endOfDayMs(nowMs);
  const rooms: (Room | undefined)[] = [];
  const add =
    (scope: Room['scope'], subject: string, spent: Spent, isOf: (of: Reservation) => boolean) =>
    (unit: Room['unit'], limit: number | null | undefined): void => {
      if (limit === null || limit === undefined) return;
      const isDaily = scope === 'day' || scope === 'persona';
      const open = [...budget.reservations.values()].filter(isOf);
      rooms.push({
        scope,
        subject,
        unit,
        limit,
        spent: unit === 'usd' ? dollarsOf(spent) : spent.tokens,
        reserved: open.reduce((sum, of) => sum + (unit === 'usd' ? (of.upperUsd ?? 0) : of.upperTokens), 0),
        untilMs: isDaily ? untilMs : null,
        about: [scope, subject, unit, limit, ...(isDaily ? [dateText(nowMs)] : [])].join(' '),
      });
    };
  if (run) {
    add('run', run.id, run.spent ?? nothingSpent, ({ runId }) => runId === run.id)('usd', limits.perRunUsd);
    if (limits.perTaskUsd !== null || limits.perTaskTokens !== null) {
      const payer = payerOf(state, run.taskId);
      const ofTask = add('task', payer, spentFor(state, payer), ({ taskId }) => payerOf(state, taskId) === payer);
      ofTask('usd', limits.perTaskUsd);
      ofTask('tokens', limits.perTaskTokens);
    }
  }
  for (const [name, limit] of Object.entries(limits.perPersonaUsd)) {
    if (run && run.persona !== name) continue;
    add('persona', name, spentToday(budget, nowMs, name), ({ persona }) => persona === name)('usd', limit);
  }
  const ofDay = add('day', '', spentToday(budget, nowMs), () => true);
  ofDay('usd', limits.perDayUsd);
  ofDay('tokens', limits.perDayTokens);
  const ofAll = add('total', '', budget.total, () => true);
  ofAll('usd', limits.totalUsd);
  ofAll('tokens', limits.totalTokens);
  return rooms.filter((room) => room !== undefined);
}

/** Whose budget a task is paid from: that of the task which it was split from, or whose result it looks at, and so on up. */
function payerOf({ tasks }: LiveState, taskId: TaskId): TaskId {
  let payer = taskId;
  for (let up = tasks.get(payer)?.spec.parent; up && tasks.has(up.taskId); up = tasks.get(payer)?.spec.parent)
    payer = up.taskId;
  return payer;
}

function spentFor(state: LiveState, payer: TaskId): Spent {
  const paid = [...state.tasks.values()].filter(({ id, spent }) => spent && payerOf(state, id) === payer);
  return paid.reduce((sum, { spent = nothingSpent }) => addSpent(sum, spent), nothingSpent);
}

/** For people, in English. */
export function describeRoom({ scope, subject }: Room): string {
  switch (scope) {
    case 'run':
      return 'The budget of this run';
    case 'task':
      return `The budget of the task ${subject}`;
    case 'persona':
      return `Today’s budget of the persona ${subject}`;
    case 'day':
      return 'Today’s budget';
    case 'total':
      return 'The budget of the whole queue';
  }
}

/** Figures for people: cents as far as they matter. */
export function amountText(amount: number, unit: Room['unit']): string {
  if (unit === 'tokens') return `${Math.round(amount).toLocaleString('en-US')} tokens`;
  return `${amount.toFixed(amount < 0.01 && amount > 0 ? 4 : 2)} $`;
}

/** The day of the executor's time zone. */
function dateText(nowMs: number): string {
  const day = new Date(startOfDayMs(nowMs));
  return `${day.getFullYear()}-${day.getMonth() + 1}-${day.getDate()}`;
}
