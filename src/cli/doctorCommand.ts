import type { Command } from 'commander';
import path from 'node:path';
import { storageOption } from './arguments';
import { doctor } from './doctor';

/** `airlock doctor`: whether this machine can run Airlock. */
export function addDoctor(airlock: Command): void {
  airlock
    .command('doctor')
    .description('look whether this machine can run Airlock, and say what to do where it cannot')
    .option('--json', 'as JSON', false)
    .option('--zmemory <url>', 'also ask this server')
    .addOption(storageOption())
    .action(async (options: { json: boolean; zmemory?: string; storage: string }) => {
      process.exitCode = await doctor({ ...options, zmemory: options.zmemory, storage: path.resolve(options.storage) });
    });
}
