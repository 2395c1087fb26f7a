import assert from 'node:assert/strict';
import { silentLogger } from '../../../src/base/logger';
import { type BudgetLimits, dollarsOf, endOfDayMs, noLimits, spentToday } from '../../../src/core/budget';
import type { EventBody } from '../../../src/core/events';
import { fromWire, toWire } from '../../../src/core/snapshot';
import { noUsage, type TokenUsage } from '../../../src/core/usage';
import { BudgetLedger, type PlannedRequest } from '../../../src/executor/budgetLedger';
import { budgetAtStart, BudgetWatch, budgetWaits } from '../../../src/executor/budgetWatch';
import { UserError } from '../../../src/base/errors';
import { FakeClock, settle } from '../../fakes/clock';
import { MemoryLog } from '../../fakes/memoryLog';
import { queued, runStarted } from '../core/sampleEvents';

/** A model of a dollar for a million tokens of input, two for what is kept for an hour, and ten of output. */
function costOf(model: string, usage: TokenUsage): number | null {
  if (model !== 'known') return null;
  return (usage.inputTokens + usage.cacheWrite1hTokens * 2 + usage.outputTokens * 10) / 1e6;
}

/** What a request of `plan` is reserved at: (9,000 + 1,000) tokens at 2 $ and 8,000 at 10 $ for a million. */
const upperUsd = 0.1;

