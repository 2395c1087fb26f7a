import path from 'node:path';
import * as vscode from 'vscode';
import * as l10n from '@vscode/l10n';
import type { Clock } from '../base/clock';
import { type Disposable, DisposableStore } from '../base/disposable';
import { messageOf } from '../base/errors';
import type { Logger } from '../base/logger';
import type { JournalReport } from '../core/journalReport';
import type { TaskTables } from '../core/taskTables';
import type { TaskId } from '../core/ids';
import { isJudged } from '../core/task';
import type { TaskPlanner } from '../core/plannedTask';
import type { WriteReport } from '../core/usageReport';
import { registerAnalytics } from './analytics/analyticsPanel';
import { tellOfReport } from './analytics/saveReport';
import { type ReportPlaces, ScheduledReport } from './analytics/scheduledReport';
import { guard, registerCommands } from './commands/commandRegistry';
import { landingActions } from './commands/landingActions';
import { type ModelsOf, modelActions } from './commands/modelActions';
import { type PersonasOf, queueActions, startQueue } from './commands/queueActions';
import { registerDefinitionLanguage } from './definitions/definitionLanguage';
import { secretActions } from './commands/secretActions';
import { sessionActions } from './commands/sessionActions';
import { moveTasks, steeringActions } from './commands/steeringActions';
import { snapshotActions } from './commands/snapshotActions';
import { targetFinder } from './commands/targetFinder';
import { taskActions } from './commands/taskActions';
import { viewActions } from './commands/viewActions';
import { ContextKeys } from './contextKeys';
import type { Credentials } from './credentials';
import { registerEditorTasks } from './entryPoints/editorTasks';
import type { ExecutorLink } from './executorLink';
import { FileDecorations } from './explorer/fileDecorations';
import { type Feature, Features } from './features';
import { Notifications } from './notifications';
import { allowedRepositories, openFolders } from './repositories';
import { ResolvedFiles } from './landing/resolvedFiles';
import { CommentThreads } from './review/commentThreads';
import { ReportLenses } from './review/reportLenses';
import { Reports } from './review/reports';
import { registerResultFiles } from './review/resultFiles';
import { onDefinitionChange } from './schedule/definitionChanges';
import { MissedStarts } from './schedule/missedStarts';
import { nameOf, openFile, registerSchedule, runNow, type ScheduleParts } from './schedule/schedule';
import { ScheduleBranch } from './schedule/scheduleBranch';
import { ScheduleList } from './schedule/scheduleList';
import type { Settings } from './settings/settings';
import { SettingsFollower } from './settings/settingsFollower';
import { problemsOf } from './status/problem';
import { sourcesOf } from './status/sourceState';
import { StatusItem } from './status/statusItem';
import { LiveSurroundings } from './status/surroundings';
import { treeMessage } from './status/treeMessage';
import { SessionList } from './sessionList/sessionList';
import { SessionTree } from './sessionList/sessionTree';
import { registerSamples, type Samples } from './samples/trySamples';
import { registerVerifyJournal } from './journal/verifyJournal';
import { LookedAt } from './tasks/lookedAt';
import { filterMessage, registerTaskFilter } from './tasks/filterTasks';
import { TaskFilter } from './tasks/taskFilter';
import { TaskDrag } from './tasks/taskDrag';
import { TaskList } from './tasks/taskList';
import { TaskTree } from './tasks/taskTree';
import { registerTableCommands } from './taskTable/tableCommands';
import type { TablePlace } from './taskTable/pickRows';
import { taskFiles } from './taskTable/taskFiles';
import { SessionTerminals } from './terminal/sessionTerminals';

export interface UiParts {
  readonly context: Pick<
    vscode.ExtensionContext,
    'extensionUri' | 'extension' | 'globalState' | 'globalStorageUri' | 'workspaceState'
  >;
  readonly link: ExecutorLink;
  readonly planner: TaskPlanner;
  /** Reads the whole journal of this window's storage. */
  readonly verifyJournal: () => Promise<JournalReport>;
  /** The personas that tasks for a repository may name. */
  readonly personas: PersonasOf;
  /** The models of the server that is set. */
  readonly models: ModelsOf;
  /** The samples that come with Airlock. */
  readonly samples: () => Promise<Samples>;
  /** The task tables of repositories. */
  readonly tables: () => Promise<TaskTables>;
  readonly writeReport: WriteReport;
  readonly reports: ReportPlaces;
  readonly settings: Settings;
  readonly credentials: Credentials;
  readonly log: vscode.LogOutputChannel;
  readonly logger: Logger;
  readonly clock: Clock;
}

interface Shown {
  readonly tasks: TaskList;
  readonly filter: TaskFilter;
  readonly sessions: SessionList;
  readonly schedule: ScheduleList;
  readonly lookedAt: LookedAt;
  readonly surroundings: LiveSurroundings;
  readonly features: Features;
}

