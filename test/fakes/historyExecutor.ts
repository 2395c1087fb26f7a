import type { HistoryAnswer, HistoryQuery, SumRow, TaskRow } from '../../src/core/history';
import { noUsage } from '../../src/core/usage';
import { FakeExecutor } from './executor';

/** An executor that answers each kind of question to its history with rows of its own. */
export class HistoryExecutor extends FakeExecutor {
  /** Of one day each. They are of no model, persona, source or repository. */
  sums: SumRow[] = [];
  /** Of each other dimension. */
  byModel: SumRow[] = [];
  tasks: TaskRow[] = [];

  override async history(query: HistoryQuery): Promise<HistoryAnswer> {
    // Records the call, and fails or waits when it was told to.
    await super.history(query);
    switch (query.kind) {
      case 'sums': {
        const { from, to } = query.span;
        const days = this.sums.filter(({ keys: { day = '' } }) => day >= from && day <= to);
        return { kind: 'sums', rows: query.by[0] === 'day' ? days : this.byModel };
      }
      case 'tasksOf': {
        const { model } = query.of;
        const rows = this.tasks.filter(({ title }) => model === undefined || title.includes(model));
        return { kind: 'tasksOf', rows: rows.slice(0, query.limit) };
      }
      case 'tasks':
        return { kind: 'tasks', rows: this.tasks.slice(0, query.limit) };
      default:
        return this.historyAnswer;
    }
  }
}

export function sumRow(keys: SumRow['keys'], given: Partial<SumRow> = {}): SumRow {
  return {
    keys,
    usage: noUsage,
    costUsd: 0,
    unpriced: 0,
    requests: 0,
    outcomes: {},
    runsStarted: 0,
    waits: 0,
    queueWaitMs: 0,
    runsEnded: 0,
    runMs: 0,
    sessions: 0,
    sessionMs: 0,
    retries: 0,
    firstTokens: 0,
    firstTokenMs: 0,
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