describe('the budget ledger', () => {
  let clock: FakeClock;
  let log: MemoryLog;
  beforeEach(async () => {
    clock = new FakeClock();
    log = new MemoryLog(clock);
    for (const name of ['a', 'b', 'c'])
      await log.append([queued(`task-${name}`), runStarted(`run-${name}`, `task-${name}`)]);
  });

  const ledgerWith = (limits: Partial<BudgetLimits>): BudgetLedger =>
    new BudgetLedger({ events: log, costOf, clock }, { ...noLimits, ...limits });
  const plan = (name: string, changes: Partial<PlannedRequest> = {}): PlannedRequest => ({
    runId: `run-${name}`,
    model: 'known',
    maxOutputTokens: 8_000,
    promptBound: 9_000,
    goesOn: true,
    maxRunUsd: null,
    isTasksOwn: false,
    ...changes,
  });
  const reserve = (ledger: BudgetLedger, name: string, changes: Partial<PlannedRequest> = {}): Promise<void> =>
    ledger.reserve(plan(name, changes), new AbortController().signal);
  /** The answer came and cost so much. */
  const answered = async (ledger: BudgetLedger, name: string, costUsd: number, usage = noUsage): Promise<void> => {
    const runId = `run-${name}`;
    await log.append([
      { kind: 'usage.recorded', runId, model: 'known', usage, costUsd },
      ...ledger.settled(runId, false),
    ]);
    await ledger.tellAlerts(runId, null);
  };
  const total = (): number => Number(dollarsOf(log.state.budget.total).toFixed(6));
  const alerts = (): string[] => log.events.flatMap((event) => (event.kind === 'budget.alert' ? [event.message] : []));

  it('reserves the most that a request can cost, at the dearest class of its prompt, and settles what it did cost', async () => {
    const ledger = ledgerWith({});
    await reserve(ledger, 'a');
    const [reservation] = log.state.budget.reservations.values();
    assert.deepEqual([reservation?.upperUsd, reservation?.upperTokens], [upperUsd, 18_000]);
    await answered(ledger, 'a', 0.03);
    assert.deepEqual([log.state.budget.reservations.size, total()], [0, 0.03]);
  });

  const limits: [string, Partial<BudgetLimits>, Partial<PlannedRequest>, RegExp][] = [
    [
      'of a run',
      {},
      { maxRunUsd: 0.15 },
      /^The budget of this run is used up: 0\.06 \$ of 0\.15 \$ spent, .* may take 0\.10 \$\. Raise it/,
    ],
    ['of a task', { perTaskUsd: 0.15 }, {}, /^The budget of the task task-a is used up/],
    [
      'of a persona',
      { perPersonaUsd: { implementer: 0.15 } },
      {},
      /^Today’s budget of the persona implementer .* goes on tomorrow/,
    ],
    ['of a day', { perDayUsd: 0.15 }, {}, /^Today’s budget is used up: .* goes on tomorrow by itself/],
    ['of the whole queue', { totalUsd: 0.15 }, {}, /^The budget of the whole queue is used up/],
    [
      'of a task in tokens',
      { perTaskTokens: 19_000 },
      {},
      /^The budget of the task task-a is used up: 2,000 tokens of 19,000 tokens/,
    ],
    ['of a day in tokens', { perDayTokens: 19_000 }, {}, /may take 18,000 tokens/],
  ];
  for (const [title, some, changes, words] of limits) {
    it(`stops before the limit ${title} would be passed`, async () => {
      const ledger = ledgerWith(some);
      await reserve(ledger, 'a', changes);
      await answered(ledger, 'a', 0.06, { ...noUsage, outputTokens: 2_000 });
      await assert.rejects(reserve(ledger, 'a', { ...changes, goesOn: false }), {
        code: 'budget-spent',
        message: words,
      });
      assert.equal(log.state.budget.reservations.size, 0);
    });
  }

  for (const [first, second] of [
    ['a', 'review'],
    ['review', 'a'],
    ['a', 'part'],
    ['part', 'part-review'],
  ] as const) {
    it(`pays sub-tasks and reviews from the budget of the task that they come from: ${first}, then ${second}`, async () => {
      const tasks = [
        ['review', { kind: 'review', taskId: 'task-a', depth: 1 }],
        ['part', { kind: 'subtask', taskId: 'task-a', depth: 1 }],
        ['part-review', { kind: 'review', taskId: 'task-part', depth: 2 }],
      ] as const;
      for (const [name, parent] of tasks)
        await log.append([queued(`task-${name}`, { parent }), runStarted(`run-${name}`, `task-${name}`)]);
      const ledger = ledgerWith({ perTaskUsd: 0.15 });
      await reserve(ledger, first);
      await answered(ledger, first, 0.06);
      await assert.rejects(reserve(ledger, second), {
        code: 'budget-spent',
        message: /^The budget of the task task-a is used up: 0\.06 \$ of 0\.15 \$ spent/,
      });
      await reserve(ledger, 'b');
    });
  }

  it('counts what others have reserved: what fits but for them waits until they are settled', async () => {
    const ledger = ledgerWith({ perDayUsd: 0.25 });
    const done: string[] = [];
    const all = ['a', 'b', 'c'].map((name) => reserve(ledger, name).then(() => done.push(name)));
    await settle();
    assert.deepEqual([done, log.state.budget.reservations.size], [['a', 'b'], 2]);
    await answered(ledger, 'a', 0.01);
    await Promise.all(all);
    assert.deepEqual(done, ['a', 'b', 'c']);
  });

  it('never lets more out than the limit, whoever asks at once and whatever it comes to', async () => {
    const ledger = ledgerWith({ totalUsd: 0.35 });
    const work = async (name: string): Promise<void> => {
      for (;;) {
        await reserve(ledger, name, { goesOn: false });
        await answered(ledger, name, upperUsd);
      }
    };
    const ends = await Promise.allSettled(['a', 'b', 'c'].map(work));
    assert.deepEqual([ends.map(({ status }) => status), total()], [['rejected', 'rejected', 'rejected'], 0.3]);
  });

  it('lets go of a run that is ended while it waits', async () => {
    const ledger = ledgerWith({ perDayUsd: 0.15 });
    await reserve(ledger, 'a');
    const ending = new AbortController();
    const waiting = ledger.reserve(plan('b'), ending.signal);
    await settle();
    ending.abort();
    await assert.rejects(waiting, { name: 'CancelledError' });
    assert.equal(clock.pendingTimers, 0);
  });

  it('counts a request that was never seen to its end at its most, after a crash too', async () => {
    const ledger = ledgerWith({});
    await reserve(ledger, 'a');
    await log.append(ledger.settled('run-a', true));
    assert.equal(total(), 0.1);
    await reserve(ledger, 'b');
    await log.append([
      {
        kind: 'executor.started',
        executorId: 'again',
        process: { pid: 1, startTicks: 1, bootId: 'x' },
        version: '1',
        sources: [],
      },
    ]);
    assert.deepEqual([log.state.budget.reservations.size, total()], [0, 0.2]);
    assert.equal(log.state.tasks.get('task-b')?.spent?.unseenUsd, 0.1);
  });

  it('counts what was told of a broken answer once, and the rest up to its most', async () => {
    const ledger = ledgerWith({});
    await reserve(ledger, 'a');
    await log.append([{ kind: 'usage.recorded', runId: 'run-a', model: 'known', usage: noUsage, costUsd: 0.04 }]);
    await log.append(ledger.settled('run-a', true));
    assert.deepEqual([log.state.budget.total.costUsd, total()], [0.04, 0.1]);
  });

  it('counts nothing for a request that was refused', async () => {
    const ledger = ledgerWith({});
    await reserve(ledger, 'a');
    await log.append(ledger.settled('run-a', false));
    assert.deepEqual([log.state.budget.reservations.size, total()], [0, 0]);
  });

  it('counts what was reserved when another model answered whose price is not known', async () => {
    const ledger = ledgerWith({});
    await reserve(ledger, 'a');
    await log.append([
      { kind: 'usage.recorded', runId: 'run-a', model: 'other', usage: noUsage, costUsd: null },
      ...ledger.settled('run-a', false),
    ]);
    assert.equal(total(), 0.1);
  });

  it('bounds a conversation that goes on by what its last prompt was measured at', async () => {
    const ledger = ledgerWith({});
    await reserve(ledger, 'a', { promptBound: 100_000 });
    await answered(ledger, 'a', 0.01, { ...noUsage, inputTokens: 20_000, outputTokens: 500 });
    await reserve(ledger, 'a', { promptBound: 104_000 });
    assert.equal(log.state.budget.reservations.get('run-a')?.upperTokens, 20_500 + 4_000 + 1_000 + 8_000);
    await answered(ledger, 'a', 0.01, { ...noUsage, inputTokens: 21_000 });
    await reserve(ledger, 'a', { promptBound: 104_000, goesOn: false });
    assert.equal(log.state.budget.reservations.get('run-a')?.upperTokens, 104_000 + 1_000 + 8_000);
  });

  it('believes a server that counts more tokens than there are bytes', async () => {
    const ledger = ledgerWith({});
    await reserve(ledger, 'a', { promptBound: 5_000 });
    await answered(ledger, 'a', 0.01, { ...noUsage, inputTokens: 400_000 });
    await reserve(ledger, 'a', { promptBound: 6_000 });
    assert.equal(log.state.budget.reservations.get('run-a')?.upperTokens, 401_000 + 1_000 + 8_000);
    await reserve(ledger, 'a', { promptBound: 6_000, goesOn: false });
    assert.equal(log.state.budget.reservations.get('run-a')?.upperTokens, 480_000 + 1_000 + 8_000);
  });

  it('asks no model of an unknown price while there is a limit in dollars, unless that is allowed', async () => {
    const unknown = { model: 'mystery' };
    await assert.rejects(reserve(ledgerWith({ perDayUsd: 5 }), 'a', unknown), { code: 'price-unknown' });
    await reserve(ledgerWith({ perDayUsd: 5, unknownPrices: 'allow' }), 'a', unknown);
    await reserve(ledgerWith({ perDayTokens: 50_000 }), 'b', unknown);
    await reserve(ledgerWith({}), 'c', unknown);
  });

  it('gives an alert at 50, at 80 and at 100 percent, once each a day, and anew when the limit is another', async () => {
    const ledger = ledgerWith({ perDayUsd: 1 });
    for (const costUsd of [0.4, 0.15, 0.1, 0.2, 0.1]) {
      await reserve(ledger, 'a', { goesOn: false, promptBound: 0, maxOutputTokens: 100 });
      await answered(ledger, 'a', costUsd);
    }
    await assert.rejects(reserve(ledger, 'a'));
    await assert.rejects(reserve(ledger, 'b'));
    assert.deepEqual(alerts(), [
      'Today’s budget: more than 50 % is spent (0.55 $ of 1.00 $ spent).',
      'Today’s budget: more than 80 % is spent (0.85 $ of 1.00 $ spent).',
      'Today’s budget is used up: 0.95 $ of 1.00 $ spent.',
    ]);
    await ledgerWith({ perDayUsd: 1.5 }).tellAlerts('run-a', null);
    clock.jump(86_400_000);
    await answered(ledger, 'a', 0.9);
    assert.equal(alerts().length, 5);
  });

  it('begins a day at midnight of this machine, and forgets nothing of it when the clock jumps ahead and back', async () => {
    const ledger = ledgerWith({ perDayUsd: 0.15 });
    await reserve(ledger, 'a');
    await answered(ledger, 'a', 0.06);
    const dayMs = 86_400_000;
    clock.jump(3 * dayMs);
    assert.equal(dollarsOf(spentToday(log.state.budget, clock.nowMs())), 0);
    await reserve(ledger, 'a', { goesOn: false });
    await answered(ledger, 'a', 0.01);
    clock.jump(-3 * dayMs);
    await assert.rejects(reserve(ledger, 'a', { goesOn: false }), { code: 'budget-spent' });
    assert.equal(new Date(endOfDayMs(clock.nowMs())).getHours(), 0);
  });

  it('is the same after a snapshot', async () => {
    const ledger = ledgerWith({ perDayUsd: 0.12 });
    await reserve(ledger, 'a');
    await answered(ledger, 'a', 0.06);
    await reserve(ledger, 'b', { maxOutputTokens: 1 });
    assert.deepEqual(fromWire(JSON.parse(JSON.stringify(toWire(log.state)))), log.state);
  });
});

