import assert from 'node:assert/strict';
import { fill, Formats, totalsOf } from '../../../webview/figures';
import { dailyRow } from '../../fakes/historyExecutor';

const usage = {
  inputTokens: 1,
  outputTokens: 20,
  cacheWrite5mTokens: 300,
  cacheWrite1hTokens: 4000,
  cacheReadTokens: 50_000,
};

describe('the figures of the analytics page', () => {
  const formats = new Formats('en', 'unknown');

  it('adds up all classes of tokens, requests, costs and endings', () => {
    const daily = [
      dailyRow('2026-01-01', { usage, costUsd: 0.5, requests: 4, unpriced: 1, outcomes: { verified: 2, failed: 1 } }),
      dailyRow('2026-01-02', { usage, costUsd: 0.25, requests: 1, outcomes: { contradicted: 1 } }),
    ];
    assert.deepEqual(totalsOf(daily), {
      tokens: 2 * 54_321,
      requests: 5,
      costUsd: 0.75,
      unpriced: 1,
      ended: 4,
      verified: 2,
    });
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
