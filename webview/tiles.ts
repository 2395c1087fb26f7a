// The figures of the whole period, one in each tile.
import type { AnalyticsText } from '../src/protocol/analyticsProtocol';
import { element } from './dom';
import { allTokensOf, averageOf, cacheHitsOf, endedOf, fill, type Formats, type SumRow } from './figures';

export function tilesOf(totals: SumRow, text: AnalyticsText, formats: Formats): HTMLElement {
  const ended = formats.count(endedOf(totals));
  const verified = fill(text.ofTasks, formats.count(totals.outcomes.verified ?? 0), ended);
  const unpriced = totals.unpriced > 0 ? fill(text.unpriced, formats.count(totals.unpriced)) : '';
  const average = (sum: number, count: number, write: (ms: number) => string): string => {
    const value = averageOf(sum, count);
    return value === null ? '–' : write(value);
  };
  const session = average(totals.sessionMs, totals.sessions, (ms) => fill(text.average, formats.duration(ms)));
  return element(
    'dl',
    { class: 'tiles' },
    tile(text.tasksEnded, ended, ''),
    tile(text.verified, verified, ''),
    tile(
      text.metrics.tokens,
      formats.compact(allTokensOf(totals.usage)),
      fill(text.requests, formats.count(totals.requests)),
    ),
    tile(text.metrics.cost, formats.costOf(totals), totals.unpriced >= totals.requests ? '' : unpriced),
    tile(text.metrics.cacheHits, formats.share(cacheHitsOf(totals.usage)), ''),
    tile(text.metrics.sessionTime, formats.duration(totals.sessionMs), totals.sessions > 0 ? session : ''),
    tile(
      text.metrics.queueWait,
      average(totals.queueWaitMs, totals.waits, (ms) => formats.latency(ms)),
      '',
    ),
    tile(
      text.metrics.firstToken,
      average(totals.firstTokenMs, totals.firstTokens, (ms) => formats.latency(ms)),
      '',
    ),
    tile(text.metrics.retries, formats.count(totals.retries), ''),
  );
}

function tile(name: string, value: string, note: string): HTMLElement {
  const small = note ? [element('dd', { class: 'note' }, note)] : [];
  return element('div', { class: 'tile' }, element('dt', {}, name), element('dd', { class: 'value' }, value), ...small);
}