describe('what waits for the budget', () => {
  let clock: FakeClock;
  let log: MemoryLog;
  let watch: BudgetWatch;
  const limits = { ...noLimits, perDayUsd: 1 };
  beforeEach(async () => {
    clock = new FakeClock();
    log = new MemoryLog(clock);
    watch = new BudgetWatch({ events: log, clock, logger: silentLogger });
    watch.start();
    await log.append([queued('task-a'), runStarted('run-a', 'task-a'), ...budgetAtStart(log.state, limits, 'p', 0)]);
  });
  afterEach(() => {
    watch.dispose();
    assert.equal(clock.pendingTimers, 0);
  });

  const spend = async (scope: string, untilMs: number | null): Promise<void> => {
    const task = log.state.tasks.get('task-a');
    assert.ok(task);
    await log.append(budgetWaits(task, new UserError('budget-spent', 'No more today.', { scope, untilMs })));
  };
  const shows = (): unknown => {
    const task = log.state.tasks.get('task-a');
    return { status: task?.status, on: task?.waitingOn, held: log.state.holds.get('budget') ?? null };
  };
  const started = (): EventBody => ({
    kind: 'executor.started',
    executorId: 'again',
    process: { pid: 1, startTicks: 1, bootId: 'x' },
    version: '1',
    sources: [],
  });

  it('goes on by itself at midnight, and the queue with it', async () => {
    await spend('day', endOfDayMs(clock.nowMs()));
    assert.deepEqual(shows(), { status: 'waiting', on: 'budget', held: 'No more today.' });
    const leftMs = endOfDayMs(clock.nowMs()) - clock.nowMs();
    await clock.advance(leftMs - 1);
    assert.deepEqual(shows(), { status: 'waiting', on: 'budget', held: 'No more today.' });
    await clock.advance(30_001);
    assert.deepEqual(shows(), { status: 'queued', on: null, held: null });
  });

  it('goes on when the machine slept over midnight', async () => {
    await spend('persona', endOfDayMs(clock.nowMs()));
    assert.deepEqual(shows(), { status: 'waiting', on: 'budget', held: null });
    clock.jump(86_400_000);
    await clock.advance(30_000);
    assert.deepEqual(shows(), { status: 'queued', on: null, held: null });
  });

  it('stays so over a restart with the same limits, and goes on with others', async () => {
    await spend('total', null);
    await log.append([started(), ...budgetAtStart(log.state, limits, 'p', clock.nowMs())]);
    assert.deepEqual(shows(), { status: 'waiting', on: 'budget', held: 'No more today.' });
    await log.append([started(), ...budgetAtStart(log.state, { ...limits, perDayUsd: 2 }, 'p', clock.nowMs())]);
    assert.deepEqual(shows(), { status: 'queued', on: null, held: null });
  });
});
