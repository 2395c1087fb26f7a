import assert from 'node:assert/strict';
import { spanFrom } from '../../../src/cli/usageCommand';

describe('the days of a report', () => {
  const nowMs = Date.UTC(2026, 0, 10, 12);

  it('are the last so many, or from a day to a day', () => {
    assert.deepEqual(spanFrom('7d', undefined, nowMs), { from: '2026-01-04', to: '2026-01-10' });
    assert.deepEqual(spanFrom('1d', '2026-01-05', nowMs), { from: '2026-01-05', to: '2026-01-05' });
    assert.deepEqual(spanFrom('2025-12-31', undefined, nowMs), { from: '2025-12-31', to: '2026-01-10' });
  });

  for (const [since, until] of [
    ['yesterday', undefined],
    ['2026-02-31', undefined],
    ['2026-01-11', undefined],
    ['2026-01-01', '2026-13-01'],
    ['7d', 'tomorrow'],
  ] as const) {
    it(`are refused when they are none: ${since} to ${until ?? 'today'}`, () => {
      assert.throws(() => spanFrom(since, until, nowMs), { code: 'wrong-days' });
    });
  }
});
