import type { Command } from 'commander';
import path from 'node:path';
import { environmentHelp, positiveInteger } from './arguments';
import { demo, prepareDemo } from './demo/demo';
import { engineFromEnvironment } from './engineFromEnvironment';

/** `airlock demo`: what `npm start` runs. */
export function addDemo(airlock: Command): void {
  airlock
    .command('demo')
    .description('work sample tasks off on a sample repository')
    .option('--folder <dir>', 'where to put everything; must not exist yet')
    .option('--concurrency <n>', 'runs at the same time', positiveInteger, 2)
    .option('--prepare <dir>', 'only make the sample repository in this folder and print its path')
    .option('--verbose', 'print what is done on stderr', false)
    .addHelpText('after', environmentHelp)
    .action(async (options: { folder?: string; concurrency: number; prepare?: string; verbose: boolean }) => {
      if (options.prepare !== undefined) {
        process.stdout.write(`${await prepareDemo(path.resolve(options.prepare))}\n`);
        return;
      }
      process.exitCode = await demo({ ...options, folder: options.folder, engine: engineFromEnvironment(process.env) });
    });
}
