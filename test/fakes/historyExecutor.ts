import type { DailyRow, HistoryAnswer, HistoryQuery, ModelRow, TaskRow } from '../../src/core/history';
import { dailyRowSchema } from '../../src/core/history';
import { noUsage } from '../../src/core/usage';
import { FakeExecutor } from './executor';

/** An executor that answers each kind of question to its history with rows of its own. */
export class HistoryExecutor extends FakeExecutor {
  daily: DailyRow[] = [];
  byModel: ModelRow[] = [];
  tasks: TaskRow[] = [];

  override async history(query: HistoryQuery): Promise<HistoryAnswer> {
    // Records the call, and fails or waits when it was told to.
    await super.history(query);
    switch (query.kind) {
      case 'daily':
        return { kind: 'daily', rows: this.daily };
      case 'byModel':
        return { kind: 'byModel', rows: this.byModel };
      case 'tasks':
        return { kind: 'tasks', rows: this.tasks.slice(0, query.limit) };
      default:
        return this.historyAnswer;
    }
  }
}

export function dailyRow(day: string, given: Partial<DailyRow> = {}): DailyRow {
  return {
    ...dailyRowSchema.parse({ day, usage: noUsage, costUsd: 0, unpriced: 0, requests: 0, outcomes: {} }),
    ...given,
  };
}

export function taskRow(taskId: string, given: Partial<TaskRow> = {}): TaskRow {
  return {
    taskId,
    title: `Title of ${taskId}`,
    outcome: 'verified',
    sourceId: 'user',
    repo: '/home/dev/project',
    attempts: 1,
    usage: noUsage,
    costUsd: 0.01,
    queuedAtMs: Date.UTC(2026, 0, 5, 10),
    endedAtMs: Date.UTC(2026, 0, 5, 10, 2),
    ...given,
  };
}
