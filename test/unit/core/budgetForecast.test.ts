import assert from 'node:assert/strict';
import { budgetLimitsSchema, quarterOf, startOfDayMs } from '../../../src/core/budget';
import { budgetForecasts } from '../../../src/core/budgetForecast';
import { emptyState, type LiveState } from '../../../src/core/liveState';

const hourMs = 3_600_000;
const noon = startOfDayMs(Date.UTC(2026, 0, 11)) + 12 * hourMs;
const nothing = { monthUsd: 0, lastDaysUsd: 0, lastDaysTokens: 0 };

function spentAt(atMs: number, costUsd: number, total = costUsd): LiveState {
  const state = emptyState();
  state.budget.quarters.set(quarterOf(atMs, 'implementer'), { costUsd, unseenUsd: 0, unpriced: 0, tokens: 0 });
  state.budget.total = { costUsd: total, unseenUsd: 0, unpriced: 0, tokens: 5_000 };
  return state;
}

describe('the forecast of a budget', () => {
  const forecast = (state: LiveState, limits: object, past = nothing, nowMs = noon) =>
    budgetForecasts(state, budgetLimitsSchema.parse(limits), past, nowMs);

  it('goes on at the pace of the day, and tells when the limit is reached', () => {
    const [day] = forecast(spentAt(noon - hourMs, 6), { perDayUsd: 9 });
    assert.deepEqual(day, {
      scope: 'day',
      subject: '',
      unit: 'usd',
      spent: 6,
      limit: 9,
      atEnd: 12,
      reachedAtMs: noon + 6 * hourMs,
    });
  });

  it('reaches no limit that lies past the end of the day', () => {
    const [day] = forecast(spentAt(noon - hourMs, 3), { perPersonaUsd: { implementer: 9 } });
    assert.deepEqual([day?.scope, day?.subject, day?.atEnd, day?.reachedAtMs], ['persona', 'implementer', 6, null]);
  });

  it('says nothing in the first hour, but that the limit is reached', () => {
    const early = startOfDayMs(noon) + hourMs / 2;
    const [within] = forecast(spentAt(early, 5), { perDayUsd: 9 }, nothing, early);
    const [over] = forecast(spentAt(early, 9), { perDayUsd: 9 }, nothing, early);
    assert.deepEqual([within?.atEnd, within?.reachedAtMs], [null, null]);
    assert.deepEqual([over?.atEnd, over?.reachedAtMs], [null, early]);
  });

  it('takes the pace of a limit without a period from the last seven days', () => {
    const past = { monthUsd: 0, lastDaysUsd: 14, lastDaysTokens: 0 };
    const [usd, tokens] = forecast(spentAt(noon, 0, 90), { totalUsd: 100, totalTokens: 10_000 }, past);
    assert.deepEqual([usd?.atEnd, usd?.reachedAtMs], [null, noon + 5 * 24 * hourMs]);
    assert.deepEqual([tokens?.spent, tokens?.reachedAtMs], [5_000, null]);
  });

  it('tells what the month comes to, without a limit', () => {
    const nowMs = Date.UTC(2026, 0, 11);
    const months = forecast(emptyState(), {}, { ...nothing, monthUsd: 10 }, nowMs);
    assert.deepEqual(months, [
      { scope: 'month', subject: '', unit: 'usd', spent: 10, limit: null, atEnd: 31, reachedAtMs: null },
    ]);
  });
});
