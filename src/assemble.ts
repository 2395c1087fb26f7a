/**
 * Joins the rooms through core's ports. This file and its folder are the one place that knows them all; it decides nothing but
 * who is given to whom. Heavy parts (the SDK, sql.js, node-pty) are loaded by their rooms when they are first needed.
 */
import path from 'node:path';
import { pricesWith } from './analytics/prices';
import { exportTelemetry, type Telemetry } from './analytics/telemetry';
import { reportWriter } from './analytics/usageReport';
import { createEngines, isLocal } from './assemble/createEngine';
import { lentBy } from './assemble/lentFolders';
import { openPersonas } from './assemble/openPersonas';
import { openSources } from './assemble/openSources';
import type { AirlockOptions, McpChoice } from './assemble/options';
import { providersOf } from './assemble/providerNames';
import { systemClock, type Clock } from './base/clock';
import { UserError } from './base/errors';
import type { Executor } from './core/executor';
import type { LendFolders } from './core/folderSource';
import { knownTasksOf } from './core/knownTasks';
import type { ReportSchedule, ReportTimes } from './core/reportSchedule';
import { tracedLogger } from './core/runTrace';
import type { TaskSource } from './core/source';
import { LocalExecutor } from './executor/localExecutor';
import { defaultSettings } from './executor/ports';
import { connectExecutor } from './gateway/gatewayClient';
import { serveExecutor } from './gateway/gatewayServer';
import { RoamingExecutor } from './gateway/roamingExecutor';
import { ProcHostProbe } from './jail/hostLoad';
import { createJails } from './jail/jails';
import { identifyProcess } from './jail/procfs';
import { createMcpServers } from './mcp/mcpServers';
import { redactText } from './sessions/redactText';
import { createSessions } from './sessions/sessions';
import { OwnWrites } from './sources/ownWrites';
import { cronStarts } from './sources/taskDefinitions/starts';
import { acquireOwnership, findOwner } from './store/ownership';
import { keepAll } from './store/keep';
import { openStore } from './store/store';
import { createTools } from './tools/tools';
import { version } from '../package.json';
import { createTargetBranches } from './workspaces/targetBranches';
import { createWorkspaces } from './workspaces/workspaces';

export { modelsOf } from './assemble/modelsOf';
export { personasOf } from './assemble/openPersonas';
export type { AirlockOptions, EngineChoice, McpChoice, SourceChoice } from './assemble/options';
export { serveMetrics, type MetricsServer } from './analytics/metricsServer';
export { serveMcp } from './mcp/serveMcp';
export { createJails } from './jail/jails';
export { checkPty } from './sessions/nodePty';
export { redactorOf } from './sessions/redactText';
export { makeSampleRepository } from './engines/scripted/sampleRepository';
export { newSampleTasks, type SampleTask, sampleTasks } from './engines/scripted/sampleTasks';
export { startScriptedModel } from './engines/scripted/scriptedModel';
export { startEmbeddedServer } from './sources/zmemory/embeddedServer';
export { createTableDesk } from './sources/taskFile/tableDesk';
export { planOf, startNow } from './sources/taskDefinitions/plan';
export { loadTasks } from './sources/zmemory/loadTasks';
export { probeZMemory } from './sources/zmemory/probe';
export { backUp, restore } from './store/backup';
export { verifyJournal } from './store/verifyJournal';
export type { ExecutorSettings } from './executor/ports';

export const airlockVersion = version;

/** When reports are due, in the time zone of this machine. */
export function reportTimes(schedule: Exclude<ReportSchedule, 'off'>): ReportTimes {
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  return cronStarts(schedule === 'daily' ? '0 8 * * *' : '0 8 * * 1', timeZone);
}

/** Writes a report of usage; secrets of known shapes are no part of it. */
export const writeReport = reportWriter((text) => redactText(text, []), systemClock);

/**
 * What a process wants of the executor.
 * - `work`: to work the queue, or to follow who does and to take over when that one ends.
 * - `visit`: to look and ask for a moment; where nobody works, the storage is opened here and nothing is started.
 * - `look`: to follow who works, also who begins later, and never to own the storage: for a window whose folder is not trusted.
 */
export type ExecutorRole = 'work' | 'visit' | 'look';

/**
 * The executor of a storage folder: in this process when the folder is free, else the one that owns it; when that one ends,
 * this process takes over, as far as its role goes.
 * @throws {UserError} `journal-corrupt`, `journal-newer`, `lock-unavailable`, `executor-unreachable`, `disk-full`, …
 */
export function openExecutor(options: AirlockOptions, role: ExecutorRole): Promise<Executor> {
  const clock = options.clock ?? systemClock;
  const { logger, storage } = options;
  return RoamingExecutor.start({
    clock,
    logger,
    tryOwn: () => (role === 'look' ? Promise.resolve(undefined) : tryOwn(options, role, clock)),
    connect: async () => {
      const owner = await findOwner(storage);
      if (owner)
        return connectExecutor({
          ...(role === 'work' ? lentBy(options) : {}),
          socketPath: owner.socketPath,
          version,
          clock,
          logger,
        });
      throw new UserError('executor-unreachable', 'No executor works on this storage that could be reached.');
    },
    waits: role === 'look',
  });
}

async function tryOwn(options: AirlockOptions, role: 'work' | 'visit', clock: Clock): Promise<Executor | undefined> {
  const ownership = await acquireOwnership({ storage: options.storage, process: thisProcess(), clock });
  if (ownership.kind === 'taken') return undefined;
  try {
    return await ownExecutor(options, role, clock, ownership);
  } catch (error) {
    await ownership.release();
    throw error;
  }
}

interface Owned {
  readonly info: { readonly socketPath: string };
  release(): Promise<void>;
}