/** Starts everything that the user sees. Nothing of it waits for the executor. */
export function startUi(parts: UiParts): Disposable {
  const { link, settings, credentials, logger, clock } = parts;
  const store = new DisposableStore();
  const features = store.add(new Features(logger));
  const lookedAt = store.add(new LookedAt(parts.context.globalState));
  const tasks = store.add(new TaskList(link, clock, lookedAt));
  const surroundings = store.add(new LiveSurroundings(link, credentials, features, logger));
  const sessions = store.add(new SessionList(link, clock));
  const schedule = store.add(new ScheduleList({ ...scheduleParts(parts), folders: trustedFolders, clock }));
  const filter = store.add(new TaskFilter(tasks, link, parts.context.workspaceState));
  const shown = { tasks, filter, sessions, schedule, lookedAt, surroundings, features };
  const tree = features.start(l10n.t('The task tree'), () => startTree(parts, shown));
  features.start(l10n.t('The filter of the task tree'), () => registerTaskFilter(filter, clock, logger));
  features.start(l10n.t('The view of sessions'), () => new SessionTree(sessions, link));
  const terminals = features.start(
    l10n.t('The terminals'),
    () => new SessionTerminals(link, settings.get('airlock.terminal.openAutomatically')),
  );
  const reports = features.start(l10n.t('The reports'), () => startReports(parts, tasks));
  features.start(l10n.t('The view of changes'), () => registerResultFiles(link));
  const resolvedFiles = features.start(l10n.t('The files in conflict'), () => startResolvedFiles(parts));
  features.start(l10n.t('The marks on files'), () => new FileDecorations(link, clock, logger));
  features.start(l10n.t('The links above details'), () => new ReportLenses(tasks, clock));
  features.start(l10n.t('The comments on results'), () => new CommentThreads(link, logger));
  features.start(l10n.t('Tasks from the editor'), () => startEditorTasks(parts));
  features.start(l10n.t('The schedule'), () => startSchedule(parts, schedule, tree));
  features.start(l10n.t('The check of the journal'), () => registerVerifyJournal(parts.verifyJournal, logger));
  features.start(l10n.t('The samples'), () =>
    registerSamples({ link, samples: parts.samples, memory: parts.context.globalState, logger }),
  );
  features.start(l10n.t('The task tables'), () => startTables(parts));
  features.start(l10n.t('The language of task definitions'), () => registerDefinitionLanguage());
  features.start(l10n.t('The analytics page'), () => startAnalytics(parts, tree));
  features.start(l10n.t('The scheduled report'), () => startScheduledReport(parts));
  features.start(l10n.t('The commands'), () =>
    startCommands(parts, shown, { tree, terminals, reports, resolvedFiles }),
  );
  features.start(l10n.t('The notifications'), () => startNotifications(parts, shown, tree));
  features.start(l10n.t('The settings'), () => startFollowing(parts));
  features.start(l10n.t('The status bar item'), () => new StatusItem(tasks, link, surroundings, clock));
  // Last, so that what it says of the others is whole.
  features.start(l10n.t('The context keys'), () => new ContextKeys({ link, tasks, surroundings, credentials }));
  return store;
}

function startTree({ link, logger }: UiParts, { tasks, filter, schedule, surroundings }: Shown): TaskTree {
  const drag = new TaskDrag(
    (taskId) => tasks.abilitiesOf(taskId).has('move'),
    (taskIds, aim) => guard('Move', logger, () => moveTasks(link, tasks, taskIds, aim)),
  );
  const branch = new ScheduleBranch(schedule, filter);
  const tree = new TaskTree(filter, link, branch, drag);
  const showMessage = (): void => {
    const problem = treeMessage(link.state, surroundings.current, !branch.isEmpty);
    tree.setMessage([filterMessage(filter, branch.counts()), problem].filter((text) => text !== '').join(' · '));
  };
  for (const { onDidChange } of [surroundings, filter, schedule]) tree.keep(onDidChange(showMessage));
  showMessage();
  return tree;
}

function startAnalytics({ context, link, writeReport, logger }: UiParts, tree: Feature<TaskTree>): Disposable {
  const reveal = async (taskId: TaskId): Promise<void> => {
    if (link.state.tasks.has(taskId)) await tree.get().reveal(taskId);
    else void vscode.window.showInformationMessage(l10n.t('The task {0} is not in the task tree any more.', taskId));
  };
  return registerAnalytics({ extensionUri: context.extensionUri, executor: link, reveal, writeReport, logger });
}

function startScheduledReport({ context, link, settings, reports, writeReport, clock, logger }: UiParts): Disposable {
  const schedule = settings.get('airlock.report.schedule');
  return new ScheduledReport({
    link,
    schedule: () => schedule.value,
    onDidChangeSchedule: (listener) => schedule.onDidChange(listener),
    places: reports,
    writeReport,
    memory: context.globalState,
    tell: (file) => void guard('Open Report', logger, () => tellOfReport(file)),
    clock,
    logger,
  });
}

function startReports({ link, settings, clock }: UiParts, tasks: TaskList): Reports {
  return new Reports(link, tasks, clock, () => allowedRepositories(settings.value('airlock.repositories')));
}

