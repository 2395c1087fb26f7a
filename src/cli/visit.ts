import { anchorSlotOf } from './anchorSlot';
import { openExecutor, type AirlockOptions } from '../assemble';
import type { Logger } from '../base/logger';
import type { Executor } from '../core/executor';
import { consoleLogger } from './consoleLogger';

/** Options of a command that only looks or asks: it starts nothing, so it needs neither an engine nor sources. */
export async function visitOptions(storage: string, logger: Logger): Promise<AirlockOptions> {
  const anchorSlot = await anchorSlotOf(storage);
  return { storage, settings: {}, repositories: () => [], engine: { kind: 'none' }, sources: [], anchorSlot, logger };
}

/**
 * Asks the executor of a storage folder for something, whoever has it. Where nobody has it, this process has it meanwhile, and works
 * nothing: whoever waits for a person or another program must not do so in here.
 */
export async function visiting<T>(storage: string, action: (executor: Executor) => Promise<T>): Promise<T> {
  const executor = await openExecutor(await visitOptions(storage, consoleLogger(false)), 'visit');
  try {
    return await action(executor);
  } finally {
    await executor.shutdown();
  }
}
