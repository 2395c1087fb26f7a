import type { Command } from 'commander';
import path from 'node:path';
import { portNumber, storageOption } from './arguments';
import { serveZMemory } from './zmemory';

/** `airlock zmemory`: the embedded server alone. */
export function addServer(airlock: Command): void {
  airlock
    .command('zmemory')
    .description('serve the embedded ZMemory server on loopback')
    .option('--port <n>', 'the port; 0 for any', portNumber, 0)
    .option('--tasks <file>', 'a JSON file with tasks to put in')
    .addOption(storageOption())
    .action((options: { port: number; tasks?: string; storage: string }) =>
      serveZMemory({ ...options, tasks: options.tasks, storage: path.resolve(options.storage) }),
    );
}
