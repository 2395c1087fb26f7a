import type { Readable, Writable } from 'node:stream';
import type { Executor } from '../core/executor';

/** The queue as another agent may have it. */
export interface ServedQueue {
  /** Asks the executor for one thing. It is held no longer than that: while an agent says nothing, others work the queue. */
  readonly ask: <T>(action: (executor: Executor) => Promise<T>) => Promise<T>;
  /** Absolute paths of those that tasks may be for; the first one when none is named. */
  readonly repositories: readonly string[];
  /** Tasks of agents that may be open at the same time. */
  readonly maxOpen: number;
  /** US dollars that each may cost; `null`: as the settings say. */
  readonly maxCostUsd: number | null;
  readonly version: string;
}

/** Airlock as an MCP server on a pair of streams, until its input ends. */
export async function serveMcp(queue: ServedQueue, input: Readable, output: Writable): Promise<void> {
  const { serveOn } = await import('./airlockServer');
  await serveOn(queue, input, output);
}
