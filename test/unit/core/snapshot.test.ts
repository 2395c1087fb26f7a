import assert from 'node:assert/strict';
import fc from 'fast-check';
import { z } from 'zod';
import { applyEvent } from '../../../src/core/fold';
import { emptyState } from '../../../src/core/liveState';
import { fromWire, toWire } from '../../../src/core/snapshot';
import { eventSequence } from './arbitraryEvents';

describe('the live state as JSON', () => {
  it('comes back as it was, whatever happened', () => {
    fc.assert(
      fc.property(eventSequence, (events) => {
        const state = emptyState();
        for (const event of events) applyEvent(state, event);
        assert.deepEqual(fromWire(JSON.parse(JSON.stringify(toWire(state)))), state);
      }),
      { numRuns: 300 },
    );
  });

  it('goes on as the state it was made from', () => {
    fc.assert(
      fc.property(eventSequence, fc.nat({ max: 80 }), (events, half) => {
        const whole = emptyState();
        for (const event of events.slice(0, half)) applyEvent(whole, event);
        const resumed = fromWire(JSON.parse(JSON.stringify(toWire(whole))));
        for (const event of events.slice(half)) {
          applyEvent(whole, event);
          applyEvent(resumed, event);
        }
        assert.deepEqual(resumed, whole);
      }),
    );
  });

  it('is refused when it is of another version or no state at all', () => {
    const wire = toWire(emptyState());
    assert.throws(() => fromWire({ ...(wire as object), version: 99 }), z.ZodError);
    assert.throws(() => fromWire(null), z.ZodError);
    assert.throws(() => fromWire({}), z.ZodError);
  });
});
