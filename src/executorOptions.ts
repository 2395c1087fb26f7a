import * as path from 'node:path';
import type { AirlockOptions, EngineChoice, SourceChoice } from './assemble';
import type { Logger } from './base/logger';
import { serverKey } from './base/serverAddress';
import type { Effort } from './core/engine';
import type { SecretSlot } from './core/secretSlot';
import { prioritySchema } from './core/task';
import type { Credentials } from './ui/credentials';
import type { FileProblems } from './ui/fileProblems';
import { allowedRepositories, homeExpanded, openFolders } from './ui/repositories';
import { taskFiles } from './ui/taskTable/taskFiles';
import { budgetOf } from './ui/settings/budgetSettings';
import type { Settings } from './ui/settings/settings';
import type { ServerSetting, SettingValue } from './ui/settings/settingTable';

/** What the options are read from. */
export interface OptionParts {
  readonly storage: string;
  readonly anchorSlot: SecretSlot;
  /** Where VS Code's own files are, its node-pty among them. */
  readonly appRoot: string;
  readonly onNotice: (message: string) => void;
  readonly settings: Settings;
  readonly credentials: Credentials;
  readonly problems: FileProblems;
  readonly logger: Logger;
}

/** What the executor of this window is opened with: the settings as they are now. */
export function executorOptions({ settings, credentials, problems, ...parts }: OptionParts): AirlockOptions {
  const minutes = (value: number): number => value * 60_000;
  const approvalTimeoutMinutes = settings.value('airlock.approvals.timeoutMinutes');
  return {
    storage: parts.storage,
    anchorSlot: parts.anchorSlot,
    settings: {
      concurrency: settings.value('airlock.concurrency'),
      concurrencyPerRepository: settings.value('airlock.limits.runsPerRepository'),
      concurrencyPerPersona: settings.value('airlock.limits.runsPerPersona'),
      maxFixRounds: settings.value('airlock.checks.maxFixRounds'),
      checkTimeoutMs: minutes(settings.value('airlock.checks.timeoutMinutes')),
      maxTurns: settings.value('airlock.limits.maxTurns'),
      runTimeoutMs: minutes(settings.value('airlock.limits.runMinutes')),
      maxCostUsd: settings.value('airlock.limits.maxCostPerRun'),
      personaDomains: settings.value('airlock.personas.network'),
      budget: budgetOf(settings),
      maxHostCpuPercent: settings.value('airlock.host.maxCpuPercent'),
      maxHostMemoryPercent: settings.value('airlock.host.maxMemoryPercent'),
      maxIdleTurns: settings.value('airlock.breaker.turnsWithoutProgress'),
      maxUsdPerLine: settings.value('airlock.breaker.costPerLine'),
      maxSameCalls: settings.value('airlock.breaker.sameCalls'),
      routes: settings.value('airlock.personas.routing'),
      reviewPersona: settings.value('airlock.review.persona').trim() || null,
      reviewHolds: settings.value('airlock.review.holdsAcceptance'),
      maxSubtaskDepth: settings.value('airlock.agents.maxDepth'),
      maxSubtasks: settings.value('airlock.agents.maxSubtasks'),
      approvalMode: settings.value('airlock.approvals.mode'),
      approvalTimeoutMs: approvalTimeoutMinutes === null ? null : minutes(approvalTimeoutMinutes),
      setupDomains: settings.value('airlock.setup.network'),
      maxDependencyBytes: settings.value('airlock.setup.maxGigabytes') * 1024 ** 3,
      keepWorkspacesMs: settings.value('airlock.workspaces.keepDays') * 24 * 60 * 60_000,
      warmSessions: settings.value('airlock.workspaces.warm'),
      maxSnapshots: settings.value('airlock.snapshots.keep'),
      maxSnapshotBytes: settings.value('airlock.snapshots.maxMegabytes') * 1024 ** 2,
      model: settings.value('airlock.engine.model') || null,
      effort: effortOf(settings.value('airlock.engine.effort')),
    },
    engineLimits: { maxUnreachedMs: minutes(settings.value('airlock.limits.modelWaitMinutes')) },
    prices: settings.value('airlock.prices'),
    repositories: () => allowedRepositories(settings.value('airlock.repositories')),
    ...enginesOf(settings, credentials),
    toolChains: settings.value('airlock.jail.toolChains'),
    sources: [...zmemoryServers(settings, credentials), ...folderSources(settings)],
    personas: homeExpanded(settings.value('airlock.personas.folder') || '~/.config/airlock/personas'),
    keep: keepOf(settings),
    mcp: {
      secret: (name) => credentials.mcpSecret(name),
      approved: () => settings.value('airlock.mcp.approved'),
      privateHosts: () => settings.value('airlock.mcp.privateHosts'),
    },
    otlpEndpoint: settings.value('airlock.telemetry.endpoint'),
    logger: parts.logger,
    onDiagnostics: problems.show,
    onNotice: parts.onNotice,
    nodePtyPath: path.join(parts.appRoot, 'node_modules', 'node-pty'),
    onDidChangeCredentials: (listener) =>
      credentials.onDidChangeSecret((kind) => {
        if (kind === 'apiKey') listener();
      }),
  };
}

