import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { EventBody } from '../../../src/core/events';
import { type Kept, LookedAt } from '../../../src/ui/tasks/lookedAt';
import { TaskBoard } from '../../../src/ui/tasks/taskBoard';
import { taskGroups } from '../../../src/ui/tasks/taskGroup';
import { FakeExecutor } from '../../fakes/executor';

function memory(): Kept {
  const values = new Map<string, unknown>();
  return { get: (key) => values.get(key), update: async (key, value) => void values.set(key, value) };
}

const boardOf = (executor: FakeExecutor): TaskBoard => {
  const board = new TaskBoard();
  board.rebuild(executor.state);
  return board;
};

const shown = (board: TaskBoard) => ({
  groups: Object.fromEntries(taskGroups.map((group) => [group, board.idsOf(group)])),
  available: [...board.available()].toSorted(),
});

describe('the task board', () => {
  it('puts queued tasks in the order in which they will start', async () => {
    const executor = new FakeExecutor();
    await executor.add({ title: 'later', prompt: 'p', priority: 3 });
    await executor.add({ title: 'older', prompt: 'p', priority: 1 });
    await executor.add({ title: 'younger', prompt: 'p', priority: 1 });
    assert.deepEqual(boardOf(executor).idsOf('queued'), ['task-2', 'task-3', 'task-1']);
  });

  it('shows the newest of what is done first', async () => {
    const executor = new FakeExecutor();
    for (const title of ['a', 'b']) await executor.add({ title, prompt: 'p' });
    await executor.cancel('task-1');
    await executor.cancel('task-2');
    assert.deepEqual(boardOf(executor).idsOf('done'), ['task-2', 'task-1']);
  });

  it('changes one row and no group when a task looks different and stays where it is', async () => {
    const executor = new FakeExecutor();
    await executor.add({ title: 'a', prompt: 'p' });
    executor.beginRun('task-1', { runId: 'run-1', sessionId: 'session-1' });
    const board = boardOf(executor);
    const events = executor.append({ kind: 'run.progress', runId: 'run-1', message: 'reading', percent: 10 });
    assert.deepEqual(board.apply(executor.state, events), {
      tasks: new Set(['task-1']),
      groups: new Set(),
      groupList: false,
    });
  });

  it('changes the two groups that a task moves between', async () => {
    const executor = new FakeExecutor();
    for (const title of ['a', 'b', 'c']) await executor.add({ title, prompt: 'p' });
    executor.beginRun('task-1', { runId: 'run-1', sessionId: 'session-1' });
    await executor.cancel('task-3');
    const board = boardOf(executor);
    const events = executor.append({
      kind: 'task.ended',
      taskId: 'task-1',
      outcome: 'verified',
      reason: '',
      runId: 'run-1',
    });
    assert.deepEqual(board.apply(executor.state, events), {
      tasks: new Set(['task-1']),
      groups: new Set(['running', 'done']),
      groupList: true,
    });
  });

  it('shows a task anew when its session closes or its report is acknowledged, though the state knows them no more', async () => {
    const executor = new FakeExecutor();
    await executor.add({ title: 'a', prompt: 'p' });
    executor.beginRun('task-1', { runId: 'run-1', sessionId: 'session-1' });
    const report = {
      reportId: 'r-1',
      taskId: 'task-1',
      sourceId: 's',
      externalId: 'x',
      kind: 'complete',
      body: 'f'.repeat(64),
    } as const;
    const board = boardOf(executor);
    const step = (body: EventBody) => board.apply(executor.state, executor.append(body)).tasks;
    assert.deepEqual(step({ kind: 'report.queued', report }), new Set(['task-1']));
    assert.equal(board.reportOfTask('task-1'), 'r-1');
    assert.deepEqual(
      step({ kind: 'session.closed', sessionId: 'session-1', reason: 'done', breach: null }),
      new Set(['task-1']),
    );
    assert.equal(board.abilitiesOfTask('task-1').has('openTerminal'), false);
    assert.deepEqual(step({ kind: 'report.acknowledged', taskId: 'task-1', reportId: 'r-1' }), new Set(['task-1']));
    assert.equal(board.reportOfTask('task-1'), undefined);
  });

  it('asks for the user when a task waits for them or for a budget, and not when it waits for the model', async () => {
    const executor = new FakeExecutor();
    for (const title of ['a', 'b', 'c']) await executor.add({ title, prompt: 'p' });
    executor.append(
      { kind: 'task.waiting', taskId: 'task-1', on: 'user', reason: '' },
      { kind: 'task.waiting', taskId: 'task-2', on: 'budget', reason: '' },
      { kind: 'task.waiting', taskId: 'task-3', on: 'lane', reason: '' },
    );
    const board = boardOf(executor);
    assert.deepEqual([board.idsOf('needsYou'), board.idsOf('queued')], [['task-1', 'task-2'], ['task-3']]);
  });

  it('keeps a paused task among the queued ones, where it can go on', async () => {
    const executor = new FakeExecutor();
    for (const title of ['a', 'b']) await executor.add({ title, prompt: 'p' });
    executor.append({ kind: 'task.paused', taskId: 'task-1' });
    const board = boardOf(executor);
    assert.deepEqual(board.idsOf('queued'), ['task-1', 'task-2']);
    assert.deepEqual([...board.abilitiesOfTask('task-1')].toSorted(), ['cancel', 'move', 'resume', 'showDetails']);
    board.apply(
      executor.state,
      executor.append({ kind: 'task.requeued', taskId: 'task-1', reason: '', notBeforeMs: 0 }),
    );
    const can = board.abilitiesOfTask('task-1');
    assert.deepEqual([can.has('pause'), can.has('resume'), can.has('runNow')], [true, false, true]);
  });

  it('follows the order that the user gave to queued tasks', async () => {
    const executor = new FakeExecutor();
    for (const title of ['a', 'b', 'c']) await executor.add({ title, prompt: 'p' });
    const board = boardOf(executor);
    const changes = board.apply(executor.state, executor.append({ kind: 'task.moved', taskId: 'task-3', rank: 0 }));
    assert.deepEqual(board.idsOf('queued'), ['task-3', 'task-1', 'task-2']);
    assert.deepEqual(changes, { tasks: new Set(['task-3']), groups: new Set(['queued']), groupList: false });
  });

  it('asks for the user while a source refuses a report, until it is sent again or given up', async () => {
    const executor = new FakeExecutor();
    await executor.add({ title: 'a', prompt: 'p' });
    const report = {
      reportId: 'r-1',
      taskId: 'task-1',
      sourceId: 's',
      externalId: 'x',
      kind: 'complete',
      body: 'f'.repeat(64),
    } as const;
    executor.append(
      { kind: 'task.ended', taskId: 'task-1', outcome: 'verified', reason: '', runId: null },
      { kind: 'report.queued', report },
    );
    const lookedAt = new LookedAt(memory());
    const board = new TaskBoard(lookedAt);
    board.rebuild(executor.state);
    const step = (body: EventBody) => board.apply(executor.state, executor.append(body));
    assert.deepEqual(board.shownGroups(), ['done']);
    step({ kind: 'report.dead', taskId: 'task-1', reportId: 'r-1', error: 'gone' });
    assert.deepEqual(board.shownGroups(), ['needsYou']);
    assert.equal(board.abilitiesOfTask('task-1').has('sendReportAgain'), true);
    step({ kind: 'report.revived', taskId: 'task-1', reportId: 'r-1' });
    assert.deepEqual(board.shownGroups(), ['done']);
    assert.equal(board.abilitiesOfTask('task-1').has('sendReportAgain'), false);
    step({ kind: 'report.dead', taskId: 'task-1', reportId: 'r-1', error: 'gone' });
    await lookedAt.add(executor.state, ['task-1']);
    board.place(executor.state, new Set(['task-1']));
    assert.deepEqual(board.shownGroups(), ['needsYou']);
    await lookedAt.giveUpReports(executor.state, ['task-1']);
    board.place(executor.state, new Set(['task-1']));
    assert.deepEqual(board.shownGroups(), ['done']);
    assert.equal(board.abilitiesOfTask('task-1').has('sendReportAgain'), true);
  });

  it('is the same whether it followed the events or was made from the state', async () => {
    const step = fc.record({
      task: fc.integer({ min: 1, max: 6 }),
      what: fc.constantFrom(
        'run',
        'wait',
        'lane',
        'block',
        'resume',
        'end',
        'requeue',
        'close',
        'change',
        'pause',
        'move',
        'refuse',
        'revive',
      ),
      priority: fc.integer({ min: 0, max: 3 }),
    });
    const body = (
      executor: FakeExecutor,
      { task, what, priority }: { task: number; what: string; priority: number },
    ) => {
      const taskId = `task-${task}`;
      const bodies: Record<string, EventBody[]> = {
        wait: [{ kind: 'task.waiting', taskId, on: 'user', reason: '' }],
        lane: [{ kind: 'task.waiting', taskId, on: 'lane', reason: '' }],
        block: [{ kind: 'task.blocked', taskId, reason: '' }],
        resume: [{ kind: 'task.resumed', taskId }],
        end: [{ kind: 'task.ended', taskId, outcome: 'failed', reason: '', runId: null }],
        requeue: [{ kind: 'task.requeued', taskId, reason: '', notBeforeMs: 0 }],
        close: [{ kind: 'session.closed', sessionId: `session-${task}`, reason: '', breach: null }],
        pause: [{ kind: 'task.paused', taskId }],
        move: [{ kind: 'task.moved', taskId, rank: priority }],
        refuse: [
          {
            kind: 'report.queued',
            report: {
              reportId: `r-${task}`,
              taskId,
              sourceId: 's',
              externalId: taskId,
              kind: 'fail',
              body: 'f'.repeat(64),
            },
          },
          { kind: 'report.dead', taskId, reportId: `r-${task}`, error: 'gone' },
        ],
        revive: [{ kind: 'report.revived', taskId, reportId: `r-${task}` }],
        change: [{ kind: 'task.changed', taskId, repo: null, priority }],
      };
      return executor.append(...(bodies[what] ?? []));
    };
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const executor = new FakeExecutor();
        const board = new TaskBoard();
        executor.onDidAppend((events) => board.apply(executor.state, events));
        for (let task = 1; task <= 6; task += 1) await executor.add({ title: 'a', prompt: 'p' });
        for (const each of steps) {
          if (each.what === 'run') {
            const { task } = each;
            executor.beginRun(`task-${task}`, { runId: `run-${task}`, sessionId: `session-${task}` });
          } else body(executor, each);
        }
        assert.deepEqual(shown(board), shown(boardOf(executor)));
      }),
      { numRuns: 200 },
    );
  });
});
