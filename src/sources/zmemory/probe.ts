import type { Clock } from '../../base/clock';
import { messageOf } from '../../base/errors';
import type { Logger } from '../../base/logger';
import { ZMemoryClient } from './client';

/** Asks a ZMemory server once for its tasks. Why that does not work; `undefined` when it does. */
export async function probeZMemory(options: {
  readonly url: string;
  readonly token: string | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}): Promise<string | undefined> {
  let client: ZMemoryClient | undefined;
  try {
    client = new ZMemoryClient({ ...options, token: options.token ?? null });
    await client.pending('airlock-doctor', null);
    return undefined;
  } catch (error) {
    return messageOf(error);
  } finally {
    client?.dispose();
  }
}
