import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { AirlockEvent, EventBody } from '../../../src/core/events';
import { applyEvent } from '../../../src/core/fold';
import { emptyState, type LiveState, taskOf, toolCallOf } from '../../../src/core/liveState';
import { eventSequence } from './arbitraryEvents';
import {
  asEvents,
  queued,
  runStarted,
  sampleCommit,
  sampleDigest,
  sampleSpec,
  sampleTree,
  sampleUsage,
  usageRecorded,
} from './sampleEvents';

const hourMs = 3_600_000;

function fold(events: readonly AirlockEvent[], state: LiveState = emptyState()): LiveState {
  for (const event of events) applyEvent(state, event);
  return state;
}

function statusAfter(...bodies: EventBody[]): string | undefined {
  return fold(asEvents([queued('task-a'), ...bodies])).tasks.get('task-a')?.status;
}

const taskId = 'task-a';
const runId = 'run-1';

describe('the fold of tasks', () => {
  it('queues a task as it is given', () => {
    const state = fold(asEvents([queued(taskId)], 5_000));
    assert.deepEqual(state.tasks.get(taskId), {
      id: taskId,
      spec: sampleSpec,
      status: 'queued',
      reason: '',
      statusBeforeWait: null,
      waitingOn: null,
      accepted: false,
      attempts: 0,
      arrival: 1,
      failures: 0,
      landing: null,
      runId: null,
      queuedAtMs: 5_000,
      notBeforeMs: 0,
      endedAtMs: null,
      changedAtMs: 5_000,
    });
  });

  it('is queued again once its source has given it away', () => {
    assert.equal(statusAfter({ kind: 'task.accepting', taskId }), 'accepting');
    assert.equal(statusAfter({ kind: 'task.accepting', taskId }, { kind: 'task.accepted', taskId }), 'queued');
  });

  it('runs, ends and is landed or discarded', () => {
    const started = runStarted(runId, taskId);
    const ended: EventBody = { kind: 'task.ended', taskId, outcome: 'verified', reason: '', runId };
    assert.equal(statusAfter(started), 'running');
    assert.equal(statusAfter(started, ended), 'verified');
    assert.equal(
      statusAfter(started, ended, { kind: 'task.landed', taskId, commit: sampleCommit, ref: null, from: null }),
      'landed',
    );
    assert.equal(statusAfter(started, ended, { kind: 'task.discarded', taskId }), 'discarded');
  });

  it('goes back after waiting twice to what it was before the first wait', () => {
    const waits: EventBody[] = [
      runStarted(runId, taskId),
      { kind: 'task.waiting', taskId, on: 'lane', reason: 'the model is busy' },
      { kind: 'task.waiting', taskId, on: 'budget', reason: 'the day is spent' },
    ];
    assert.equal(statusAfter(...waits), 'waiting');
    assert.equal(statusAfter(...waits, { kind: 'task.resumed', taskId }), 'running');
  });

  it('is queued when what blocked it has passed', () => {
    const blocked: EventBody = { kind: 'task.blocked', taskId, reason: 'task-b failed' };
    assert.equal(statusAfter(blocked), 'blocked');
    assert.equal(statusAfter(blocked, { kind: 'task.resumed', taskId }), 'queued');
  });

  it('forgets its end when it is queued again', () => {
    const state = fold(
      asEvents([
        queued(taskId),
        { kind: 'task.ended', taskId, outcome: 'failed', reason: 'the model was away', runId: null },
        { kind: 'task.requeued', taskId, reason: 'another try', notBeforeMs: 9_000 },
      ]),
    );
    const task = state.tasks.get(taskId);
    assert.deepEqual(
      [task?.status, task?.reason, task?.notBeforeMs, task?.endedAtMs],
      ['queued', 'another try', 9_000, null],
    );
  });

  it('takes a new repository and priority, and leaves the rest of what was asked', () => {
    const state = fold(asEvents([queued(taskId), { kind: 'task.changed', taskId, repo: '/srv/other', priority: 0 }]));
    assert.deepEqual(state.tasks.get(taskId)?.spec, { ...sampleSpec, repo: '/srv/other', priority: 0 });
  });

  it('keeps the order of arrival', () => {
    const state = fold(asEvents([queued('task-b'), queued('task-a'), { kind: 'task.accepting', taskId: 'task-b' }]));
    assert.deepEqual([...state.tasks.keys()], ['task-b', 'task-a']);
  });
});