function startEditorTasks({ link, personas, settings, logger }: UiParts): Disposable {
  const repositories = (): readonly string[] => allowedRepositories(settings.value('airlock.repositories'));
  return registerEditorTasks({ link, personas, repositories, logger });
}

function scheduleParts({ link, planner, settings, logger }: UiParts): ScheduleParts {
  return { link, planner, isOn: () => settings.value('airlock.taskDefinitions.enabled'), logger };
}

/** The folders whose files count. */
function trustedFolders(): string[] {
  return vscode.workspace.isTrusted ? openFolders() : [];
}

function startSchedule(parts: UiParts, list: ScheduleList, tree: Feature<TaskTree>): Disposable {
  const { link, clock, settings, logger } = parts;
  const schedule = scheduleParts(parts);
  const store = new DisposableStore();
  store.add(registerSchedule(schedule));
  store.add(onDefinitionChange(() => list.refresh()));
  store.add(settings.get('airlock.taskDefinitions.enabled').onDidChange(() => list.refresh()));
  store.add(
    new MissedStarts({
      list,
      link,
      kept: parts.context.globalState,
      clock,
      runNow: (definition) => guard('Run Now', logger, () => runNow(schedule, [nameOf(definition)])),
      open: (definition) => guard('Open', logger, () => openFile(definition)),
      reveal: (taskId) => guard('Reveal', logger, () => tree.get().reveal(taskId)),
      logger,
    }),
  );
  return store;
}

function startTables({ link, tables, settings, logger }: UiParts): Disposable {
  const places = (): TablePlace[] =>
    openFolders().flatMap((repo) => taskFiles(settings).map((file) => ({ repo, file })));
  return registerTableCommands({ link, tables, places, logger });
}

interface CommandFeatures {
  readonly tree: Feature<TaskTree>;
  readonly terminals: Feature<SessionTerminals>;
  readonly reports: Feature<Reports>;
  readonly resolvedFiles: Feature<ResolvedFiles>;
}

/** Beside the executor's storage, which may be elsewhere: what is being resolved is this window's. */
function startResolvedFiles({ context, link, logger }: UiParts): ResolvedFiles {
  const files = new ResolvedFiles(path.join(context.globalStorageUri.fsPath, 'merges'), link);
  const sweep = async (): Promise<void> => {
    const { tasks } = (await link.ready()).state;
    await files.sweep((taskId) => isJudged(tasks.get(taskId)?.status ?? 'landed'));
  };
  sweep().catch((error: unknown) => logger.warn('Resolved files were not swept', { reason: messageOf(error) }));
  return files;
}

function startCommands(
  parts: UiParts,
  { tasks, sessions, lookedAt, surroundings }: Shown,
  features: CommandFeatures,
): Disposable {
  const { link, settings, credentials, log, logger } = parts;
  const repositories = (): readonly string[] => allowedRepositories(settings.value('airlock.repositories'));
  const actions = {
    ...queueActions(link, repositories, parts.personas),
    ...taskActions({ link, repositories, lookedAt, ...features }),
    ...landingActions({ link, lookedAt, ...features }),
    ...snapshotActions(link),
    ...steeringActions(link, tasks),
    ...sessionActions({ sessions, ...features }),
    ...secretActions(credentials, settings),
    ...modelActions(parts.models, settings),
    ...viewActions({ link, surroundings, reports: features.reports, log, extensionId: parts.context.extension.id }),
  };
  return registerCommands(
    actions,
    targetFinder({
      tasks,
      sessions,
      sources: () => sourcesOf(link.state),
      selection: () => features.tree.get().view.selection,
    }),
    logger,
  );
}

function startNotifications(parts: UiParts, { surroundings }: Shown, tree: Feature<TaskTree>): Notifications {
  const { link, clock, logger } = parts;
  return new Notifications(
    link,
    clock,
    () => problemsOf(link.state, surroundings.current).some(({ command }) => command === 'airlock.setApiKey'),
    (taskId) => guard('Reveal', logger, () => tree.get().reveal(taskId)),
  );
}

/** Follows what the executor was opened with, and what must be done once it is open. */
function startFollowing({ link, settings, credentials, clock, logger }: UiParts): Disposable {
  const store = new DisposableStore();
  const follower = store.add(new SettingsFollower(settings, link, clock, logger));
  store.add(
    credentials.onDidChangeSecret((kind) => {
      if (kind === 'zmemoryToken') follower.changed();
    }),
  );
  store.add(vscode.workspace.onDidGrantWorkspaceTrust(() => follower.applyNow()));
  store.add(
    vscode.workspace.onDidChangeWorkspaceFolders(() => {
      const hasTaskFile = settings.value('airlock.taskFile.rows').trim() !== '';
      if (hasTaskFile || settings.value('airlock.taskDefinitions.enabled')) follower.changed();
    }),
  );
  store.add(
    link.onDidChangeStatus((status) => {
      if (status.kind !== 'open' || !vscode.workspace.isTrusted || !settings.value('airlock.startQueueOnOpen')) return;
      void guard('Start Queue', logger, () => startQueue(status.executor));
    }),
  );
  return store;
}
