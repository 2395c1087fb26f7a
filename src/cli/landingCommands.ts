import { type Command, Option } from 'commander';
import path from 'node:path';
import { CancelledError, UserError } from '../base/errors';
import type { Executor } from '../core/executor';
import { selfRunningFiles } from '../core/selfRunning';
import { collect, storageOption } from './arguments';
import { interruptedExitCode, onSignals } from './interruption';
import { resolutionIn } from './resolvedFolder';
import { visiting } from './visit';
import { oneLine } from './words';

const landHelp = `
The result is laid over the branch as it is now. Unless that very tree was checked before, the task's checks are run on it in
fresh jails. Then the branch is moved forward, with the files where it is checked out. No hook and no filter is run, and files with
changes that are not committed are never touched: where they are in the way, nothing is changed.
After a conflict, --resolved takes the files in conflict from a folder, such as a work tree in which you have merged the task's branch:
exactly those, onto the same branch. What comes of it is checked as ever.
Ctrl-C gives it up: nothing is changed then, unless the branch was just being moved.
Files that would run by themselves (editor settings, git hooks, workflows, install scripts, …) are listed, and need --yes.`;

interface LandFlags {
  readonly onto?: string;
  readonly file: readonly string[];
  readonly resolved?: string;
  readonly yes?: boolean;
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
    .addOption(
      new Option('--resolved <folder>', 'after a conflict: with the files in conflict as they are there').conflicts([
        'onto',
        'file',
      ]),
    )
    .option('--yes', 'also when files of the result would run by themselves')
    .addOption(storageOption())
    .addHelpText('after', landHelp)
    .action((task: string, { onto, file, resolved, yes, storage }: LandFlags) =>
      visiting(path.resolve(storage), async (executor) => {
        const only = executor.state.tasks.get(task)?.landing?.only ?? undefined;
        const files = resolved !== undefined ? only : file.length > 0 ? file : undefined;
        await warnOfSelfRunning(executor, task, { files, yes: yes ?? false });
        const resolution = resolved === undefined ? undefined : await resolutionIn(executor, task, resolved);
        await untilInterrupted(executor, task, async () => {
          const { ref, commit } = resolution
            ? await executor.landResolved(task, resolution)
            : await executor.land(task, { onto, files });
          process.stdout.write(`${ref.slice('refs/heads/'.length)} is at ${commit}.\n`);
        });
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

/** Ctrl-C gives the landing up, whoever has the executor. At a second one this process ends at once. */
async function untilInterrupted(executor: Executor, task: string, land: () => Promise<void>): Promise<void> {
  const release = onSignals(() => {
    release();
    process.stderr.write('Giving it up. Press Ctrl-C again to end at once.\n');
    // What it cannot reach has ended, and `land` says so.
    executor.cancelLanding(task).catch(() => {});
  });
  try {
    await land();
  } catch (error) {
    if (!(error instanceof CancelledError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = interruptedExitCode;
  } finally {
    release();
  }
}

/** @throws {UserError} `self-running` when such files are in it and nobody has agreed to them. */
async function warnOfSelfRunning(
  executor: Executor,
  task: string,
  { files, yes }: { readonly files: readonly string[] | undefined; readonly yes: boolean },
): Promise<void> {
  const found = await selfRunningFiles(executor, task, files);
  if (found.length === 0) return;
  const lines = found.map(({ path: name, why }) => `  ${oneLine(name, 4_000)}: ${why}\n`).join('');
  process.stderr.write(`These would run by themselves, outside the jail and with your rights:\n${lines}`);
  if (yes) return;
  throw new UserError(
    'self-running',
    `Nothing was changed. Look at them (git diff HEAD...${nameOfBranch(executor, task)}), and accept them with --yes.`,
    { task },
  );
}

function nameOfBranch({ state }: Executor, task: string): string {
  return state.runs.get(state.tasks.get(task)?.runId ?? '')?.branch ?? 'the branch';
}
