import assert from 'node:assert/strict';
import type { EventBody } from '../../../src/core/events';
import { applyEvent } from '../../../src/core/fold';
import { emptyState, type LiveState } from '../../../src/core/liveState';
import { fromWire, toWire } from '../../../src/core/snapshot';
import { asEvents, queued, runStarted } from './sampleEvents';

const process = { pid: 1, startTicks: 1, bootId: 'b' };
const warming: EventBody = { kind: 'session.warming', runId: 'run-9', repo: '/shop' };
const warmed: EventBody = { kind: 'session.warmed', runId: 'run-9', sessionId: 'session-9', process };

function stateAfter(...bodies: EventBody[]): LiveState {
  const state = emptyState();
  for (const event of asEvents(bodies)) applyEvent(state, event);
  return state;
}

describe('a session that is prepared ahead', () => {
  it('is known from before it is made, and is no session of a run', () => {
    const begun = stateAfter(warming);
    assert.deepEqual(
      [...begun.warm.values()],
      [{ runId: 'run-9', repo: '/shop', sessionId: null, process: null, sinceMs: 1_000 }],
    );
    const ready = stateAfter(warming, warmed);
    assert.deepEqual(
      [...ready.warm.values()],
      [{ runId: 'run-9', repo: '/shop', sessionId: 'session-9', process, sinceMs: 1_000 }],
    );
    assert.deepEqual([ready.sessions.size, ready.pastSessions.size, ready.runs.size], [0, 0, 0]);
  });

  it('is no longer one as soon as the run starts that has its id', () => {
    const state = stateAfter(warming, warmed, queued('task-1'), runStarted('run-9', 'task-1'));
    assert.equal(state.warm.size, 0);
  });

  it('is gone when it is thrown away', () => {
    assert.deepEqual(
      stateAfter(warming, warmed, { kind: 'session.discarded', runId: 'run-9', reason: 'too old' }).warm.size,
      0,
    );
  });

  it('survives a snapshot, and one from before there were any is read', () => {
    const state = stateAfter(warming, warmed);
    const wire = JSON.parse(JSON.stringify(toWire(state))) as Record<string, unknown>;
    assert.deepEqual(fromWire(wire), state);
    delete wire['warm'];
    assert.equal(fromWire(wire).warm.size, 0);
  });
});