describe('the fold of runs', () => {
  it('keeps what a run did, as it did it', () => {
    const check = {
      command: 'npm test',
      on: 'result' as const,
      tree: sampleTree,
      exitCode: 0,
      endedBy: null,
      output: sampleDigest,
      outputBytes: 12,
      durationMs: 340,
    };
    const events = asEvents([
      queued(taskId),
      runStarted(runId, taskId, 1),
      {
        kind: 'run.prepared',
        runId,
        baseCommit: sampleCommit,
        baseTree: sampleTree,
        notes: ['not committed: 2 files'],
      },
      { kind: 'message.recorded', runId, index: 0, role: 'user', blob: sampleDigest },
      usageRecorded(runId, 0.25),
      usageRecorded(runId, 0.5),
      { kind: 'run.progress', runId, message: 'half of it', percent: 50 },
      { kind: 'check.finished', runId, round: 0, result: { ...check, exitCode: 1 } },
      { kind: 'check.finished', runId, round: 1, result: check },
      { kind: 'evidence.recorded', runId, round: 1, verdict: 'verified', tree: sampleTree },
      {
        kind: 'result.published',
        runId,
        branch: 'airlock/task-a-1',
        commit: sampleCommit,
        filesChanged: 2,
        insertions: 5,
        deletions: 1,
      },
      { kind: 'run.ended', runId, outcome: 'verified', reason: 'every check passed' },
    ]);
    assert.deepEqual(fold(events).runs.get(runId), {
      id: runId,
      taskId,
      attempt: 1,
      repo: '/home/dev/project',
      engine: 'anthropic',
      model: 'model-a',
      persona: 'implementer',
      startedAtMs: 2_000,
      phase: 'preparing',
      activity: '',
      percent: 50,
      baseCommit: sampleCommit,
      baseTree: sampleTree,
      sessionId: null,
      messages: [sampleDigest],
      toolCalls: {},
      usage: {
        inputTokens: 200,
        outputTokens: 40,
        cacheWrite5mTokens: 60,
        cacheWrite1hTokens: 8,
        cacheReadTokens: 1000,
      },
      costUsd: 0.75,
      spent: { costUsd: 0.75, unseenUsd: 0, unpriced: 0, tokens: 1308 },
      checks: [check],
      resumptions: 0,
      usedMs: 0,
      rounds: 2,
      verdict: 'verified',
      resultTree: sampleTree,
      snapshots: [],
      untoldRestore: null,
      branch: 'airlock/task-a-1',
      commit: sampleCommit,
      filesChanged: 2,
      notes: ['not committed: 2 files'],
      outcome: 'verified',
      reason: 'every check passed',
      endedAtMs: 12_000,
    });
  });

  it('keeps only the last run of a task', () => {
    const state = fold(asEvents([queued(taskId), runStarted('run-1', taskId), runStarted('run-2', taskId, 2)]));
    assert.deepEqual([...state.runs.keys()], ['run-2']);
    assert.deepEqual([state.tasks.get(taskId)?.runId, state.tasks.get(taskId)?.attempts], ['run-2', 2]);
  });

  it('knows no cost as soon as one part of it is unknown', () => {
    const state = fold(
      asEvents([queued(taskId), runStarted(runId, taskId), usageRecorded(runId, null), usageRecorded(runId, 1)]),
    );
    assert.equal(state.runs.get(runId)?.costUsd, null);
  });

  it('tells a tool call that was begun from one that was finished', () => {
    const called = (callId: string): EventBody => ({ kind: 'tool.called', runId, callId, name: 'bash', summary: 'ls' });
    const events = asEvents([
      queued(taskId),
      runStarted(runId, taskId),
      called('call-1'),
      called('call-2'),
      { kind: 'tool.finished', runId, callId: 'call-1', ok: true, output: sampleDigest, durationMs: 3 },
    ]);
    const run = fold(events).runs.get(runId);
    assert.deepEqual(run?.toolCalls, {
      'call-1': { name: 'bash', ok: true, output: sampleDigest },
      'call-2': { name: 'bash', ok: null, output: null },
    });
  });

  it('keeps tool calls whose ids are names of the language', () => {
    const ids = ['__proto__', 'constructor', 'toString'];
    const run = fold(
      asEvents([
        queued(taskId),
        runStarted(runId, taskId),
        ...ids.map((callId): EventBody => ({ kind: 'tool.called', runId, callId, name: callId, summary: '' })),
      ]),
    ).runs.get(runId);
    assert.ok(run);
    assert.deepEqual(
      ids.map((id) => toolCallOf(run, id)),
      ids.map((name) => ({ name, ok: null, output: null })),
    );
    assert.equal(toolCallOf(run, 'valueOf'), undefined);
  });

  it('takes no message that would leave a gap', () => {
    const state = fold(
      asEvents([
        queued(taskId),
        runStarted(runId, taskId),
        { kind: 'message.recorded', runId, index: 1_000_000_000, role: 'user', blob: sampleDigest },
      ]),
    );
    assert.deepEqual(state.runs.get(runId)?.messages, []);
  });

  it('lists living sessions only', () => {
    const proof = { proven: true, canaries: [], durationMs: 5 };
    const process = { pid: 9, startTicks: 10, bootId: 'boot' };
    const opened: EventBody[] = [
      queued(taskId),
      runStarted(runId, taskId),
      { kind: 'session.created', sessionId: 'session-1', runId, process, proof },
    ];
    assert.deepEqual(fold(asEvents(opened)).sessions.get('session-1'), {
      id: 'session-1',
      runId,
      process,
      proof,
      createdAtMs: 3_000,
      takenOver: false,
    });
    const closed: EventBody = { kind: 'session.closed', sessionId: 'session-1', reason: 'done', breach: null };
    assert.equal(fold(asEvents([...opened, closed])).sessions.size, 0);
    const taken: EventBody[] = [...opened, { kind: 'session.takenOver', sessionId: 'session-1' }];
    assert.equal(fold(asEvents(taken)).sessions.get('session-1')?.takenOver, true);
    const back: EventBody = { kind: 'session.givenBack', sessionId: 'session-1', changedFiles: 2 };
    assert.equal(fold(asEvents([...taken, back])).sessions.get('session-1')?.takenOver, false);
    assert.equal(fold(asEvents([...taken, closed, back])).sessions.size, 0);
  });
});

