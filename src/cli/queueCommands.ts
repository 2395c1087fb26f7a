import { type Command, Option } from 'commander';
import path from 'node:path';
import { UserError } from '../base/errors';
import { add, type PromptPlace } from './add';
import { collect, storageOption } from './arguments';
import { cancelTask, listTasks, retryTask, showTask, steer } from './tasks';

/** What a user does with the queue: add, tasks, show, retry, cancel, and what steers it. */
export function addQueueCommands(airlock: Command): void {
  addAdd(airlock);
  addSteering(airlock);
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
    .description('end a task as cancelled, and its run with it; or give up a landing that is under way')
    .argument('<task>')
    .addOption(storageOption())
    .action((task: string, options: { storage: string }) => cancelTask(path.resolve(options.storage), task));
}

function addSteering(airlock: Command): void {
  const command = (name: string, of: string, description: string): Command =>
    airlock.command(name).description(description).argument(`<${of}>`).addOption(storageOption());
  const folderOf = ({ storage }: { readonly storage: string }): string => path.resolve(storage);
  command('pause', 'task', 'hold one task back, and its run where it is').action(
    (task: string, options: { storage: string }) =>
      steer(folderOf(options), `${task} is paused.`, (executor) => executor.pauseTask(task)),
  );
  command('answer', 'task', 'answer what the agent of a task has asked; it goes on with that')
    .argument('<text>')
    .action((task: string, text: string, options: { storage: string }) =>
      steer(folderOf(options), `${task} has the answer.`, (executor) => executor.answer(task, text)),
    );
  command('resume', 'task', 'let a paused task go on where it was').action(
    (task: string, options: { storage: string }) =>
      steer(folderOf(options), `${task} is queued again.`, (executor) => executor.resumeTask(task)),
  );
  command('move', 'task', 'give a task another place in the order')
    .option('--before <task>', 'the task that it goes before (default: behind all others)')
    .action((task: string, options: { storage: string; before?: string }) =>
      steer(folderOf(options), `${task} is moved.`, (executor) => executor.moveTask(task, options.before ?? null)),
    );
  command('report', 'task', 'send a report again that its source would not take').action(
    (task: string, options: { storage: string }) =>
      steer(folderOf(options), `The report of ${task} is sent again.`, (executor) => executor.retryReport(task)),
  );
  command('pause-source', 'source', 'take nothing more from a source; what was taken goes on').action(
    (source: string, options: { storage: string }) =>
      steer(folderOf(options), `${source} is paused.`, (executor) => executor.pauseSource(source)),
  );
  command('resume-source', 'source', 'take tasks from a paused source again').action(
    (source: string, options: { storage: string }) =>
      steer(folderOf(options), `${source} is asked again.`, (executor) => executor.resumeSource(source)),
  );
}

interface AddFlags {
  readonly prompt?: string;
  readonly promptFile?: string;
  readonly check: readonly string[];
  readonly priority: string;
  readonly repo?: string;
  readonly storage: string;
}

function addAdd(airlock: Command): void {
  airlock
    .command('add')
    .description('queue a task; prints its id')
    .argument('<title>')
    .option('--prompt <text>', 'what is to be done')
    .addOption(
      new Option('--prompt-file <file>', 'a file that says what is to be done; - for the standard input').conflicts(
        'prompt',
      ),
    )
    .option('--check <command>', 'a command that must pass; may be repeated', collect, [])
    .option('--priority <P0..P3>', 'how urgent it is', 'P2')
    .option('--repo <dir>', 'the repository it is for (default: the one around the current folder)')
    .addOption(storageOption())
    .action((title: string, { check, prompt, promptFile, ...options }: AddFlags) =>
      add(title, {
        priority: options.priority,
        repo: options.repo,
        checks: check,
        prompt: promptPlace(prompt, promptFile),
        storage: path.resolve(options.storage),
      }),
    );
}

function promptPlace(text: string | undefined, file: string | undefined): PromptPlace {
  if (text !== undefined) return { kind: 'text', text };
  if (file !== undefined) return { kind: 'file', file };
  throw new UserError('prompt-missing', 'Say what is to be done, with --prompt TEXT or --prompt-file FILE.');
}