/** Builds the executor in this process. What was begun is ended again when a later part cannot be had. */
async function ownExecutor(
  given: AirlockOptions,
  role: 'work' | 'visit',
  clock: Clock,
  owned: Owned,
): Promise<Executor> {
  const options = { ...given, logger: tracedLogger(given.logger) };
  const { logger, storage } = options;
  const ends: (() => Promise<void>)[] = [() => owned.release()];
  const endAll = async (): Promise<void> => {
    for (const end of ends.splice(0).reverse()) await end();
  };
  try {
    const store = await openStore({
      storage,
      clock,
      logger,
      keep: role === 'work' ? options.keep : keepAll,
      anchorSlot: options.anchorSlot,
      onBrokenAnchor: (message) => {
        logger.warn(message);
        options.onNotice?.(message);
      },
    });
    let telemetry: Telemetry | undefined;
    // Beside each other: a collector that does not answer must not keep the journal open.
    ends.push(async () => void (await Promise.all([store.close(), telemetry?.close()])));
    for (const note of store.notes) logger.warn(note);
    // No event can say so, and who looks at nothing that shows the state hears it all the same.
    store.room.onDidChange(() => {
      const { shortage } = store.room;
      if (shortage?.code === 'storage-unwritable') options.onNotice?.(shortage.message);
    });
    const known = knownTasksOf(store.state);
    // One for all of them: what a table writes is no change for a watch, whoever lends that.
    const ownWrites = new OwnWrites();
    const sources = role === 'work' ? await openSources(options, clock, known, ends, ownWrites) : [];
    const executor = joinRooms(options, clock, store, sources, endAll);
    const lend: LendFolders = async (folders, onDiagnostics) =>
      executor.lentSources.lend(
        await openSources({ ...options, sources: folders, onDiagnostics }, clock, known, ends, ownWrites),
      );
    const gateway = await serveExecutor({
      executor,
      // Whoever looks in for a moment follows nothing.
      ...(role === 'work' ? { lend } : {}),
      socketPath: owned.info.socketPath,
      version,
      clock,
      logger,
    });
    ends.push(() => gateway.close());
    if (role === 'work') {
      const { otlpEndpoint: endpoint } = options;
      const providerOf = providersOf(options);
      if (endpoint) telemetry = exportTelemetry(executor, { endpoint, version, providerOf, clock, logger });
      await executor.start();
      const changes = options.onDidChangeCredentials?.(() => {
        executor.credentialsChanged().catch((error: unknown) => logger.error('Waiting tasks could not go on', error));
      });
      if (changes) ends.push(() => Promise.resolve(changes.dispose()));
    }
    return executor;
  } catch (error) {
    // The lock is let go of by the caller, after all that is below it.
    ends.shift();
    await endAll();
    throw error;
  }
}

function joinRooms(
  options: AirlockOptions,
  clock: Clock,
  store: Awaited<ReturnType<typeof openStore>>,
  sources: readonly TaskSource[],
  afterEnd: () => Promise<void>,
): LocalExecutor {
  const { logger, storage } = options;
  const prices = pricesWith(options.prices ?? {}, isLocal(options));
  const jails = createJails({ clock, toolChains: options.toolChains ?? [] });
  return new LocalExecutor({
    ports: {
      events: { state: store.state, onDidAppend: store.onDidAppend, append: (bodies) => store.journal.append(bodies) },
      blobs: store.blobs,
      history: store.history,
      room: store.room,
      host: options.host ?? new ProcHostProbe(),
      jails,
      sessions: createSessions({
        jails,
        clock,
        logger,
        nodePtyPath: options.nodePtyPath,
        secrets: () => knownSecrets(options),
      }),
      targets: createTargetBranches(),
      workspaces: createWorkspaces({ jails, storage, clock, logger }),
      personas: openPersonas(options),
      ...createEngines(options, clock, prices),
      tools: createTools(),
      mcp: createMcpServers({ jails, emptyFolder: path.join(storage, 'mcp', 'empty'), ...(options.mcp ?? noMcp) }),
      sources,
      priceList: prices.version,
      costOf: (model, usage) => prices.costOf(model, usage),
      repositories: options.repositories,
      runFolder: (runId) => path.join(storage, 'runs', runId),
      sessionFolder: (runId, sessionId) => path.join(storage, 'runs', runId, 'session', sessionId),
      engineFolder: (runId) => path.join(storage, 'runs', runId, 'engine'),
      redact: async (text) => redactText(text, await knownSecrets(options)),
      clock,
      logger,
    },
    settings: { ...defaultSettings, ...options.settings },
    process: thisProcess(),
    version,
    afterEnd,
  });
}

const noMcp: McpChoice = { secret: () => Promise.resolve(undefined), approved: () => [], privateHosts: () => [] };

/** What was given to this process to keep. One that cannot be read now is in no jail either. */
export async function knownSecrets(
  options: Pick<AirlockOptions, 'engine' | 'otherEngines' | 'sources'>,
): Promise<string[]> {
  const { engine, otherEngines = [], sources } = options;
  const read = sources.flatMap((source) => (source.kind === 'server' ? [source.token()] : []));
  for (const choice of [engine, ...otherEngines]) if ('credential' in choice) read.push(choice.credential.read());
  const found = await Promise.allSettled(read);
  return found.flatMap((each) => (each.status === 'fulfilled' && each.value !== undefined ? [each.value] : []));
}

function thisProcess(): NonNullable<ReturnType<typeof identifyProcess>> {
  const identity = identifyProcess(process.pid);
  if (!identity)
    throw new UserError('not-linux', 'Airlock needs Linux: its jails are made of what the Linux kernel offers.');
  return identity;
}
