import { anchorSlotOf } from './anchorSlot';
import {
  type AirlockOptions,
  openExecutor,
  serveMetrics,
  type EngineChoice,
  type MetricsServer,
  type SourceChoice,
} from '../assemble';
import { DisposableStore, type Disposable } from '../base/disposable';
import { diagnosticLine } from '../core/diagnostic';
import type { ApprovalMode } from '../core/approval';
import type { BudgetLimits } from '../core/budget';
import type { Effort } from '../core/engine';
import type { Executor } from '../core/executor';
import type { OwnPrices } from '../core/prices';
import { UserError } from '../base/errors';
import { isIdle } from '../core/idle';
import type { LiveState, TaskState } from '../core/liveState';
import { isEnded } from '../core/task';
import { namedToolChains } from './namedToolChains';
import { progressLine } from './progressLines';
import { exitCodeFor, summaryText } from './summary';
import { type LogFileChoice, openLog, type WorkLog } from './workLog';

export interface WorkOptions {
  readonly storage: string;
  readonly repositories: readonly string[];
  readonly engine: EngineChoice;
  /** Engines that a persona may name besides. */
  readonly otherEngines?: readonly EngineChoice[];
  readonly sources: readonly SourceChoice[];
  /** Domains that the setup of a repository may reach. */
  readonly setupNetwork: readonly string[];
  /** The folder of the user's own personas. */
  readonly personas: string;
  /** Domains that a persona of a repository may reach. */
  readonly personaNetwork: readonly string[];
  readonly route: boolean;
  /** The persona that looks at each result. */
  readonly review: string | undefined;
  readonly reviewHolds: boolean;
  readonly approvals: ApprovalMode;
  /** 0: never. */
  readonly approvalMinutes: number;
  /** Digests of MCP servers of repositories that are approved. */
  readonly approvedMcp: readonly string[];
  /** Hosts of this machine and of private networks that MCP servers may be at. */
  readonly mcpPrivateHosts: readonly string[];
  readonly concurrency: number;
  /** Percent of the machine in use from which on no new run starts; 0: never mind. */
  readonly maxCpu: number;
  readonly maxMemory: number;
  /** Sessions of a repository that are prepared ahead. */
  readonly warm: number;
  /** How much the model thinks and writes. */
  readonly effort?: Effort | undefined;
  readonly budget: BudgetLimits;
  readonly prices: OwnPrices;
  /** Where Prometheus may ask; absent: nowhere. */
  readonly metricsPort?: number | undefined;
  /** Where traces and metrics are sent; absent: nowhere. */
  readonly otlpEndpoint?: string | undefined;
  /** A file for the log beside the terminal; absent: none. */
  readonly logTo?: LogFileChoice | undefined;
  readonly untilIdle: boolean;
  readonly json: boolean;
  readonly verbose: boolean;
}

export interface WorkResult {
  readonly tasks: readonly TaskState[];
  readonly exitCode: 0 | 1 | 2;
}

/** Works the queue off in this process, or follows the executor that already does, until it is idle or interrupted. */
export async function work(options: WorkOptions): Promise<WorkResult> {
  const log = await openLog(options);
  try {
    const result = await workWith(options, log);
    log.file.info('The worker ended', { exitCode: result.exitCode });
    return result;
  } catch (error) {
    log.file.error('The worker ended with an error', error);
    throw error;
  }
}

async function workWith(options: WorkOptions, log: WorkLog): Promise<WorkResult> {
  const executor = await openExecutor(await executorOptions(options, log), 'work');
  // From the first moment on: what is queued while the metrics are opened is this call's too.
  const followed = new FollowedTasks(executor);
  const output = executor.onDidAppend((events) => {
    for (const event of events) {
      const line = options.json ? JSON.stringify(event) : progressLine(executor.state, event);
      if (line !== undefined) process.stdout.write(`${line}\n`);
      log.event(executor.state, event);
    }
  });
  let metrics: MetricsServer | undefined;
  try {
    metrics = await openMetrics(executor, options.metricsPort);
    if (executor.place.kind === 'elsewhere')
      log.say(`Another executor (process ${executor.place.pid}) works this storage already; following it.`);
    await startQueue(executor);
    const end = await (options.untilIdle ? Promise.race([interrupted(), idle(executor)]) : interrupted());
    const tasks = followed.tasks(executor.state);
    if (!options.json) process.stdout.write(`\n${summaryText(executor.state, tasks)}\n`);
    // Whoever waited for the end of the queue must not take an interruption for it.
    const isHeld = executor.state.holds.has('budget');
    const isShort = options.untilIdle && (saySilentSources(executor.state, log) || isHeld || end === 'interrupted');
    return { tasks, exitCode: isShort ? 2 : exitCodeFor(tasks) };
  } finally {
    followed.dispose();
    output.dispose();
    try {
      await metrics?.close();
    } finally {
      await executor.shutdown();
    }
  }
}