describe('the fold of reports, sources and spending', () => {
  const report = {
    reportId: 'report-1',
    taskId,
    sourceId: 'zmemory:main',
    externalId: '17',
    kind: 'complete' as const,
    body: sampleDigest,
  };

  it('keeps a report until its source has acknowledged it', () => {
    const sent: EventBody[] = [
      { kind: 'report.queued', report },
      { kind: 'report.sending', taskId: 'a', reportId: 'report-1', attempt: 1 },
      { kind: 'report.postponed', taskId: 'a', reportId: 'report-1', error: 'HTTP 500', retryAtMs: 60_000 },
    ];
    assert.deepEqual(fold(asEvents(sent)).reports.get('report-1'), {
      report,
      status: 'waiting',
      attempts: 1,
      retryAtMs: 60_000,
      error: 'HTTP 500',
      queuedAtMs: 1_000,
    });
    const acknowledged: EventBody = { kind: 'report.acknowledged', taskId: 'a', reportId: 'report-1' };
    assert.equal(fold(asEvents([...sent, acknowledged])).reports.size, 0);
  });

  it('keeps a report that is never taken, with the reason', () => {
    const state = fold(
      asEvents([
        { kind: 'report.queued', report },
        { kind: 'report.dead', taskId: 'a', reportId: 'report-1', error: 'unknown task' },
      ]),
    );
    const dead = state.reports.get('report-1');
    assert.deepEqual([dead?.status, dead?.error], ['dead', 'unknown task']);
  });

  it('adds spending up by the hour and keeps 72 hours of it', () => {
    const at = (seq: number, hour: number, costUsd: number | null): AirlockEvent[] =>
      asEvents([usageRecorded(runId, costUsd)], hour * hourMs, seq);
    const state = fold(asEvents([queued(taskId), runStarted(runId, taskId)]));
    fold([...at(3, 100, 1), ...at(4, 100, null), ...at(5, 101, 2), ...at(6, 173, 4)], state);
    assert.deepEqual(
      [...state.spend],
      [
        [101, { costUsd: 2, unpriced: 0, usage: sampleUsage }],
        [173, { costUsd: 4, unpriced: 0, usage: sampleUsage }],
      ],
    );
  });
});