/** 0 stands for no limit. */
function keepOf(settings: Settings): NonNullable<AirlockOptions['keep']> {
  const dayMs = 24 * 60 * 60_000;
  return {
    segments: {
      keepMs: settings.value('airlock.retention.journalDays') * dayMs || null,
      maxBytes: settings.value('airlock.retention.journalGigabytes') * 1024 ** 3 || null,
    },
    rawMs: settings.value('airlock.retention.usageDays') * dayMs || Number.MAX_SAFE_INTEGER,
  };
}

/** Which engines there are, by the settings and the keys. */
export function enginesOf(
  settings: Settings,
  credentials: Credentials,
): Required<Pick<AirlockOptions, 'engine' | 'otherEngines'>> {
  const baseUrl = credentials.modelServer ?? null;
  const server = {
    // Servers other than Anthropic's own mostly want a bearer token.
    credential: { kind: baseUrl === null ? 'apiKey' : 'authToken', read: () => credentials.apiKey() },
    baseUrl,
    model: settings.value('airlock.engine.model') || null,
    contextTokens: settings.value('airlock.engine.contextTokens'),
  } as const;
  const own: EngineChoice = { kind: 'anthropic', ...server };
  const claude: EngineChoice = {
    kind: 'claude-code',
    ...server,
    path: homeExpanded(settings.value('airlock.claudeCode.path')) || null,
    process: settings.value('airlock.claudeCode.process'),
  };
  return settings.value('airlock.engine.kind') === 'anthropic'
    ? { engine: own, otherEngines: [claude] }
    : { engine: claude, otherEngines: [own] };
}

function effortOf(value: SettingValue<'airlock.engine.effort'>): Effort | null {
  return value === 'default' ? null : value;
}

/** Every server that is set up, or the embedded one when none is. */
function zmemoryServers(settings: Settings, credentials: Credentials): SourceChoice[] {
  const agent = settings.value('airlock.zmemory.agent');
  const pollSeconds = settings.value('airlock.zmemory.pollSeconds');
  const url = settings.value('airlock.zmemory.url');
  const listed = settings.value('airlock.zmemory.servers');
  // One that stands in both is one: its tasks are not to be done twice.
  const isListed = listed.some((server) => serverKey(server.url) === serverKey(url));
  const single = url === '' || isListed ? [] : [{ name: new URL(url).host, url }];
  const choices = [
    ...single.map((server) => serverChoice(server, () => credentials.zmemoryToken())),
    ...listed.map((server) => serverChoice(server, () => credentials.zmemoryToken(server.name))),
  ];
  return choices.length === 0 ? [{ kind: 'embedded', agent }] : choices;

  function serverChoice(server: ServerSetting, token: () => Promise<string | undefined>): SourceChoice {
    const { name, url: address, repos, personas, priorities, query } = server;
    return {
      kind: 'server',
      name,
      url: address,
      token,
      agent: server.agent ?? agent,
      pollMs: (server.pollSeconds ?? pollSeconds) * 1000,
      filter: {
        ...(repos ? { repos } : {}),
        ...(personas ? { personas } : {}),
        ...(priorities ? { priorities: priorities.map((word) => prioritySchema.parse(Number(word.slice(1)))) } : {}),
      },
      ...(query ? { query } : {}),
      artifacts: settings.value('airlock.zmemory.artifacts'),
    };
  }
}

/** What lies in the folders that are open. In folders that are not trusted nothing is worked on at all. */
function folderSources(settings: Settings): SourceChoice[] {
  const rows = settings.value('airlock.taskFile.rows').trim();
  const files = taskFiles(settings);
  const agent = settings.value('airlock.zmemory.agent');
  const environment = settings.value('airlock.taskDefinitions.environment');
  return openFolders().flatMap((repo): SourceChoice[] => [
    // Without a choice of rows, a table is a source for what the user queues from it; it may be made later.
    ...files.map((file) => ({ kind: 'taskFile' as const, repo, file, agent, rows, mayBeMissing: true })),
    ...(settings.value('airlock.taskDefinitions.enabled')
      ? [{ kind: 'taskDefinitions' as const, repo, environment }]
      : []),
  ]);
}
