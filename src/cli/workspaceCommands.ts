import type { Command } from 'commander';
import path from 'node:path';
import type { StoredWorkspace } from '../core/storedWorkspace';
import { ageMs, storageOption } from './arguments';
import { visiting } from './visit';
import { bytesText, oneLine, tableText } from './words';

const dayMs = 24 * 3_600_000;

const workspacesHelp = `
living: the run has not ended. warm: prepared ahead for the next task. published: all is in its result, and its snapshots are
left. unlanded: files are kept, because not all of them are known to be in a result. orphan: files of a run that is not known any
more. remains: of a workspace that was never whole.

clean deletes what is old enough, and never files that are in no branch; --force TASK does that for one task or run.`;

interface CleanFlags {
  readonly storage: string;
  readonly olderThan: number;
  readonly dryRun: boolean;
  readonly force?: string;
}

/** `airlock workspaces …`: what is left of runs on the disk, and how to be rid of it. */
export function addWorkspaceCommands(airlock: Command): void {
  const workspaces = airlock
    .command('workspaces')
    .description('list what is left of the workspaces of runs, with sizes')
    .option('--json', 'one workspace as JSON a line', false)
    .addOption(storageOption())
    .addHelpText('after', workspacesHelp)
    .action((options: { storage: string; json: boolean }) =>
      visiting(path.resolve(options.storage), async (executor) => {
        const all = await executor.workspaces();
        if (options.json) for (const workspace of all) process.stdout.write(`${JSON.stringify(workspace)}\n`);
        else process.stdout.write(all.length === 0 ? 'There are none.\n' : `${listText(all)}\n`);
      }),
    );
  workspaces
    .command('clean')
    .description('delete workspaces that nobody can miss')
    .option('--older-than <age>', 'younger ones stay: 12h, 7d', ageMs, 7 * dayMs)
    .option('--dry-run', 'only say what would be deleted', false)
    .option('--force <task>', 'delete the workspace of this task or run, whatever it holds')
    .action((_: object, command: Command) => {
      const { storage, olderThan, dryRun, force } = command.optsWithGlobals<CleanFlags>();
      return visiting(path.resolve(storage), async (executor) => {
        const cleaned = await executor.cleanWorkspaces({ olderThanMs: olderThan, dryRun, force: force ?? null });
        const verb = dryRun ? 'would be deleted' : 'deleted';
        for (const workspace of cleaned) {
          const what = `${workspace.runId} (${nameOf(workspace)}, ${bytesText(workspace.sizeBytes)})`;
          process.stdout.write(`${what}: ${workspace.removed ? verb : `kept: ${oneLine(workspace.reason, 300)}`}\n`);
        }
        const removed = cleaned.filter((workspace) => workspace.removed);
        const bytes = removed.reduce((sum, { sizeBytes }) => sum + (sizeBytes ?? 0), 0);
        process.stdout.write(`${removed.length} ${verb}, ${bytesText(bytes)}.\n`);
      });
    });
}

function listText(all: readonly StoredWorkspace[]): string {
  const rows = all.map((workspace) => [
    workspace.runId,
    nameOf(workspace),
    workspace.state,
    new Date(workspace.sinceMs).toISOString().slice(0, 16),
    bytesText(workspace.sizeBytes),
    oneLine(workspace.repo ?? 'unknown', 200),
  ]);
  return tableText(['run', 'task', 'state', 'since', 'size', 'repository'], rows);
}

function nameOf({ taskId }: StoredWorkspace): string {
  return taskId ?? 'no task';
}
