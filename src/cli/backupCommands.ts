import type { Command } from 'commander';
import path from 'node:path';
import { backUp, restore } from '../assemble';
import { anchorSlotOf } from './anchorSlot';
import { storageOption } from './arguments';

const backupHelp = `
It may be done while an executor works: the copy is the storage as it was at one moment. In it are the journal, prompts,
conversations, outputs, the history and the embedded server's tasks. Workspaces are not: runs that were under way begin anew after a
restore. Keys are never in a storage folder.`;

/** `airlock backup` and `airlock restore`: the storage as a folder of its own, and back. */
export function addBackupCommands(airlock: Command): void {
  airlock
    .command('backup')
    .description('copy the storage to a folder that is not there yet, and read the copy back')
    .argument('<folder>')
    .addOption(storageOption())
    .addHelpText('after', backupHelp)
    .action(async (folder: string, options: { storage: string }) => {
      const seq = await backUp(path.resolve(options.storage), path.resolve(folder));
      process.stdout.write(`${seq} events and what belongs to them are in ${path.resolve(folder)}.\n`);
    });
  airlock
    .command('restore')
    .description('make a storage of a backup; the storage must not be there yet')
    .argument('<folder>')
    .addOption(storageOption())
    .action(async (folder: string, options: { storage: string }) => {
      const seq = await restore(
        path.resolve(folder),
        path.resolve(options.storage),
        await anchorSlotOf(options.storage),
      );
      process.stdout.write(`${seq} events and what belongs to them are in ${path.resolve(options.storage)}.\n`);
    });
}
