import assert from 'node:assert/strict';
import { Attempt, type AttemptEnd } from '../../../../src/engines/claudeCode/exchange';
import { FakeClock } from '../../../fakes/clock';

describe('an attempt at an exchange', () => {
  let clock: FakeClock;
  let limitMs: number | null;
  let attempt: Attempt;
  let end: AttemptEnd | undefined;

  beforeEach(() => {
    clock = new FakeClock();
    limitMs = 5000;
    attempt = new Attempt({ clock, limitMs: () => limitMs });
    end = undefined;
    void attempt.ended.then((how) => (end = how));
  });
  afterEach(() => attempt.end({ kind: 'died', words: '' }));

  async function pass(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second += 1) await clock.advance(1000);
    await new Promise((resolve) => setImmediate(resolve));
  }

  it('ends when nothing was heard for as long as may be', async () => {
    await pass(4);
    assert.equal(end, undefined);
    await pass(1);
    assert.deepEqual(end, { kind: 'silent', forMs: 5000 });
  });

  it('goes on as long as something is heard', async () => {
    for (let times = 0; times < 5; times += 1) {
      await pass(3);
      attempt.touch();
    }
    assert.equal(end, undefined);
  });

  it('does not count the time in which somebody else is waited for', async () => {
    limitMs = null;
    await pass(600);
    limitMs = 5000;
    await pass(4);
    assert.equal(end, undefined);
    await pass(2);
    assert.deepEqual(end, { kind: 'silent', forMs: 5000 });
  });

  it('has one end, the first', async () => {
    attempt.end({ kind: 'turnLimit', turns: 3 });
    attempt.end({ kind: 'died', words: 'later' });
    await pass(10);
    assert.deepEqual(end, { kind: 'turnLimit', turns: 3 });
  });
});
