import type { Command } from 'commander';
import path from 'node:path';
import { storageOption } from './arguments';
import { doctor } from './doctor';
import { verifyJournalOf } from './verifyJournal';

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

const verifyHelp = `
Exit code: 0 it is whole; 1 it is broken, an anchored event is gone or changed, or a snapshot is not of this journal; 2 it could not be read`;

/** `airlock verify-journal`: whether the record of what happened is as it was written. */
export function addVerifyJournal(airlock: Command): void {
  airlock
    .command('verify-journal')
    .description('read the whole journal and say where its chain breaks, if it does; changes nothing')
    .option('--json', 'as JSON', false)
    .addOption(storageOption())
    .addHelpText('after', verifyHelp)
    .action(async (options: { json: boolean; storage: string }) => {
      process.exitCode = await verifyJournalOf(path.resolve(options.storage), options.json);
    });
}
