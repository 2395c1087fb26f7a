import type { AirlockOptions } from '../assemble';
import type { Logger } from '../base/logger';

/** Options of a command that only looks or asks: it starts nothing, so it needs neither an engine nor sources. */
export function visitOptions(storage: string, logger: Logger): AirlockOptions {
  return { storage, settings: {}, repositories: () => [], engine: { kind: 'none' }, sources: [], logger };
}
