import type { Command } from 'commander';
import path from 'node:path';
import { collect, storageOption } from './arguments';
import { visiting } from './visit';

const landHelp = `
The result is laid over the branch as it is now. Unless that very tree was checked before, the task's checks are run on it in
fresh jails. Then the branch is moved forward, with the files where it is checked out. No hook and no filter is run, and files with
changes that are not committed are never touched: where they are in the way, nothing is changed.`;

interface LandFlags {
  readonly onto?: string;
  readonly file: readonly string[];
  readonly storage: string;
}

/** `airlock land`, `unland` and `discard`: what the user decides about a result. */
export function addLandingCommands(airlock: Command): void {
  airlock
    .command('land')
    .description('accept a result: put it onto the branch that is checked out')
    .argument('<task>')
    .option('--onto <branch>', 'another branch')
    .option('--file <path>', 'only this file of the result; may be repeated', collect, [])
    .addOption(storageOption())
    .addHelpText('after', landHelp)
    .action((task: string, { onto, file, storage }: LandFlags) =>
      visiting(path.resolve(storage), async (executor) => {
        const { ref, commit } = await executor.land(task, { onto, files: file.length > 0 ? file : undefined });
        process.stdout.write(`${ref.slice('refs/heads/'.length)} is at ${commit}.\n`);
      }),
    );
  airlock
    .command('unland')
    .description('take an accepted result back, as long as nothing was built on it')
    .argument('<task>')
    .addOption(storageOption())
    .action((task: string, { storage }: { storage: string }) =>
      visiting(path.resolve(storage), async (executor) => {
        await executor.undoLanding(task);
        process.stdout.write(`${task} was taken back.\n`);
      }),
    );
  airlock
    .command('discard')
    .description('throw a result away: its branch, and what is left of its files')
    .argument('<task>')
    .addOption(storageOption())
    .action((task: string, { storage }: { storage: string }) =>
      visiting(path.resolve(storage), async (executor) => {
        await executor.discard(task);
        process.stdout.write(`${task} is discarded.\n`);
      }),
    );
}
