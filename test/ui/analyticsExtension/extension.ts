import * as vscode from 'vscode';
import { reportWriter } from '../../../src/analytics/usageReport';
import { systemClock } from '../../../src/base/clock';
import { silentLogger } from '../../../src/base/logger';
import { budgetLimitsSchema, quarterOf } from '../../../src/core/budget';
import { registerAnalytics } from '../../../src/ui/analytics/analyticsPanel';
import { HistoryExecutor, sumRow, taskRow } from '../../fakes/historyExecutor';

const dayMs = 24 * 60 * 60 * 1000;

/** An extension with the analytics page alone, over a history that commands change. */
export function activate(context: vscode.ExtensionContext): void {
  const executor = new HistoryExecutor();
  fillHistory(executor);
  const command = (id: string, run: () => void) => context.subscriptions.push(vscode.commands.registerCommand(id, run));
  context.subscriptions.push(
    registerAnalytics({
      extensionUri: context.extensionUri,
      executor,
      reveal: async (taskId) => void (await vscode.window.showInformationMessage(`Revealed ${taskId}`)),
      writeReport: reportWriter((text) => text, systemClock),
      logger: silentLogger,
    }),
  );
  command('fixture.fill', () => fillHistory(executor));
  command('fixture.empty', () => Object.assign(executor, { sums: [], byModel: [], tasks: [] }));
  command('fixture.fail', () => executor.failNext('history', new Error('The journal is damaged at line 7.')));
  command('fixture.append', () => {
    executor.tasks = [taskRow('task-new', { title: 'Ended while the page was open' }), ...executor.tasks];
    executor.append({ kind: 'task.ended', taskId: 'task-new', outcome: 'verified', reason: '', runId: null });
  });
}

/** A month of work: quiet weekends, a model whose price is not known, every verdict, and budgets. */
function fillHistory(executor: HistoryExecutor): void {
  const nowMs = Date.now();
  const { budget } = executor.state;
  budget.limits = budgetLimitsSchema.parse({ perDayUsd: 20, totalUsd: 500, perPersonaUsd: { reviewer: 2 } });
  budget.total = { costUsd: 31.2, unseenUsd: 0, unpriced: 2, tokens: 9_000_000 };
  budget.quarters.set(quarterOf(nowMs, 'reviewer'), { costUsd: 2.5, unseenUsd: 0, unpriced: 0, tokens: 90_000 });
  executor.sums = Array.from({ length: 30 }, (_, age) => ({ age, at: new Date(nowMs - age * dayMs) }))
    .filter(({ at }) => at.getUTCDay() % 6 !== 0)
    .map(({ age, at }) => {
      const load = 1 + ((age * 7) % 5);
      return sumRow(
        { day: at.toISOString().slice(0, 10) },
        {
          usage: {
            inputTokens: 21_000 * load,
            cacheWrite5mTokens: 34_000 * load,
            cacheWrite1hTokens: 0,
            cacheReadTokens: 180_000 * load,
            outputTokens: 15_000 * load,
          },
          costUsd: 0.47 * load,
          requests: 12 * load,
          unpriced: age === 3 ? 2 : 0,
          outcomes: { verified: load, partial: age % 3 === 0 ? 1 : 0, contradicted: age % 4 === 0 ? 1 : 0 },
          runsStarted: load,
          waits: load,
          queueWaitMs: 40_000 * load * load,
          sessions: load,
          sessionMs: 600_000 * load,
          retries: age % 5,
          firstTokens: 10,
          firstTokenMs: 7_000 + 900 * load,
        },
      );
    });
  const usage = { ...sumRow({}).usage, inputTokens: 12_000, outputTokens: 3400, cacheReadTokens: 51_000 };
  executor.byModel = [
    sumRow(
      { model: 'claude-sonnet-5' },
      { usage, costUsd: 31.2, requests: 640, runsStarted: 50, outcomes: { verified: 40 } },
    ),
    sumRow({ model: 'parser' }, { usage, unpriced: 2, requests: 2, runsStarted: 2, firstTokens: 2, firstTokenMs: 900 }),
  ];
  const outcomes = ['verified', 'partial', 'contradicted', 'unchecked', 'failed', 'cancelled'] as const;
  executor.tasks = Array.from({ length: 60 }, (_, age) =>
    taskRow(`task-${age}`, {
      title: `${['Fix the parser for empty input', 'Add a --json flag', '<b>Document</b> the "retry" policy'][age % 3]} (${age})`,
      outcome: outcomes[age % outcomes.length] ?? 'verified',
      attempts: 1 + (age % 3),
      usage,
      costUsd: age % 7 === 3 ? null : 0.0312 * (1 + (age % 4)),
      queuedAtMs: nowMs - age * 3_600_000 - 95_000 * (1 + (age % 9)),
      endedAtMs: nowMs - age * 3_600_000,
    }),
  );
}
