import type { Command } from 'commander';
import path from 'node:path';
import { add } from './add';
import { collect, storageOption } from './arguments';
import { cancelTask, listTasks, retryTask, showTask } from './tasks';

/** What a user does with the queue: add, tasks, show, retry, cancel. */
export function addQueueCommands(airlock: Command): void {
  airlock
    .command('add')
    .description('queue a task; prints its id')
    .argument('<title>')
    .requiredOption('--prompt <text>', 'what is to be done')
    .option('--check <command>', 'a command that must pass; may be repeated', collect, [])
    .option('--priority <P0..P3>', 'how urgent it is', 'P2')
    .option('--repo <dir>', 'the repository it is for (default: the one around the current folder)')
    .addOption(storageOption())
    .action(
      (title: string, options: { prompt: string; check: string[]; priority: string; repo?: string; storage: string }) =>
        add(title, { ...options, repo: options.repo, checks: options.check, storage: path.resolve(options.storage) }),
    );
  airlock
    .command('tasks')
    .description('list the tasks')
    .option('--json', 'one task as JSON a line', false)
    .addOption(storageOption())
    .action((options: { json: boolean; storage: string }) => listTasks(path.resolve(options.storage), options.json));
  airlock
    .command('show')
    .description('show one task: evidence, cost, log')
    .argument('<task>')
    .addOption(storageOption())
    .action((task: string, options: { storage: string }) => showTask(path.resolve(options.storage), task));
  airlock
    .command('retry')
    .description('queue a task again that ended without being verified, or that waits')
    .argument('<task>')
    .addOption(storageOption())
    .action((task: string, options: { storage: string }) => retryTask(path.resolve(options.storage), task));
  airlock
    .command('cancel')
    .description('end a task as cancelled, and its run with it')
    .argument('<task>')
    .addOption(storageOption())
    .action((task: string, options: { storage: string }) => cancelTask(path.resolve(options.storage), task));
}
