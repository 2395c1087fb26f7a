/**
 * Joins the rooms through core's ports. This is the one file that knows them all; it decides nothing but who is given to
 * whom. Heavy parts (the SDK, sql.js, node-pty) are loaded by their rooms when they are first needed.
 */
import path from 'node:path';
import { pricesWith } from './analytics/prices';
import { systemClock, type Clock } from './base/clock';
import { UserError } from './base/errors';
import { silentLogger, type Logger } from './base/logger';
import type { DiagnosticSink } from './core/diagnostic';
import type { Engine } from './core/engine';
import type { Executor } from './core/executor';
import { knownTasksOf, type KnownTasks } from './core/knownTasks';
import type { PersonaList, Personas } from './core/persona';
import type { OwnPrices } from './core/prices';
import type { TaskSource } from './core/source';
import { createAnthropicEngine } from './engines/anthropic/anthropicEngine';
import type { EngineLimits, ModelCredential } from './engines/anthropic/engineOptions';
import { createClaudeCodeEngine } from './engines/claudeCode/claudeCodeEngine';
import type { ClaudeCodeLimits, ProcessMode } from './engines/claudeCode/engineOptions';
import { scriptedModelName } from './engines/scripted/scriptedModel';
import { LocalExecutor } from './executor/localExecutor';
import { defaultSettings, type ExecutorSettings } from './executor/ports';
import { connectExecutor } from './gateway/gatewayClient';
import { serveExecutor } from './gateway/gatewayServer';
import { RoamingExecutor } from './gateway/roamingExecutor';
import { createJails } from './jail/jails';
import { identifyProcess } from './jail/procfs';
import { createPersonas } from './personas/personas';
import { createSessions } from './sessions/sessions';
import { createDefinitionSource } from './sources/taskDefinitions/definitionSource';
import { parseRowChoice } from './sources/taskFile/rowChoice';
import { createTaskFileSource } from './sources/taskFile/taskFileSource';
import { OwnWrites } from './sources/ownWrites';
import { repositoryResolver } from './sources/repositoryResolver';
import { openEmbeddedZMemory } from './sources/zmemory/embeddedServer';
import { connectZMemory, createZMemorySource } from './sources/zmemory/zmemorySource';
import { acquireOwnership, findOwner } from './store/ownership';
import { openStore } from './store/store';
import { createTools } from './tools/tools';
import { version } from '../package.json';
import { committedFiles } from './workspaces/committedFiles';
import { createTargetBranches } from './workspaces/targetBranches';
import { createWorkspaces } from './workspaces/workspaces';

export { createJails } from './jail/jails';
export { checkPty } from './sessions/nodePty';
export { startScriptedModel } from './engines/scripted/scriptedModel';
export { startEmbeddedServer } from './sources/zmemory/embeddedServer';
export { planOf, startNow } from './sources/taskDefinitions/plan';
export { loadTasks } from './sources/zmemory/loadTasks';
export { probeZMemory } from './sources/zmemory/probe';
export { backUp, restore } from './store/backup';
export { verifyJournal, type JournalReport } from './store/verifyJournal';
export type { ExecutorSettings } from './executor/ports';

export const airlockVersion = version;

/** The model when nobody names one. */
const defaultModel = 'claude-sonnet-5-5';

/** What Claude Code's short names are at Anthropic's own server. */
const modelAliases = { sonnet: defaultModel, opus: 'claude-opus-5-5', haiku: 'claude-haiku-5-5' };

/** What thinks. */
export type EngineChoice =
  | {
      readonly kind: 'anthropic';
      /** The key or token, read anew for each conversation; `undefined` while there is none. */
      readonly credential: ModelCredential;
      /** `null` for Anthropic's own server. */
      readonly baseUrl: string | null;
      readonly model: string | null;
    }
  /** The user's own Claude Code, in the jail. Key, server and model as above. */
  | {
      readonly kind: 'claude-code';
      readonly credential: ModelCredential;
      readonly baseUrl: string | null;
      readonly model: string | null;
      /** The program; `null` to look for `claude` on the `PATH`. */
      readonly path: string | null;
      readonly process: ProcessMode;
      readonly limits?: Partial<ClaudeCodeLimits>;
    }
  /** The bundled script that plays a model. */
  | { readonly kind: 'scripted'; readonly baseUrl: string; readonly token: string }
  /** None yet: tasks wait until there is one. */
  | { readonly kind: 'none' };

