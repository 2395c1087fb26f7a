/** Rows of the tables as the answers of history have them. */
import type { SqlValue } from 'sql.js';
import { usageColumns } from './migrations';
import type { Row } from './statements';

export const sumOfUsage = usageColumns.map((column) => `sum(${column}) AS ${column}`).join(', ');
export const sumOfSpend = `sum(requests) AS requests, sum(unpriced) AS unpriced, sum(cost_usd) AS cost_usd, ${sumOfUsage}`;

export function spendOf(row: Row): Record<string, unknown> {
  return {
    usage: usageOf(row),
    costUsd: row['cost_usd'] ?? 0,
    unpriced: row['unpriced'] ?? 0,
    requests: row['requests'] ?? 0,
  };
}

/** A cost of which a part is not known is not known. */
export function knownCost(row: Row): SqlValue {
  return row['unpriced'] === 0 ? (row['cost_usd'] ?? null) : null;
}

export function usageOf(row: Row): Record<string, number> {
  const tokens = (column: (typeof usageColumns)[number]): number => Number(row[column] ?? 0);
  return {
    inputTokens: tokens('input_tokens'),
    outputTokens: tokens('output_tokens'),
    cacheWrite5mTokens: tokens('cache_write_5m_tokens'),
    cacheWrite1hTokens: tokens('cache_write_1h_tokens'),
    cacheReadTokens: tokens('cache_read_tokens'),
  };
}

export function taskOf(row: Row): Record<string, unknown> {
  return {
    taskId: row['task_id'],
    title: row['title'],
    outcome: row['outcome'],
    sourceId: row['source_id'],
    repo: row['repo'],
    attempts: row['attempts'],
    usage: usageOf(row),
    costUsd: knownCost(row),
    queuedAtMs: row['queued_at_ms'],
    endedAtMs: row['ended_at_ms'],
  };
}
