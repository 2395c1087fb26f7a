#!/usr/bin/env node
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import path from 'node:path';
import { airlockVersion, type SourceChoice } from '../assemble';
import { UserError } from '../base/errors';
import { add } from './add';
import { demo, prepareDemo } from './demo/demo';
import { doctor } from './doctor';
import { engineFromEnvironment } from './engineFromEnvironment';
import { defaultStorage, repositoryOf } from './places';
import { sh } from './sh';
import { cancelTask, listTasks, retryTask, showTask } from './tasks';
import { errorText } from './words';
import { work } from './work';
import { serveZMemory } from './zmemory';

const storageOption = (): Option =>
  new Option('--storage <dir>', 'where the journal and the workspaces are').default(defaultStorage(), defaultStorage());

const environmentHelp = `
Environment:
  ANTHROPIC_API_KEY     the key for Claude
  ANTHROPIC_BASE_URL    another server that speaks the Messages API, such as a local model
  ANTHROPIC_AUTH_TOKEN  its token, where it wants a Bearer token
  ANTHROPIC_MODEL       the model
  ZMEMORY_TOKEN         the token of the --zmemory server`;

const exitCodeHelp = `
Exit code: 0 all tasks verified, partial or unchecked; 1 some failed or contradicted; 2 some could not be run,
or --until-idle was interrupted`;

function program(): Command {
  const airlock = new Command('airlock')
    .description('Works off a queue of coding tasks with AI agents, each in a sealed, proven jail.')
    .version(airlockVersion)
    .showHelpAfterError('(see --help)')
    .exitOverride();
  addWork(airlock);
  addQueueCommands(airlock);
  addServer(airlock);
  addDoctor(airlock);
  addShell(airlock);
  addDemo(airlock);
  return airlock;
}

function addWork(airlock: Command): void {
  airlock
    .command('work')
    .description('work the queue off')
    .addOption(storageOption())
    .option('--repo <dir>', 'a repository that tasks may be for; may be repeated', collect, [])
    .option('--zmemory <url>', 'a ZMemory server that tasks come from; without it the embedded one is used')
    .option('--agent <name>', 'the name that ZMemory knows this executor by', 'airlock')
    .option('--concurrency <n>', 'runs at the same time', positiveInteger, 2)
    .option('--until-idle', 'end when nothing is queued, running or still to be reported', false)
    .option('--json', 'print one event a line', false)
    .option('--verbose', 'print what is done on stderr', false)
    .addHelpText('after', environmentHelp + '\n' + exitCodeHelp)
    .action(async (options: WorkFlags) => {
      const folders = options.repo.length > 0 ? options.repo : [process.cwd()];
      const { exitCode } = await work({
        ...options,
        storage: path.resolve(options.storage),
        repositories: await repositoriesOf(folders, options.repo.length > 0),
        engine: engineFromEnvironment(process.env) ?? { kind: 'none' },
        sources: [sourceChoice(options)],
      });
      process.exitCode = exitCode;
    });
}

interface WorkFlags {
  readonly storage: string;
  readonly repo: readonly string[];
  readonly zmemory: string | undefined;
  readonly agent: string;
  readonly concurrency: number;
  readonly untilIdle: boolean;
  readonly json: boolean;
  readonly verbose: boolean;
}

function sourceChoice({ zmemory, agent }: WorkFlags): SourceChoice {
  if (zmemory === undefined) return { kind: 'embedded', agent };
  const token = process.env['ZMEMORY_TOKEN'] || undefined;
  return { kind: 'server', name: 'zmemory', url: zmemory, token: () => Promise.resolve(token), agent, pollMs: 30_000 };
}

function addQueueCommands(airlock: Command): void {
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

function addServer(airlock: Command): void {
  airlock
    .command('zmemory')
    .description('serve the embedded ZMemory server on loopback')
    .option('--port <n>', 'the port; 0 for any', portNumber, 0)
    .option('--tasks <file>', 'a JSON file with tasks to put in')
    .addOption(storageOption())
    .action((options: { port: number; tasks?: string; storage: string }) =>
      serveZMemory({ ...options, tasks: options.tasks, storage: path.resolve(options.storage) }),
    );
}

function addDoctor(airlock: Command): void {
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

const shellHelp = `
The folder is /workspace in the jail. There is no network, no home folder, and nothing else of this machine but its programs.
 - Changes are made in the folder itself. --read-only shows it without letting anything change.
 - .git, .vscode and .envrc of the folder are covered by something empty, for programs outside obey them or they may hold
   passwords. Repositories deeper in the folder are not: after strange code ran, do not run git in them outside.
 - As root, what belongs to the folder's owner belongs to an id of the jail's own while it runs, and to the owner again
   afterwards, with what was made. Files with a second name elsewhere (hard links) are left as they are, and cannot be changed.
   Should airlock be killed, run "airlock sh -c true" on the folder again. Meanwhile git outside refuses the folder ("dubious
   ownership").

Exit code: the command's own; 2 when no jail could be had; 137 when a limit ended it`;

function addShell(airlock: Command): void {
  airlock
    .command('sh')
    .description('a shell, or one command, in a fresh jail on a folder')
    .option('--workspace <dir>', 'the folder', '.')
    .option('-c, --command <command>', 'run this command line instead of a shell')
    .option('--read-only', 'let nothing in the folder change; as root it shows what everybody may read', false)
    .addHelpText('after', shellHelp)
    .action(async (options: { workspace: string; command?: string; readOnly: boolean }) => {
      process.exitCode = await sh({ ...options, command: options.command });
    });
}

function addDemo(airlock: Command): void {
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

async function repositoriesOf(folders: readonly string[], named: boolean): Promise<string[]> {
  const repositories: string[] = [];
  for (const folder of folders) {
    const repository = await repositoryOf(path.resolve(folder));
    if (repository !== undefined) repositories.push(repository);
    else if (named) throw new UserError('not-a-repository', `${folder} is not in a git repository.`, { folder });
  }
  return [...new Set(repositories)];
}

function collect(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, value];
}

function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 100)
    throw new InvalidArgumentError('It must be a whole number from 1 to 100.');
  return value;
}

function portNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 65_535)
    throw new InvalidArgumentError('It must be a port from 0 to 65535.');
  return value;
}

async function main(): Promise<void> {
  // Whoever reads the output may stop reading: `airlock tasks | head`.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 2));
  try {
    await program().parseAsync(process.argv);
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : 2;
      return;
    }
    process.stderr.write(`${errorText(error)}\n`);
    process.exitCode = 2;
  }
}

void main();
