import type { Command } from 'commander';
import path from 'node:path';
import { UserError } from '../base/errors';
import type { Executor } from '../core/executor';
import type { RunState } from '../core/liveState';
import type { FileChange } from '../core/workspace';
import { snapshotIndex, storageOption } from './arguments';
import { visiting } from './visit';
import { oneLine, tableText } from './words';

const snapshotsHelp = `
A snapshot is what a run's files were after a turn of the agent. 0 is the commit that the run started from.
 - restore puts the files back. What they are now is kept as a snapshot before that, and the agent learns what changed. The run
   must be waiting, queued, or between two commands of its agent.
 - branch makes airlock/<task>-<attempt>-s<index> of one, for a run that has ended too.
 - diff lists what changed between two.`;

/** `airlock snapshots …`: what a run can go back to. */
export function addSnapshotCommands(airlock: Command): void {
  const snapshots = airlock
    .command('snapshots')
    .description('list what the files of a task’s last run can be put back to, and put them back')
    .argument('<task>')
    .addOption(storageOption())
    .addHelpText('after', snapshotsHelp)
    .action((task: string, options: StorageFlag) => visiting(storageOf(options), (executor) => list(executor, task)));
  snapshots
    .command('restore')
    .description('make the files of the run what they were')
    .argument('<task>')
    .argument('<index>', 'the number of a snapshot', snapshotIndex)
    .action((task: string, index: number, _: object, command: Command) =>
      visiting(storageOf(command.optsWithGlobals()), async (executor) => {
        const { savedAs, files } = await executor.restoreSnapshot(task, index);
        process.stdout.write(`${fileLines(files)}${files.length} files are as they were at snapshot ${index}.\n`);
        process.stdout.write(`What was there before is snapshot ${savedAs}.\n`);
      }),
    );
  snapshots
    .command('branch')
    .description('make a branch of a snapshot')
    .argument('<task>')
    .argument('<index>', 'the number of a snapshot', snapshotIndex)
    .action((task: string, index: number, _: object, command: Command) =>
      visiting(storageOf(command.optsWithGlobals()), async (executor) => {
        const { branch, commit } = await executor.publishSnapshot(task, index);
        process.stdout.write(`${branch} is at ${commit}.\n`);
      }),
    );
  snapshots
    .command('diff')
    .description('list what changed from one snapshot to another')
    .argument('<task>')
    .argument('<from>', 'the number of a snapshot', snapshotIndex)
    .argument('<to>', 'the number of a snapshot', snapshotIndex)
    .action((task: string, from: number, to: number, _: object, command: Command) =>
      visiting(storageOf(command.optsWithGlobals()), async (executor) => {
        process.stdout.write(fileLines(await executor.snapshotChanges(task, from, to)));
      }),
    );
}

interface StorageFlag {
  readonly storage: string;
}

function storageOf({ storage }: StorageFlag): string {
  return path.resolve(storage);
}

async function list(executor: Executor, taskId: string): Promise<void> {
  const task = executor.state.tasks.get(taskId);
  if (!task) throw new UserError('unknown-task', `There is no task ${taskId}. See: airlock tasks`, { taskId });
  const run = task.runId === null ? undefined : executor.state.runs.get(task.runId);
  if (!run || run.snapshots.length === 0) {
    process.stdout.write('There are no snapshots of this task.\n');
    return;
  }
  process.stdout.write(`${tableText(['index', 'taken', 'files', 'what', 'branch'], rowsOf(run))}\n`);
}

const causes = { turn: 'after a turn', verdict: 'when it was checked', restore: 'before files were put back' } as const;

function rowsOf(run: RunState): string[][] {
  return run.snapshots.map(({ index, takenAtMs, filesChanged, cause, verdict, branch }) => [
    String(index),
    new Date(takenAtMs).toISOString(),
    String(filesChanged),
    verdict === null ? causes[cause] : `${causes[cause]}: ${verdict}`,
    branch ?? '–',
  ]);
}

const letters = { added: 'A', modified: 'M', deleted: 'D', renamed: 'R', typeChanged: 'T' } as const;

function fileLines(files: readonly FileChange[]): string {
  return files
    .map(({ kind, path: file, oldPath }) => {
      const from = oldPath === null ? '' : `${oneLine(oldPath, 4_000)} → `;
      return `${letters[kind]}  ${from}${oneLine(file, 4_000)}\n`;
    })
    .join('');
}
