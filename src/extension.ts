import * as path from 'node:path';
import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { systemClock } from './base/clock';
import { DisposableStore } from './base/disposable';
import type { Executor } from './core/executor';
import { knownTasksOf } from './core/knownTasks';
import type { JournalReport } from './core/journalReport';
import type { TaskPlanner } from './core/plannedTask';
import { enginesOf, executorOptions, type OptionParts } from './executorOptions';
import { Credentials } from './ui/credentials';
import { ExecutorLink } from './ui/executorLink';
import { FileProblems } from './ui/fileProblems';
import { loggerTo } from './ui/logChannel';
import { secretStorageSlot } from './ui/secretStorageSlot';
import { homeExpanded } from './ui/repositories';
import { Settings } from './ui/settings/settings';
import { type ReportPlaces } from './ui/analytics/scheduledReport';
import { startUi } from './ui/start';

/** What lives while the extension does. */
interface Running {
  readonly link: ExecutorLink;
  readonly store: DisposableStore;
}

let running: Running | undefined;

/** What other extensions and the tests get. */
export interface AirlockApi {
  /** The executor once it is open. @throws {UserError} when it cannot be opened. */
  executor(): Promise<Executor>;
}

/** Shows the UI at once; the executor, and with it everything that is heavy, opens behind it. */
export function activate(context: vscode.ExtensionContext): AirlockApi {
  if (vscode.l10n.bundle) l10n.config({ contents: vscode.l10n.bundle });
  const store = new DisposableStore();
  const log = store.add(vscode.window.createOutputChannel('Airlock', { log: true }));
  const logger = loggerTo(log);
  const settings = store.add(new Settings(logger));
  const credentials = store.add(
    new Credentials({
      secrets: context.secrets,
      environment: process.env,
      baseUrl: settings.get('airlock.engine.baseUrl'),
      servers: settings.get('airlock.zmemory.servers'),
    }),
  );
  const problems = store.add(new FileProblems());
  const open = async (): Promise<Executor> => {
    const storage = storageOf(context, settings);
    return openExecutor({
      storage,
      anchorSlot: secretStorageSlot(context.secrets, storage),
      appRoot: vscode.env.appRoot,
      onNotice: (message) => void vscode.window.showInformationMessage(message),
      settings,
      credentials,
      problems,
      logger,
    });
  };
  const link = store.add(new ExecutorLink(open, logger));
  store.add(
    startUi({
      context,
      link,
      planner: plannerOf(settings, link),
      verifyJournal: () => verifyJournal(context, settings),
      personas: async (repo) => (await (await link.ready()).personas(repo)).personas,
      models: async () => (await import('./assemble')).modelsOf(enginesOf(settings, credentials).engine),
      samples: async () => {
        const { makeSampleRepository, newSampleTasks } = await import('./assemble');
        return { make: makeSampleRepository, tasks: newSampleTasks };
      },
      tables: async () => (await import('./assemble')).createTableDesk(() => settings.value('airlock.zmemory.agent')),
      reports: reportsOf(context, settings),
      writeReport: async (executor, request) => (await import('./assemble')).writeReport(executor, request),
      settings,
      credentials,
      log,
      logger,
      clock: systemClock,
    }),
  );
  running = { link, store };
  credentials.load().catch((error: unknown) => logger.error('The secret storage cannot be read', error));
  link.open();
  return { executor: () => link.ready() };
}

/** Leaves nothing behind: no process, no lock. VS Code gives it a few seconds. */
export async function deactivate(): Promise<void> {
  const ending = running;
  running = undefined;
  try {
    await ending?.link.shutdown();
  } finally {
    ending?.store.dispose();
  }
}

function storageOf(context: vscode.ExtensionContext, settings: Settings): string {
  return homeExpanded(settings.value('airlock.storage')) || context.globalStorageUri.fsPath;
}

function plannerOf(settings: Settings, link: ExecutorLink): TaskPlanner {
  const now = () => ({ nowMs: Date.now(), environment: settings.value('airlock.taskDefinitions.environment') });
  return {
    planOf: async (repo, count) => {
      // While nobody works nobody knows what was started.
      const isKnown = link.status.kind === 'open' && link.status.executor.place.kind !== 'nowhere';
      const known = isKnown ? knownTasksOf(link.state) : undefined;
      return (await import('./assemble')).planOf(repo, { ...now(), count, known });
    },
    startNow: async (repo, name) => (await import('./assemble')).startNow(repo, name, now()),
  };
}

function reportsOf(context: vscode.ExtensionContext, settings: Settings): ReportPlaces {
  return {
    folder: () =>
      homeExpanded(settings.value('airlock.report.folder')) || path.join(storageOf(context, settings), 'reports'),
    times: async (schedule) => (await import('./assemble')).reportTimes(schedule),
  };
}

/** Reads the files themselves: whoever works on them goes on. */
async function verifyJournal(context: vscode.ExtensionContext, settings: Settings): Promise<JournalReport> {
  const storage = storageOf(context, settings);
  return (await import('./assemble')).verifyJournal(storage, secretStorageSlot(context.secrets, storage));
}

async function openExecutor(parts: OptionParts): Promise<Executor> {
  // Loaded here, so that activation does not wait for it.
  const assemble = await import('./assemble');
  // In a folder that is not trusted this window looks on while another one works, and works nothing itself.
  return assemble.openExecutor(executorOptions(parts), vscode.workspace.isTrusted ? 'work' : 'look');
}
