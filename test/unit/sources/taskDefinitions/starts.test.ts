import assert from 'node:assert/strict';
import {
  cronProblem,
  cronStarts,
  intervalStarts,
  nextStarts,
  zoneProblem,
} from '../../../../src/sources/taskDefinitions/starts';

function next(expression: string, timezone: string, after: string, count: number): string[] {
  return nextStarts(cronStarts(expression, timezone), Date.parse(after), count).map((atMs) =>
    new Date(atMs).toISOString(),
  );
}

function last(expression: string, timezone: string, at: string): string | undefined {
  const atMs = cronStarts(expression, timezone).last(Date.parse(at));
  return atMs === null ? undefined : new Date(atMs).toISOString();
}

describe('the times of a schedule', () => {
  it('makes up for a time that daylight saving skips, and has one that it repeats once', () => {
    assert.deepEqual(next('30 2 * * *', 'Europe/Berlin', '2026-03-27T12:00:00Z', 3), [
      '2026-03-28T01:30:00.000Z',
      '2026-03-29T01:00:00.000Z',
      '2026-03-30T00:30:00.000Z',
    ]);
    assert.deepEqual(next('30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z', 2), [
      '2026-10-25T00:30:00.000Z',
      '2026-10-26T01:30:00.000Z',
    ]);
    assert.deepEqual(next('30 2 * * *', 'America/New_York', '2026-03-07T12:00:00Z', 2), [
      '2026-03-08T07:00:00.000Z',
      '2026-03-09T06:30:00.000Z',
    ]);
    assert.deepEqual(next('30 1 * * *', 'America/New_York', '2026-10-31T12:00:00Z', 2), [
      '2026-11-01T05:30:00.000Z',
      '2026-11-02T06:30:00.000Z',
    ]);
  });

  it('knows the last one, at the very moment and after it', () => {
    for (const [at, expected] of [
      ['2026-01-05T08:00:00.000Z', '2026-01-05T08:00:00.000Z'],
      ['2026-01-05T08:00:00.900Z', '2026-01-05T08:00:00.000Z'],
      ['2026-01-05T07:59:59.999Z', '2026-01-02T08:00:00.000Z'],
      ['2026-01-04T12:00:00.000Z', '2026-01-02T08:00:00.000Z'],
    ] as const) {
      assert.equal(last('0 9 * * 1-5', 'Europe/Berlin', at), expected, at);
    }
    assert.equal(last('30 2 * * *', 'Europe/Berlin', '2026-03-29T10:00:00Z'), '2026-03-29T01:00:00.000Z');
    assert.equal(last('30 1 * * *', 'America/New_York', '2026-11-01T12:00:00Z'), '2026-11-01T05:30:00.000Z');
  });

  it('agrees with itself: the last one at each next one is that one', () => {
    for (const zone of ['Europe/Berlin', 'America/New_York', 'UTC', 'Asia/Kolkata', 'Australia/Lord_Howe']) {
      const starts = cronStarts('*/20 * * * *', zone);
      const times = nextStarts(starts, Date.parse('2026-10-24T20:00:00Z'), 60);
      assert.deepEqual(
        times.map((atMs) => starts.last(atMs)),
        times,
        zone,
      );
    }
  });

  it('has the same intervals after every restart', () => {
    const starts = intervalStarts(600);
    assert.deepEqual([starts.last(1_234_567), starts.next(1_234_567)], [1_200_000, 1_800_000]);
    assert.deepEqual([starts.last(1_200_000), starts.next(1_200_000)], [1_200_000, 1_800_000]);
  });

  it('says what is wrong with an expression or a time zone', () => {
    assert.equal(cronProblem('0 9 * * 1-5', 'UTC'), null);
    assert.match(cronProblem('* * *', 'UTC') ?? '', /five fields/);
    assert.match(cronProblem('61 * * * *', 'UTC') ?? '', /Invalid value for minute/);
    assert.equal(cronProblem('0 0 30 2 *', 'UTC'), 'there is no such time');
    assert.equal(zoneProblem('Europe/Berlin'), null);
    assert.match(zoneProblem('Mars/Olympus') ?? '', /is no time zone/);
  });
});
