import type { Command } from 'commander';
import path from 'node:path';
import { openExecutor, planOf, startNow } from '../assemble';
import { diagnosticLine } from '../core/diagnostic';
import type { PlannedTask } from '../core/plannedTask';
import { collect, storageOption } from './arguments';
import { consoleLogger } from './consoleLogger';
import { visitOptions } from './visit';
import { oneLine, tableText } from './words';
import { repositoriesOf } from './workCommand';

const startsShown = 5;

interface ScheduleFlags {
  readonly storage: string;
  readonly repo: readonly string[];
  readonly run: string | undefined;
  readonly allowEnv: readonly string[];
  readonly json: boolean;
}

/** `airlock schedule`: what the task definitions of a repository will start, and when. */
export function addSchedule(airlock: Command): void {
  airlock
    .command('schedule')
    .description('show when the tasks of .airlock/tasks start next, or start one now')
    .option('--repo <dir>', 'the repository; may be repeated (default: the one around the current folder)', collect, [])
    .option('--run <file>', 'queue this one now and print its id; whoever works with --task-definitions does it')
    .option('--allow-env <name>', 'a variable that prompts may have; may be repeated', collect, [])
    .option('--json', 'one task as JSON a line', false)
    .addOption(storageOption())
    .action(async (options: ScheduleFlags) => {
      const folders = options.repo.length > 0 ? options.repo : [process.cwd()];
      const repositories = await repositoriesOf(folders, true);
      if (options.run === undefined) await showPlans(repositories, options);
      else for (const repo of repositories) await runNow(repo, options.run, options);
    });
}

async function showPlans(repositories: readonly string[], { allowEnv, json }: ScheduleFlags): Promise<void> {
  for (const repo of repositories) {
    const plans = await planOf(repo, { nowMs: Date.now(), count: startsShown, environment: allowEnv });
    if (json) for (const plan of plans) process.stdout.write(`${JSON.stringify({ repo, ...plan })}\n`);
    else process.stdout.write(`${plansText(plans)}\n`);
    if (plans.some(({ diagnostics }) => diagnostics.some(({ severity }) => severity === 'error'))) process.exitCode = 1;
  }
}

function plansText(plans: readonly PlannedTask[]): string {
  if (plans.length === 0) return 'There are no task definitions in .airlock/tasks.';
  const rows = plans.map(({ file, name, enabled, startedBy, next }) => [
    oneLine(file, 40),
    oneLine(name, 40),
    oneLine(enabled ? startedBy : `${startedBy}, switched off`, 50),
    next.map((time) => time.replace(/:00\.000Z$/, 'Z')).join('  '),
  ]);
  const wrong = plans.flatMap(({ diagnostics }) => diagnostics.map((each) => oneLine(diagnosticLine(each), 500)));
  return [tableText(['file', 'name', 'started by', 'next starts (UTC)'], rows), ...wrong].join('\n');
}

async function runNow(repo: string, name: string, { storage, allowEnv }: ScheduleFlags): Promise<void> {
  const task = await startNow(repo, name, { nowMs: Date.now(), environment: allowEnv });
  const executor = await openExecutor(await visitOptions(path.resolve(storage), consoleLogger(false)), 'visit');
  try {
    process.stdout.write(`${await executor.add(task)}\n`);
  } finally {
    await executor.shutdown();
  }
}