async function executorOptions(options: WorkOptions, log: WorkLog): Promise<AirlockOptions> {
  return {
    storage: options.storage,
    anchorSlot: await anchorSlotOf(options.storage),
    settings: {
      concurrency: options.concurrency,
      warmSessions: options.warm,
      setupDomains: options.setupNetwork,
      personaDomains: options.personaNetwork,
      routes: options.route,
      reviewPersona: options.review ?? null,
      reviewHolds: options.reviewHolds,
      approvalMode: options.approvals,
      approvalTimeoutMs: options.approvalMinutes === 0 ? null : options.approvalMinutes * 60_000,
      maxCostUsd: options.budget.perRunUsd,
      budget: options.budget,
      effort: options.effort ?? null,
      maxHostCpuPercent: options.maxCpu,
      maxHostMemoryPercent: options.maxMemory,
    },
    personas: options.personas,
    prices: options.prices,
    otlpEndpoint: options.otlpEndpoint ?? '',
    repositories: () => options.repositories,
    engine: options.engine,
    otherEngines: options.otherEngines ?? [],
    sources: options.sources,
    toolChains: namedToolChains(process.env),
    mcp: {
      secret: (name) => Promise.resolve(process.env[`AIRLOCK_SECRET_${name}`]),
      approved: () => options.approvedMcp,
      privateHosts: () => options.mcpPrivateHosts,
    },
    logger: log.logger,
    onNotice: (message) => log.say(message),
    onDiagnostics: (_source, diagnostics) => {
      for (const each of diagnostics) log.say(diagnosticLine(each));
    },
  };
}

async function openMetrics(executor: Executor, port: number | undefined): Promise<MetricsServer | undefined> {
  if (port === undefined) return undefined;
  const server = await serveMetrics(executor, port);
  process.stderr.write(`Metrics for Prometheus: ${server.url}\n`);
  return server;
}

/** The executor that is followed may end just as it is asked; the next one is asked again, which does no harm. */
async function startQueue(executor: Executor): Promise<void> {
  try {
    await executor.startQueue();
  } catch (error) {
    if (!(error instanceof UserError) || error.code !== 'executor-unreachable') throw error;
    await executor.startQueue();
  }
}

/** Says which sources do not answer: whether there is more to do there, nobody knows. */
function saySilentSources(state: LiveState, log: WorkLog): boolean {
  const silent = [...state.sources].filter(([, source]) => !source.healthy);
  for (const [id, { message }] of silent) log.say(`${id} does not answer: ${message}`);
  return silent.length > 0;
}

/** The tasks that were open at the start or came later: those that this call has to answer for. */
class FollowedTasks implements Disposable {
  private readonly ids = new Set<string>();
  private readonly subscriptions = new DisposableStore();

  constructor(executor: Executor) {
    this.takeOpen(executor.state);
    this.subscriptions.add(executor.onDidReset(() => this.takeOpen(executor.state)));
    this.subscriptions.add(
      executor.onDidAppend((events) => {
        for (const event of events)
          if (event.kind === 'task.queued' || event.kind === 'task.requeued') this.ids.add(event.taskId);
      }),
    );
  }

  tasks(state: LiveState): TaskState[] {
    return [...state.tasks.values()].filter((task) => this.ids.has(task.id));
  }

  dispose(): void {
    this.subscriptions.dispose();
  }

  private takeOpen({ tasks }: LiveState): void {
    for (const task of tasks.values()) if (!isEnded(task.status)) this.ids.add(task.id);
  }
}

/** Resolves at the first Ctrl-C or SIGTERM; the second one ends the process at once. */
function interrupted(): Promise<'interrupted'> {
  return new Promise((resolve) => {
    const onSignal = (): void => {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
      process.stderr.write(
        'Ending in order; what runs goes on at the next start. Press Ctrl-C again to end at once.\n',
      );
      resolve('interrupted');
    };
    process.once('SIGINT', onSignal);
    process.once('SIGTERM', onSignal);
  });
}

function idle(executor: Executor): Promise<'idle'> {
  return new Promise((resolve) => {
    const look = (): void => {
      // While it is nowhere, its state is what was last heard of it.
      if (executor.place.kind === 'nowhere' || !isIdle(executor.state)) return;
      appended.dispose();
      replaced.dispose();
      resolve('idle');
    };
    const appended = executor.onDidAppend(look);
    const replaced = executor.onDidReset(look);
    look();
  });
}
