import assert from 'node:assert/strict';
import { allTokensOf, averageOf, cacheHitsOf, fill, Formats, totalsOf } from '../../../webview/figures';
import { sumRow } from '../../fakes/historyExecutor';

const usage = {
  inputTokens: 1,
  outputTokens: 20,
  cacheWrite5mTokens: 300,
  cacheWrite1hTokens: 4000,
  cacheReadTokens: 50_000,
};

describe('the figures of the analytics page', () => {
  const formats = new Formats('en', 'unknown');

  it('adds up all that rows have', () => {
    const rows = [
      sumRow(
        { day: '2026-01-01' },
        { usage, costUsd: 0.5, requests: 4, unpriced: 1, outcomes: { verified: 2, failed: 1 } },
      ),
      sumRow({ day: '2026-01-02' }, { usage, costUsd: 0.25, requests: 1, outcomes: { verified: 1 }, retries: 3 }),
      sumRow(
        { day: '2026-01-03' },
        { sessions: 2, sessionMs: 30, waits: 1, queueWaitMs: 7, firstTokens: 1, firstTokenMs: 9 },
      ),
    ];
    const totals = totalsOf(rows);
    assert.deepEqual(
      { ...totals, usage: allTokensOf(totals.usage) },
      {
        ...sumRow({}),
        usage: 2 * 54_321,
        requests: 5,
        costUsd: 0.75,
        unpriced: 1,
        outcomes: { verified: 3, failed: 1 },
        retries: 3,
        sessions: 2,
        sessionMs: 30,
        waits: 1,
        queueWaitMs: 7,
        firstTokens: 1,
        firstTokenMs: 9,
      },
    );
  });

  it('takes no share and no average of nothing', () => {
    assert.deepEqual([cacheHitsOf(sumRow({}).usage), averageOf(0, 0), averageOf(9, 3)], [null, null, 3]);
    assert.equal(cacheHitsOf({ ...usage, inputTokens: 45_700 }), 0.5);
    assert.deepEqual([formats.share(null), formats.share(0.5)], ['–', '50%']);
  });

  it('writes short times with tenths of a second', () => {
    const written = [0, 740, 9_990, 12_000, 200_000].map((ms) => formats.latency(ms));
    assert.deepEqual(written, ['0.0s', '0.7s', '10.0s', '12s', '3m 20s']);
  });

  it('never guesses a price that is not known', () => {
    assert.deepEqual(
      [
        formats.cost(null),
        formats.costOf({ costUsd: 0, unpriced: 3, requests: 3 }),
        formats.costOf({ costUsd: 2, unpriced: 1, requests: 3 }),
        formats.costOf({ costUsd: 2, unpriced: 0, requests: 3 }),
        formats.costOf({ costUsd: 0, unpriced: 0, requests: 0 }),
      ],
      ['unknown', 'unknown', '≥ $2.00', '$2.00', '$0.00'],
    );
  });

  it('shows parts of a cent, and rounds what is more', () => {
    assert.deepEqual(
      [0.00123, 0.94, 12.345, 0].map((usd) => formats.cost(usd)),
      ['$0.0012', '$0.94', '$12.35', '$0.00'],
    );
  });

  it('writes durations in two units at most', () => {
    const written = [0, 45_000, 200_000, 7_500_000, -5].map((ms) => formats.duration(ms));
    assert.deepEqual(written, ['0s', '45s', '3m 20s', '2h 5m', '0s']);
  });

  it('writes numbers and days as the language does', () => {
    const german = new Formats('de', 'unbekannt');
    assert.deepEqual([german.count(1234567), german.day('2026-03-01')], ['1.234.567', '1. März']);
  });

  it('fills the places of a sentence, and leaves a place that nothing was given for', () => {
    assert.equal(fill('{1} of {0}, {2}', 'a', 2), '2 of a, {2}');
  });
});
