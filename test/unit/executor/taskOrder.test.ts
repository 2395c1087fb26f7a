import assert from 'node:assert/strict';
import { compareTasks, readinessOf } from '../../../src/executor/taskOrder';
import { emptyState, type TaskState } from '../../../src/core/liveState';

const hourMs = 3_600_000;

function task(
  id: string,
  changes: Partial<TaskState> & { priority?: 0 | 1 | 2 | 3; dependsOn?: string[] } = {},
): TaskState {
  const { priority = 2, dependsOn = [], ...rest } = changes;
  return {
    id,
    spec: {
      title: id,
      prompt: '0'.repeat(64),
      priority,
      persona: null,
      checks: null,
      limits: {},
      dependsOn,
      repo: '/repo',
      origin: { sourceId: 'user', externalId: id },
      context: null,
      refusal: null,
    },
    status: 'queued',
    reason: '',
    statusBeforeWait: null,
    waitingOn: null,
    accepted: true,
    attempts: 0,
    failures: 0,
    runId: null,
    landing: null,
    queuedAtMs: 0,
    notBeforeMs: 0,
    endedAtMs: null,
    changedAtMs: 0,
    ...rest,
  };
}

function order(...tasks: TaskState[]): string[] {
  return tasks.sort(compareTasks).map(({ id }) => id);
}

describe('the order of tasks', () => {
  it('puts the more urgent first, whatever came first', () => {
    assert.deepEqual(order(task('old', { priority: 2 }), task('new', { priority: 0, queuedAtMs: hourMs })), [
      'new',
      'old',
    ]);
  });

  it('puts the older first among equals', () => {
    assert.deepEqual(order(task('b', { queuedAtMs: 2 }), task('a', { queuedAtMs: 1 })), ['a', 'b']);
  });

  it('lets nobody wait for ever: a low priority that has waited long enough goes first', () => {
    const low = task('low', { priority: 3 });
    assert.deepEqual(order(task('high', { priority: 0, queuedAtMs: 11 * hourMs }), low), ['high', 'low']);
    assert.deepEqual(order(task('high', { priority: 0, queuedAtMs: 13 * hourMs }), low), ['low', 'high']);
  });
});

describe('the readiness of a task', () => {
  function readiness(dependency: Partial<TaskState>): ReturnType<typeof readinessOf> {
    const state = emptyState();
    state.tasks.set('first', task('first', dependency));
    return readinessOf(state, task('second', { dependsOn: ['first'] }), 0);
  }

  it('comes with a verified dependency', () => {
    assert.deepEqual(readiness({ status: 'verified' }), { kind: 'ready' });
  });

  it('waits for a dependency that is not done', () => {
    assert.deepEqual(readiness({ status: 'running' }), { kind: 'waits', reason: 'It waits for “first”.' });
  });

  it('is blocked by a dependency that did not come out well, and says by which', () => {
    assert.deepEqual(readiness({ status: 'contradicted' }), {
      kind: 'blocked',
      reason: 'It depends on “first”, which is contradicted.',
    });
  });

  it('is blocked by a dependency that is not there', () => {
    assert.deepEqual(readinessOf(emptyState(), task('second', { dependsOn: ['gone'] }), 0), {
      kind: 'blocked',
      reason: 'It depends on gone, which is not there.',
    });
  });

  it('comes later for a task that is to be tried again later', () => {
    assert.deepEqual(readinessOf(emptyState(), task('a', { notBeforeMs: 5 }), 4), { kind: 'later', atMs: 5 });
    assert.deepEqual(readinessOf(emptyState(), task('a', { notBeforeMs: 5 }), 5), { kind: 'ready' });
  });
});
