import { type Command, Option } from 'commander';
import path from 'node:path';
import { type ApprovalMode, approvalModes } from '../core/approval';
import { UserError } from '../base/errors';
import {
  approvalMinutes,
  collect,
  environmentHelp,
  personaNetworkOption,
  personasOption,
  percentage,
  fewOrNone,
  portNumber,
  webAddress,
  positiveInteger,
  storageOption,
} from './arguments';
import { addBudgetOptions, budgetFrom, type BudgetFlags } from './budgetFlags';
import { addEngineOptions, engineChoices, type EngineFlags } from './engineFlags';
import { addLogOptions, logFileFrom, type LogFlags } from './logFlags';
import { repositoryOf } from './places';
import { repositorySources } from './repositorySources';
import { work } from './work';
import { zmemoryServers } from './zmemoryServers';

const exitCodeHelp = `
Exit code: 0 all tasks verified, partial or unchecked; 1 some failed or contradicted; 2 some could not be run,
or --until-idle was interrupted`;

/** `airlock work`: the queue is worked off in this process. */
export function addWork(airlock: Command): void {
  addLogOptions(addBudgetOptions(addEngineOptions(airlock.command('work').description('work the queue off'))))
    .addOption(storageOption())
    .option('--repo <dir>', 'a repository that tasks may be for; may be repeated', collect, [])
    .option(
      '--zmemory <[name=]url>',
      'a ZMemory server that tasks come from; may be repeated, with a name for each; without it the embedded one is used',
      collect,
      [],
    )
    .option('--no-artifacts', 'give ZMemory servers no patch, evidence and log beside the report')
    .option('--agent <name>', 'the name that sources know this executor by', 'airlock')
    .option(
      '--task-file [path]',
      'take tasks from the table in this file of each --repo (default: docs/TASKS.md); may be repeated',
      (file: string, before: readonly string[] | undefined) => [...(before ?? []), file],
    )
    .option('--rows <list>', 'which rows of it: all, or priorities and IDs such as P0,P1,T-17', 'all')
    .option(
      '--setup-network <domain>',
      'a domain that the setup of a repository may reach; may be repeated',
      collect,
      [],
    )
    .addOption(personasOption())
    .addOption(personaNetworkOption())
    .addOption(
      new Option('--approvals <mode>', 'what agents may do without asking')
        .choices(approvalModes)
        .default('unattended'),
    )
    .option('--route', 'give tasks that name no persona to the one whose expertise fits', false)
    .option('--review <persona>', 'a persona that looks at each result, read-only')
    .option('--review-holds', 'a result can be accepted only when that persona has looked', false)
    .option('--approval-minutes <n>', 'after which what they ask is denied; 0: never', approvalMinutes, 60)
    .option('--approve-mcp <digest>', 'an MCP server of a repository that may run; may be repeated', collect, [])
    .option(
      '--mcp-private-host <host>',
      'a host of a private network where MCP servers may be; may be repeated',
      collect,
      [],
    )
    .option('--task-definitions', 'take tasks from .airlock/tasks/*.yaml of each --repo, as their times come', false)
    .option('--allow-env <name>', 'a variable that their prompts may have; may be repeated', collect, [])
    .option('--concurrency <n>', 'runs at the same time', positiveInteger, 2)
    .addOption(hostLimit('cpu', 'processors'))
    .addOption(hostLimit('memory', 'memory'))
    .option(
      '--warm <n>',
      'workspaces of a repository that are prepared ahead for its next task; 0 for none',
      fewOrNone,
      1,
    )
    .option('--metrics-port <port>', 'serve metrics for Prometheus on this port of loopback; 0 for any', portNumber)
    .addOption(otlpOption())
    .option('--until-idle', 'end when nothing is queued, running or still to be reported', false)
    .option('--json', 'print one event a line', false)
    .option('--verbose', 'print what is done on stderr', false)
    .addHelpText('after', environmentHelp + '\n' + exitCodeHelp)
    .action(async (options: WorkFlags) => {
      const folders = options.repo.length > 0 ? options.repo : [process.cwd()];
      const repositories = await repositoriesOf(folders, options.repo.length > 0);
      const { exitCode } = await work({
        ...options,
        storage: path.resolve(options.storage),
        personas: path.resolve(options.personas),
        logTo: logFileFrom(options),
        approvedMcp: options.approveMcp,
        mcpPrivateHosts: options.mcpPrivateHost,
        ...budgetFrom(options),
        repositories,
        ...engineChoices(options, process.env),
        sources: [
          ...zmemoryServers(options.zmemory, options, process.env),
          ...repositorySources(repositories, options),
        ],
      });
      process.exitCode = exitCode;
    });
}

interface WorkFlags extends EngineFlags, BudgetFlags, LogFlags {
  readonly storage: string;
  readonly repo: readonly string[];
  readonly zmemory: readonly string[];
  readonly artifacts: boolean;
  readonly agent: string;
  readonly taskFile: readonly string[] | true | undefined;
  readonly rows: string;
  readonly setupNetwork: readonly string[];
  readonly personas: string;
  readonly personaNetwork: readonly string[];
  readonly route: boolean;
  readonly review: string | undefined;
  readonly reviewHolds: boolean;
  readonly approvals: ApprovalMode;
  readonly approvalMinutes: number;
  readonly approveMcp: readonly string[];
  readonly mcpPrivateHost: readonly string[];
  readonly taskDefinitions: boolean;
  readonly allowEnv: readonly string[];
  readonly concurrency: number;
  readonly maxCpu: number;
  readonly maxMemory: number;
  readonly warm: number;
  readonly metricsPort: number | undefined;
  readonly otlpEndpoint: string | undefined;
  readonly untilIdle: boolean;
  readonly json: boolean;
  readonly verbose: boolean;
}

function otlpOption(): Option {
  const help =
    'send a trace of each run, and metrics, to this OpenTelemetry collector (OTLP over HTTP); nothing is sent otherwise';
  return new Option('--otlp-endpoint <url>', help).argParser(webAddress);
}

function hostLimit(flag: 'cpu' | 'memory', what: string): Option {
  const help = `no new run starts while more than so many percent of the machine's ${what} are in use; 0: never mind`;
  return new Option(`--max-${flag} <percent>`, help).argParser(percentage).default(85);
}

/** The repositories round these folders. @throws {UserError} `not-a-repository` for one that was named. */
export async function repositoriesOf(folders: readonly string[], named: boolean): Promise<string[]> {
  const repositories: string[] = [];
  for (const folder of folders) {
    const repository = await repositoryOf(path.resolve(folder));
    if (repository !== undefined) repositories.push(repository);
    else if (named) throw new UserError('not-a-repository', `${folder} is not in a git repository.`, { folder });
  }
  return [...new Set(repositories)];
}
