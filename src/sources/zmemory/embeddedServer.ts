import path from 'node:path';
import type { Clock } from '../../base/clock';
import type { Logger } from '../../base/logger';
import { EmbeddedZMemory } from './embedded/embeddedZMemory';
import { ZMemoryHttpServer } from './embedded/httpServer';
import { tokenFileName, tokenIn } from './embedded/tokenFile';

export interface EmbeddedServerOptions {
  /** The server's own folder; it is made, for its user alone. */
  readonly storage: string;
  /** 0 for any that is free. */
  readonly port: number;
  /** Absent: the one in the folder, which is made at the first start. */
  readonly token?: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface EmbeddedServer {
  readonly url: string;
  readonly port: number;
  readonly token: string;
  /** The file that holds the token when none was given. */
  readonly tokenFile: string;
  /** The same tasks without HTTP. */
  readonly api: EmbeddedZMemory;
  close(): Promise<void>;
}

/** The embedded server's tasks in this process, without a port. Close it to let go of the folder. */
export function openEmbeddedZMemory(options: {
  readonly storage: string;
  readonly clock: Clock;
}): Promise<EmbeddedZMemory> {
  return EmbeddedZMemory.open(options.storage, options.clock);
}

/**
 * Serves ZMemory on loopback.
 * @throws {UserError} `port-in-use`, `zmemory-storage-in-use`, `zmemory-store-damaged`, `zmemory-token-exposed`.
 */
export async function startEmbeddedServer(options: EmbeddedServerOptions): Promise<EmbeddedServer> {
  const { storage, port, clock, logger } = options;
  const api = await openEmbeddedZMemory({ storage, clock });
  try {
    const token = options.token ?? (await tokenIn(storage));
    const server = await ZMemoryHttpServer.listen({ tasks: api, port, token, clock, logger });
    return {
      url: server.url,
      port: server.port,
      token,
      tokenFile: path.join(storage, tokenFileName),
      api,
      async close() {
        await server.close();
        await api.close();
      },
    };
  } catch (error) {
    await api.close();
    throw error;
  }
}
