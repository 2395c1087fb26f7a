import assert from 'node:assert/strict';
import type { EventBody } from '../../../src/core/events';
import { applyEvent } from '../../../src/core/fold';
import { emptyState, type LiveState } from '../../../src/core/liveState';
import { canBecome, maxPastSessions } from '../../../src/core/pastSession';
import { fromWire, toWire } from '../../../src/core/snapshot';
import { asEvents, queued, runStarted } from './sampleEvents';

const created = (sessionId: string): EventBody => ({
  kind: 'session.created',
  sessionId,
  runId: 'run-1',
  process: { pid: 1, startTicks: 1, bootId: 'b' },
  proof: { proven: true, canaries: [], durationMs: 1 },
});
const closed = (sessionId: string): EventBody => ({ kind: 'session.closed', sessionId, reason: 'done', breach: null });

function stateAfter(...bodies: EventBody[]): LiveState {
  const state = emptyState();
  for (const event of asEvents([queued('task-1'), runStarted('run-1', 'task-1'), ...bodies])) applyEvent(state, event);
  return state;
}

describe('a session that is over', () => {
  it('is known with its task, its times and its reason', () => {
    const state = stateAfter(created('session-1'), closed('session-1'));
    assert.equal(state.sessions.size, 0);
    assert.deepEqual(
      [...state.pastSessions.values()],
      [
        {
          ...{ id: 'session-1', runId: 'run-1', taskId: 'task-1', status: 'closed', reason: 'done', breach: null },
          ...{ createdAtMs: 3_000, closedAtMs: 4_000 },
        },
      ],
    );
  });

  it('is archived, and gone when it is deleted', () => {
    const events = [
      created('session-1'),
      closed('session-1'),
      { kind: 'session.archived', sessionId: 'session-1' } as const,
    ];
    assert.equal(stateAfter(...events).pastSessions.get('session-1')?.status, 'archived');
    assert.equal(stateAfter(...events, { kind: 'session.deleted', sessionId: 'session-1' }).pastSessions.size, 0);
  });

  it('survives a snapshot, and one from before there were any is read', () => {
    const state = stateAfter(created('session-1'), closed('session-1'));
    const wire = JSON.parse(JSON.stringify(toWire(state))) as Record<string, unknown>;
    assert.deepEqual(fromWire(wire), state);
    delete wire['pastSessions'];
    assert.equal(fromWire(wire).pastSessions.size, 0);
  });

  it('is forgotten when there are very many, those that were archived last', () => {
    const names = Array.from({ length: maxPastSessions + 2 }, (_, index) => `session-${index}`);
    const bodies = names.flatMap((name, index): EventBody[] => [
      created(name),
      closed(name),
      ...(index === 0 ? [{ kind: 'session.archived', sessionId: name } as const] : []),
    ]);
    const kept = [...stateAfter(...bodies).pastSessions.keys()];
    assert.deepEqual([kept.length, ...kept.slice(0, 2)], [maxPastSessions, 'session-0', 'session-3']);
  });

  it('can be archived and deleted, and nothing after that', () => {
    assert.ok(canBecome('closed', 'archived') && canBecome('closed', 'deleted') && canBecome('archived', 'deleted'));
    assert.ok(!canBecome('ready', 'archived') && !canBecome('busy', 'deleted') && !canBecome('archived', 'closed'));
    assert.ok(!canBecome('deleted', 'archived'));
  });
});