/** Where tasks come from, beside the user. */
export type SourceChoice =
  | {
      readonly kind: 'server';
      readonly name: string;
      readonly url: string;
      readonly token: () => Promise<string | undefined>;
      readonly agent: string;
      readonly pollMs: number;
      /** How long one answer of the server may take. Absent: the client's own default. */
      readonly timeoutMs?: number;
    }
  /** The embedded ZMemory, in this process, in the storage folder. */
  | { readonly kind: 'embedded'; readonly agent: string }
  | {
      /** The table of tasks in a Markdown file of a repository that the user trusts. */
      readonly kind: 'taskFile';
      readonly repo: string;
      /** Relative to the repository. */
      readonly file: string;
      /** The owner that rows get when they are taken. */
      readonly agent: string;
      /** `all`, or IDs and priorities such as `P0,P1,T-17`. */
      readonly rows: string;
      /** True: a repository without the file is nothing wrong. */
      readonly mayBeMissing: boolean;
    }
  | {
      /** The task definitions of a repository that the user trusts: `.airlock/tasks/*.yaml`. */
      readonly kind: 'taskDefinitions';
      readonly repo: string;
      /** Names of environment variables that their prompts may have. */
      readonly environment: readonly string[];
    };

export interface AirlockOptions {
  /** The storage folder: one executor at a time owns it. */
  readonly storage: string;
  readonly settings: Partial<ExecutorSettings>;
  /** Prices of models, in place of the public ones. */
  readonly prices?: OwnPrices;
  /** Absolute paths of the repositories that tasks may be for; asked anew each time. */
  readonly repositories: () => readonly string[];
  readonly engine: EngineChoice;
  readonly sources: readonly SourceChoice[];
  readonly logger: Logger;
  /** The folder of the user's own personas. Absent: there are none. It need not exist. */
  readonly personas?: string;
  /** Told what is wrong in files of repositories that tasks come from. */
  readonly onDiagnostics?: DiagnosticSink;
  /** Told what task definitions want a person to hear. */
  readonly onNotice?: (message: string) => void;
  readonly clock?: Clock;
  /** How patient the engine is with its server. What is absent is as the engine has it. */
  readonly engineLimits?: Partial<EngineLimits>;
  /** Paths of tool chains that jails see beside those on the `PATH`; `tool-chain-unsafe` keeps every jail from being built. */
  readonly toolChains?: readonly string[];
  /** VS Code's own copy of node-pty. */
  readonly nodePtyPath?: string;
  /** Fired when a key was set or removed: what waited for one goes on. */
  readonly onDidChangeCredentials?: (listener: () => void) => { dispose(): void };
}

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
      if (owner) return connectExecutor({ socketPath: owner.socketPath, version, clock, logger });
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
  options: AirlockOptions,
  role: 'work' | 'visit',
  clock: Clock,
  owned: Owned,
): Promise<Executor> {
  const { logger, storage } = options;
  const ends: (() => Promise<void>)[] = [() => owned.release()];
  const endAll = async (): Promise<void> => {
    for (const end of ends.splice(0).reverse()) await end();
  };
  try {
    const store = await openStore({ storage, clock, logger });
    ends.push(() => store.close());
    for (const note of store.notes) logger.warn(note);
    const sources = role === 'work' ? await openSources(options, clock, knownTasksOf(store.state), ends) : [];
    const executor = joinRooms(options, clock, store, sources, endAll);
    const gateway = await serveExecutor({ executor, socketPath: owned.info.socketPath, version, clock, logger });
    ends.push(() => gateway.close());
    if (role === 'work') {
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
  const prices = pricesWith(options.prices ?? {});
  const jails = createJails({ clock, toolChains: options.toolChains ?? [] });
  return new LocalExecutor({
    ports: {
      events: { state: store.state, onDidAppend: store.onDidAppend, append: (bodies) => store.journal.append(bodies) },
      blobs: store.blobs,
      history: store.history,
      room: store.room,
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
      engine: createEngine(options, clock),
      tools: createTools(),
      sources,
      priceList: prices.version,
      costOf: (model, usage) => prices.costOf(model, usage),
      repositories: options.repositories,
      sessionFolder: (runId, sessionId) => path.join(storage, 'runs', runId, 'session', sessionId),
      engineFolder: (runId) => path.join(storage, 'runs', runId, 'engine'),
      clock,
      logger,
    },
    settings: { ...defaultSettings, ...options.settings },
    process: thisProcess(),
    version,
    afterEnd,
  });
}

/** What was given to this process to keep. One that cannot be read now is in no jail either. */
async function knownSecrets({ engine, sources }: AirlockOptions): Promise<string[]> {
  const read = sources.flatMap((source) => (source.kind === 'server' ? [source.token()] : []));
  if (engine.kind === 'anthropic') read.push(engine.credential.read());
  const found = await Promise.allSettled(read);
  return found.flatMap((each) => (each.status === 'fulfilled' && each.value !== undefined ? [each.value] : []));
}

function openPersonas({ personas, engine, settings, onDiagnostics = () => {}, logger }: AirlockOptions): Personas {
  const { personaDomains, runTimeoutMs, maxTurns, maxCostUsd } = { ...defaultSettings, ...settings };
  // Another server has models of its own.
  const isAnthropics = (engine.kind === 'anthropic' || engine.kind === 'claude-code') && engine.baseUrl === null;
  return createPersonas({
    folder: personas ?? null,
    bounds: { domains: personaDomains, timeoutMs: runTimeoutMs, maxTurns, maxCostUsd },
    aliases: isAnthropics ? modelAliases : {},
    committedFiles,
    onDiagnostics,
    logger,
  });
}

/** The personas that tasks for a repository could name, without an executor. */
export function personasOf(
  repo: string | null,
  choice: { readonly folder: string; readonly network: readonly string[]; readonly engine: EngineChoice },
): Promise<PersonaList> {
  const settings = { personaDomains: choice.network };
  const { engine, folder: personas } = choice;
  const options = { storage: '', repositories: () => [], sources: [], logger: silentLogger };
  return openPersonas({ ...options, settings, engine, personas }).of(repo);
}

function createEngine({ engine: choice, engineLimits: limits = {}, logger }: AirlockOptions, clock: Clock): Engine {
  switch (choice.kind) {
    case 'scripted':
      return createAnthropicEngine({
        kind: 'scripted',
        credential: { kind: 'authToken', read: () => Promise.resolve(choice.token) },
        baseUrl: choice.baseUrl,
        defaultModel: scriptedModelName,
        limits,
        clock,
        logger,
      });
    case 'none':
      return createAnthropicEngine({
        credential: { kind: 'apiKey', read: () => Promise.resolve(undefined) },
        defaultModel,
        clock,
        logger,
      });
    case 'claude-code':
      return createClaudeCodeEngine({
        path: choice.path,
        searchPath: process.env['PATH'] ?? '',
        processMode: choice.process,
        credential: choice.credential,
        ...(choice.baseUrl === null ? {} : { baseUrl: choice.baseUrl }),
        defaultModel: choice.model ?? defaultModel,
        serverLimits: limits,
        limits: choice.limits ?? {},
        clock,
        logger,
      });
    case 'anthropic':
      return createAnthropicEngine({
        credential: choice.credential,
        ...(choice.baseUrl === null ? {} : { baseUrl: choice.baseUrl }),
        defaultModel: choice.model ?? defaultModel,
        limits,
        clock,
        logger,
      });
  }
}

async function openSources(
  options: AirlockOptions,
  clock: Clock,
  known: KnownTasks,
  ends: (() => Promise<void>)[],
): Promise<TaskSource[]> {
  const { logger, onDiagnostics = () => {}, onNotice = () => {} } = options;
  const resolveRepository = repositoryResolver(options.repositories);
  const ownWrites = new OwnWrites();
  const open = async (choice: SourceChoice): Promise<TaskSource> => {
    switch (choice.kind) {
      case 'server': {
        const { url, agent, pollMs, timeoutMs } = choice;
        const limits = timeoutMs === undefined ? {} : { timeoutMs };
        const id = `zmemory:${choice.name}`;
        return connectZMemory({
          id,
          url,
          token: choice.token,
          agent,
          pollMs,
          limits,
          resolveRepository,
          clock,
          logger,
        });
      }
      case 'embedded': {
        const api = await openEmbeddedZMemory({ storage: path.join(options.storage, 'zmemory'), clock });
        ends.push(() => api.close());
        const id = 'zmemory:embedded';
        return createZMemorySource({ id, api, agent: choice.agent, resolveRepository, clock, logger });
      }
      case 'taskFile':
        return createTaskFileSource({
          ...choice,
          rows: parseRowChoice(choice.rows),
          known,
          ownWrites,
          onDiagnostics,
          clock,
          logger,
        });
      case 'taskDefinitions':
        return createDefinitionSource({ ...choice, known, ownWrites, onDiagnostics, onNotice, clock, logger });
    }
  };
  const sources: TaskSource[] = [];
  for (const choice of options.sources) sources.push(await open(choice));
  return sources;
}

function thisProcess(): NonNullable<ReturnType<typeof identifyProcess>> {
  const identity = identifyProcess(process.pid);
  if (!identity)
    throw new UserError('not-linux', 'Airlock needs Linux: its jails are made of what the Linux kernel offers.');
  return identity;
}