describe('every fold', () => {
  it('changes nothing when an event comes again', () => {
    fc.assert(
      fc.property(eventSequence, fc.nat({ max: 80 }), (events, from) => {
        const again = fold(events);
        fold(events.slice(from), again);
        assert.deepEqual(again, fold(events));
      }),
    );
  });

  it('depends on the events alone, and never changes them', () => {
    fc.assert(
      fc.property(eventSequence, (events) => {
        const before = structuredClone(events);
        const once = fold(events);
        assert.deepEqual(events, before);
        assert.deepEqual(fold(before), once);
      }),
    );
  });

  it('takes a fact about something that is not there as no fact', () => {
    const state = fold(
      asEvents([
        runStarted(runId, taskId),
        usageRecorded(runId),
        { kind: 'task.landed', taskId, commit: sampleCommit, ref: null, from: null },
      ]),
    );
    assert.deepEqual(state, { ...emptyState(), seq: 3 });
  });

  it('costs the same for each event, however many tasks there are', () => {
    const state = emptyState();
    const walked = (): never => assert.fail('an event walked through all of them');
    for (const map of [state.tasks, state.runs, state.reports]) {
      for (const walk of ['keys', 'values', 'entries', 'forEach', Symbol.iterator])
        Object.defineProperty(map, walk, { value: walked });
    }
    const tasks = 100;
    const events = asEvents(
      Array.from({ length: tasks }, (_, index) => [
        queued(`task-${index}`),
        runStarted(`run-${index}`, `task-${index}`),
        usageRecorded(`run-${index}`),
        {
          kind: 'task.ended',
          taskId: `task-${index}`,
          outcome: 'verified',
          reason: '',
          runId: `run-${index}`,
        } as const,
      ]).flat(),
    );
    for (const event of events) applyEvent(state, event);
    assert.equal(state.tasks.size, tasks);
  });
});

describe('the task of an event', () => {
  it('is found through its run, its session and its report', () => {
    const state = fold(
      asEvents([
        queued(taskId),
        runStarted(runId, taskId),
        {
          kind: 'session.created',
          sessionId: 'session-1',
          runId,
          process: { pid: 1, startTicks: 1, bootId: 'boot' },
          proof: { proven: true, canaries: [], durationMs: 1 },
        },
      ]),
    );
    const events: EventBody[] = [
      { kind: 'task.accepting', taskId },
      usageRecorded(runId),
      { kind: 'session.closed', sessionId: 'session-1', reason: '', breach: null },
      { kind: 'executor.stopped', executorId: 'x' },
    ];
    assert.deepEqual(
      events.map((event) => taskOf(state, event)),
      [taskId, taskId, taskId, undefined],
    );
  });
});
