import assert from 'node:assert/strict';
import type { EventBody } from '../../../src/core/events';
import { applyEvent } from '../../../src/core/fold';
import { emptyState, type LiveState } from '../../../src/core/liveState';
import { draftsOf } from '../../../src/core/reviewComment';
import { untoldFeedback } from '../../../src/core/reviewFold';
import { asEvents, queued, runStarted, sampleCommit, sampleDigest } from './sampleEvents';

const taskId = 'task-a';
const runId = 'run-1';

function fold(...bodies: EventBody[]): LiveState {
  const state = emptyState();
  for (const event of asEvents(bodies)) applyEvent(state, event);
  return state;
}

function written(commentId: string, text = sampleDigest): EventBody {
  const place = { side: 'result', path: 'src/a.ts', startLine: 3, endLine: 4 } as const;
  return { kind: 'comment.written', taskId, commentId, ...place, commit: sampleCommit, text, quote: sampleDigest };
}

const said: EventBody = { kind: 'message.recorded', runId, index: 0, role: 'user', blob: sampleDigest };
const continued: EventBody = {
  kind: 'run.continued',
  runId,
  attempt: 2,
  feedback: sampleDigest,
  comments: ['c-1'],
  onto: null,
};

describe('the fold of a review', () => {
  it('keeps comments in the order in which they were written, each with its last words', () => {
    const state = fold(queued(taskId), written('c-1'), written('c-2'), written('c-1', 'e'.repeat(64)));
    assert.deepEqual(
      state.tasks.get(taskId)?.comments?.map(({ id, text, writtenAtMs }) => [id, text, writtenAtMs]),
      [
        ['c-1', 'e'.repeat(64), 4_000],
        ['c-2', sampleDigest, 3_000],
      ],
    );
  });

  it('forgets what was deleted, and tells drafts from what was sent', () => {
    const state = fold(
      queued(taskId),
      runStarted(runId, taskId),
      written('c-1'),
      written('c-2'),
      written('c-3'),
      { kind: 'comment.deleted', taskId, commentId: 'c-2' },
      { kind: 'run.ended', runId, outcome: 'verified', reason: '' },
      continued,
    );
    const task = state.tasks.get(taskId);
    assert.deepEqual(
      [task?.comments?.map(({ id, sentAtMs }) => [id, sentAtMs]), task && draftsOf(task).map(({ id }) => id)],
      [
        [
          ['c-1', 8_000],
          ['c-3', null],
        ],
        ['c-3'],
      ],
    );
  });

  it('lets a run that has ended go on as another attempt, until what the user said is told', () => {
    const before = [
      queued(taskId),
      runStarted(runId, taskId),
      said,
      { kind: 'run.timed', runId, usedMs: 500 } as const,
      { kind: 'run.ended', runId, outcome: 'contradicted', reason: 'a check fails' } as const,
      { kind: 'task.ended', taskId, outcome: 'contradicted', reason: 'a check fails', runId } as const,
      continued,
      { kind: 'task.requeued', taskId, reason: 'The user sent it back.', notBeforeMs: 0 } as const,
    ];
    const state = fold(...before);
    const run = state.runs.get(runId);
    assert.ok(run);
    const { attempt, outcome, reason, endedAtMs, usedMs, restedMs, feedback, messages } = run;
    assert.deepEqual(
      { attempt, outcome, reason, endedAtMs, usedMs, restedMs, feedback, messages },
      {
        attempt: 2,
        outcome: null,
        reason: '',
        endedAtMs: null,
        usedMs: 0,
        restedMs: 2_000,
        feedback: { text: sampleDigest, at: 1, rounds: 0, onto: null },
        messages: [sampleDigest],
      },
    );
    assert.deepEqual([state.tasks.get(taskId)?.status, state.tasks.get(taskId)?.attempts], ['queued', 2]);
    assert.deepEqual(untoldFeedback(run), feedback);
    const told = fold(...before, { kind: 'message.recorded', runId, index: 1, role: 'user', blob: sampleDigest });
    assert.equal(untoldFeedback(told.runs.get(runId) ?? run), undefined);
  });

  it('keeps of an ended run the calls that its conversation has no result of', () => {
    const called = (callId: string): EventBody => ({ kind: 'tool.called', runId, callId, name: 'bash', summary: '' });
    const state = fold(queued(taskId), runStarted(runId, taskId), called('0/a'), said, called('0/b'), called('9/c'), {
      kind: 'run.ended',
      runId,
      outcome: 'cancelled',
      reason: '',
    });
    assert.deepEqual(Object.keys(state.runs.get(runId)?.toolCalls ?? {}), ['0/a', '0/b']);
  });

  it('forgets a landing that the user gave up', () => {
    const started: EventBody = {
      kind: 'landing.started',
      taskId,
      runId: 'run-2',
      ref: 'refs/heads/main',
      only: null,
      resolved: [],
    };
    const failed = (code: string): EventBody => ({
      kind: 'landing.failed',
      taskId,
      code,
      reason: '',
      files: [],
      target: null,
      conflicts: [],
    });
    assert.equal(fold(queued(taskId), started, failed('landing-cancelled')).tasks.get(taskId)?.landing, null);
    assert.equal(fold(queued(taskId), started, failed('landing-moved')).tasks.get(taskId)?.landing?.phase, 'failed');
  });
});
