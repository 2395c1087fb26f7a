import assert from 'node:assert/strict';
import { isUserError } from '../../../src/base/errors';
import { CallBreaker } from '../../../src/executor/callBreaker';
import { treatmentOf } from '../../../src/executor/retryPolicy';

describe('the breaker of loops', () => {
  const told: string[] = [];
  const breakerAt = (maxTimes: number): CallBreaker => new CallBreaker(maxTimes, (words) => told.push(words));
  beforeEach(() => told.splice(0));

  function stoppedAt(breaker: CallBreaker, name: string, most: number): number | undefined {
    for (let times = 1; times <= most; times += 1) {
      try {
        breaker.look(name, { command: 'npm test' });
      } catch (error) {
        assert.ok(isUserError(error));
        assert.deepEqual([error.code, treatmentOf(error)], ['runaway-loop', 'wait']);
        return times;
      }
    }
    return undefined;
  }

  it('tells the agent at half of the way, stops it once too often, and counts anew when it goes on', () => {
    assert.equal(stoppedAt(breakerAt(6), 'bash', 20), 7);
    assert.equal(told.length, 1);
    assert.match(told[0] ?? '', /^You have made this very call 3 times in a row\./);
    assert.equal(stoppedAt(breakerAt(6), 'bash', 6), undefined);
  });

  it('begins anew with every other call', () => {
    const breaker = breakerAt(2);
    for (let times = 0; times < 20; times += 1) {
      breaker.look('bash', { command: 'npm test' });
      breaker.look('bash', { command: 'npm test' });
      breaker.look('edit', { path: 'a' });
    }
  });

  it('lets an agent look at what runs in the background as often as it likes', () => {
    assert.equal(stoppedAt(breakerAt(3), 'bash_output', 100), undefined);
  });

  it('never stops when it is off', () => {
    assert.equal(stoppedAt(breakerAt(0), 'bash', 500), undefined);
    assert.deepEqual(told, []);
  });
});
