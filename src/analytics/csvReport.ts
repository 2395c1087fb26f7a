/** Sums as CSV (RFC 4180), for a spreadsheet. */
import { dimensions, type SumRow } from '../core/history';
import { taskOutcomes } from '../core/task';

type Column = readonly [title: string, of: (row: SumRow) => string | number];

const columns: readonly Column[] = [
  ...dimensions.map((key): Column => [key, ({ keys }) => keys[key] ?? '']),
  ['requests', ({ requests }) => requests],
  ['requests_without_price', ({ unpriced }) => unpriced],
  ['cost_usd', ({ costUsd }) => costUsd],
  ['input_tokens', ({ usage }) => usage.inputTokens],
  ['cache_write_5m_tokens', ({ usage }) => usage.cacheWrite5mTokens],
  ['cache_write_1h_tokens', ({ usage }) => usage.cacheWrite1hTokens],
  ['cache_read_tokens', ({ usage }) => usage.cacheReadTokens],
  ['output_tokens', ({ usage }) => usage.outputTokens],
  ...taskOutcomes.map((outcome): Column => [`tasks_${outcome}`, ({ outcomes }) => outcomes[outcome] ?? 0]),
  ['runs_started', ({ runsStarted }) => runsStarted],
  ['tasks_that_waited', ({ waits }) => waits],
  ['queue_wait_ms', ({ queueWaitMs }) => queueWaitMs],
  ['runs_ended', ({ runsEnded }) => runsEnded],
  ['run_ms', ({ runMs }) => runMs],
  ['sessions', ({ sessions }) => sessions],
  ['session_ms', ({ sessionMs }) => sessionMs],
  ['retries', ({ retries }) => retries],
  ['requests_with_first_token', ({ firstTokens }) => firstTokens],
  ['first_token_ms', ({ firstTokenMs }) => firstTokenMs],
];

export function csvReport(rows: readonly SumRow[]): string {
  const lines = rows.map((row) => columns.map(([, of]) => cell(of(row))));
  return [columns.map(([title]) => title), ...lines].map((cells) => `${cells.join(',')}\r\n`).join('');
}

/**
 * Names of models, personas, sources and folders come from outside. A spreadsheet takes what begins with one of these signs for a
 * formula, also behind blanks; behind an apostrophe it is text.
 */
const formula = /^\s*[=+\-@＝＋－＠]|^[\t\r\n\0]/u;

function cell(value: string | number): string {
  if (typeof value === 'number') return String(value);
  const text = formula.test(value) ? `'${value}` : value;
  return /[",\r\n\t;']/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
