import path from 'node:path';
import { loadTasks, startEmbeddedServer } from '../assemble';
import { systemClock } from '../base/clock';
import { consoleLogger } from './consoleLogger';
import { commandName } from './words';

export interface ZMemoryOptions {
  readonly storage: string;
  readonly port: number;
  readonly tasks: string | undefined;
}

/** Serves the embedded ZMemory server on loopback until it is interrupted. */
export async function serveZMemory(options: ZMemoryOptions): Promise<void> {
  const server = await startEmbeddedServer({
    storage: path.join(options.storage, 'zmemory'),
    port: options.port,
    clock: systemClock,
    logger: consoleLogger(false),
  });
  try {
    if (options.tasks !== undefined) {
      const tasks = await loadTasks(options.tasks);
      await server.api.create(tasks);
      process.stdout.write(`${tasks.length} tasks were taken from ${options.tasks}\n`);
    }
    process.stdout.write(
      `ZMemory serves ${server.url}\nIts token is in ${server.tokenFile}\nWork it off with: ZMEMORY_TOKEN=$(cat ${server.tokenFile}) ${commandName()} work --zmemory ${server.url}\nPress Ctrl-C to end.\n`,
    );
    await new Promise<void>((resolve) => {
      process.once('SIGINT', () => resolve());
      process.once('SIGTERM', () => resolve());
    });
  } finally {
    await server.close();
  }
}
