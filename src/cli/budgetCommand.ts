import type { Command } from 'commander';
import path from 'node:path';
import { dollarsOf, noLimits, type Spent, spentToday } from '../core/budget';
import { amountText, describeRoom, type Room, roomsOf } from '../core/budgetRooms';
import type { LiveState } from '../core/liveState';
import { storageOption } from './arguments';
import { visiting } from './visit';
import { oneLine, tableText } from './words';

/** `airlock budget`: what was spent, what is on its way, and what the limits are. */
export function addBudget(airlock: Command): void {
  airlock
    .command('budget')
    .description('show what was spent today, in all and by task, what is reserved, and the limits')
    .option('--json', 'as JSON', false)
    .addOption(storageOption())
    .action((options: { storage: string; json: boolean }) =>
      visiting(path.resolve(options.storage), ({ state }) => {
        const nowMs = Date.now();
        const text = options.json ? JSON.stringify(budgetFigures(state, nowMs)) : budgetText(state, nowMs);
        process.stdout.write(`${text}\n`);
        return Promise.resolve();
      }),
    );
}

function budgetFigures(state: LiveState, nowMs: number): object {
  const { budget } = state;
  return {
    today: spentToday(budget, nowMs),
    total: budget.total,
    tasks: spenders(state).map(({ id, spent }) => ({ id, ...spent })),
    reserved: [...budget.reservations.values()],
    limits: budget.limits,
    rooms: roomsOf(state, budget.limits ?? noLimits, nowMs),
    held: budget.held ?? null,
    prices: budget.prices,
  };
}

export function budgetText(state: LiveState, nowMs: number): string {
  const { budget } = state;
  const limits = budget.limits ?? noLimits;
  const open = [...budget.reservations.values()];
  const rows = [
    ['today', ...spentCells(spentToday(budget, nowMs))],
    ['in all', ...spentCells(budget.total)],
    ...spenders(state).map(({ id, title, spent }) => [`${id}: ${oneLine(title, 40)}`, ...spentCells(spent)]),
  ];
  const limitLines = roomsOf(state, limits, nowMs).map(limitText);
  const each: [string, number | null][] = [
    ['Each run', limits.perRunUsd],
    ['Each task', limits.perTaskUsd],
  ];
  const eachLines = each.flatMap(([name, usd]) => (usd === null ? [] : [`${name}: at most ${amountText(usd, 'usd')}`]));
  if (limits.perTaskTokens !== null) eachLines.push(`Each task: at most ${amountText(limits.perTaskTokens, 'tokens')}`);
  const all = [...limitLines, ...eachLines];
  return [
    tableText(['', 'spent', 'of it unseen', 'tokens', 'unpriced requests'], rows),
    '',
    ...open.map(({ taskId, model, upperUsd, upperTokens }) => {
      const most = upperUsd === null ? 'unknown' : amountText(upperUsd, 'usd');
      return `On its way for ${taskId}: at most ${most}, ${amountText(upperTokens, 'tokens')} (${oneLine(model, 60)})`;
    }),
    ...(all.length > 0 ? all : ['There are no limits.']),
    ...(budget.held ? [`Nothing new is started: ${oneLine(budget.held.reason, 400)}`] : []),
    `Prices: ${budget.prices || 'none yet'}`,
  ].join('\n');
}

function limitText(room: Room): string {
  const { spent, reserved, limit, unit } = room;
  const onTheWay = reserved > 0 ? `, ${amountText(reserved, unit)} reserved` : '';
  return `${describeRoom(room)}: ${amountText(spent, unit)} of ${amountText(limit, unit)} spent${onTheWay}`;
}

function spentCells(spent: Spent): string[] {
  const { unseenUsd, tokens, unpriced } = spent;
  return [
    amountText(dollarsOf(spent), 'usd'),
    amountText(unseenUsd, 'usd'),
    Math.round(tokens).toLocaleString('en-US'),
    String(unpriced),
  ];
}

/** Tasks that have spent something, the dearest first. */
function spenders({ tasks }: LiveState): { readonly id: string; readonly title: string; readonly spent: Spent }[] {
  return [...tasks.values()]
    .flatMap(({ id, spec, spent }) => (spent ? [{ id, title: spec.title, spent }] : []))
    .sort((a, b) => dollarsOf(b.spent) - dollarsOf(a.spent));
}
