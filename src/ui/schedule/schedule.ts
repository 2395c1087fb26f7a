import * as path from 'node:path';
import * as vscode from 'vscode';
import * as l10n from '@vscode/l10n';
import { type Disposable, DisposableStore } from '../../base/disposable';
import { UserError } from '../../base/errors';
import type { Logger } from '../../base/logger';
import type { TaskPlanner } from '../../core/plannedTask';
import { clickedRows } from '../commands/clickedRows';
import { guard } from '../commands/commandRegistry';
import type { CommandId } from '../commands/commandTable';
import { offerStart, requireTrust } from '../commands/queueActions';
import type { ExecutorLink } from '../executorLink';
import { newFromTemplate } from '../definitions/newFromTemplate';
import { openFolders } from '../repositories';
import { isTaskNode, type TaskNode } from '../tasks/taskNode';
import { startsShown } from './scheduleList';
import { type Definition, scheduleRow } from './scheduleRows';

export interface ScheduleParts {
  readonly link: ExecutorLink;
  readonly planner: TaskPlanner;
  /** The setting lets definitions be started by themselves. */
  readonly isOn: () => boolean;
  readonly logger: Logger;
}

interface DefinitionName {
  readonly repo: string;
  /** Its name in `.airlock/tasks`. */
  readonly file: string;
}

type Item = vscode.QuickPickItem & { readonly definition?: Definition };

const runButton: vscode.QuickInputButton = { iconPath: new vscode.ThemeIcon('run'), tooltip: l10n.t('Run Now') };

/** The commands about the task definitions of the folders that are open. */
export function registerSchedule(parts: ScheduleParts): Disposable {
  const store = new DisposableStore();
  const register = (id: CommandId, action: (args: readonly unknown[]) => Promise<void>): void =>
    void store.add(
      vscode.commands.registerCommand(id, (...args: unknown[]) => guard(id, parts.logger, () => action(args))),
    );
  register('airlock.showSchedule', () => showSchedule(parts));
  register('airlock.newTaskFromTemplate', () => newFromTemplate());
  register('airlock.openDefinition', async ([node]) => {
    if (isDefinitionNode(node)) await openDefinition(parts, node.path);
  });
  register('airlock.runDefinition', async (args) => {
    const named = namedDefinitions(args);
    const picked = named.length > 0 ? undefined : await pickDefinition(parts);
    await runNow(parts, picked ? [picked] : named);
  });
  return store;
}

/** A list to look at: choosing one opens its file, its button starts it. */
async function showSchedule(parts: ScheduleParts): Promise<void> {
  const items = await itemsOf(parts);
  const list = vscode.window.createQuickPick<Item>();
  list.title = parts.isOn()
    ? l10n.t('Schedule: the next {0} starts of each task definition', startsShown)
    : l10n.t('Schedule: nothing starts by itself while airlock.taskDefinitions.enabled is off');
  list.placeholder = l10n.t('Choose one to open its file');
  list.matchOnDescription = true;
  list.items = items.map((item) =>
    item.definition && rowOf(item.definition, parts).canRun ? { ...item, buttons: [runButton] } : item,
  );
  list.onDidTriggerItemButton(({ item: { definition } }) => {
    list.hide();
    if (definition) void guard('Run Now', parts.logger, () => runNow(parts, [nameOf(definition)]));
  });
  list.onDidAccept(() => {
    const [chosen] = list.selectedItems;
    list.hide();
    if (chosen?.definition) void guard('Open', parts.logger, () => openFile(chosen.definition));
  });
  list.onDidHide(() => list.dispose());
  list.show();
}

async function pickDefinition(parts: ScheduleParts): Promise<DefinitionName | undefined> {
  const items = (await itemsOf(parts)).filter(({ definition }) => !definition || rowOf(definition, parts).canRun);
  const picked = await vscode.window.showQuickPick(items, {
    placeHolder: l10n.t('Which task definition is to be started now?'),
    matchOnDescription: true,
  });
  return picked?.definition && nameOf(picked.definition);
}

/** @throws {UserError} `untrusted`, `no-definition`. */
async function itemsOf(parts: ScheduleParts): Promise<Item[]> {
  requireTrust();
  const groups = await Promise.all(
    openFolders().map(async (repo): Promise<Item[]> => {
      const plans = await parts.planner.planOf(repo, startsShown);
      if (plans.length === 0) return [];
      const heading = { label: path.basename(repo), kind: vscode.QuickPickItemKind.Separator };
      return [heading, ...plans.map((plan) => itemOf({ repo, plan }, parts))];
    }),
  );
  const items = groups.flat();
  if (items.length > 0) return items;
  throw new UserError('no-definition', l10n.t('No open folder has task definitions in .airlock/tasks.'));
}

function itemOf(definition: Definition, parts: ScheduleParts): Item {
  const { label, description, detail, icon } = rowOf(definition, parts);
  return { label, description, detail, iconPath: new vscode.ThemeIcon(icon), definition };
}

function rowOf({ plan }: Definition, parts: ScheduleParts) {
  return scheduleRow(plan, parts.isOn());
}

export function nameOf({ repo, plan: { file } }: Definition): DefinitionName {
  return { repo, file };
}

/** The rows or the file that a menu was opened on. @throws {UserError} `no-definition`. */
function namedDefinitions(args: readonly unknown[]): DefinitionName[] {
  const [first] = args;
  if (first instanceof vscode.Uri) return [definitionAt(first.fsPath)];
  const rows = [...(clickedRows(args) ?? []), first].filter(isDefinitionNode);
  return [...new Set(rows.map(({ path }) => path))].map(definitionAt);
}

function isDefinitionNode(node: unknown): node is Extract<TaskNode, { kind: 'definition' }> {
  return isTaskNode(node) && node.kind === 'definition';
}

/** The definition that a file is. @throws {UserError} `no-definition`. */
function definitionAt(fsPath: string): DefinitionName {
  const repo = openFolders().find((folder) => path.dirname(fsPath) === path.join(folder, '.airlock', 'tasks'));
  if (repo !== undefined) return { repo, file: path.basename(fsPath) };
  throw new UserError('no-definition', l10n.t('{0} is no task definition of an open folder.', path.basename(fsPath)));
}

/** Queues a task of each, and asks about the queue if that would not work them. */
export async function runNow(
  { link, planner, logger }: ScheduleParts,
  definitions: readonly DefinitionName[],
): Promise<void> {
  if (definitions.length === 0) return;
  requireTrust();
  const executor = await link.ready();
  for (const { repo, file } of definitions) {
    const { origin, ...task } = await planner.startNow(repo, file);
    // Where definitions are not a source, nobody could be asked for it: then it is a task of the user's own.
    const isSource = origin !== undefined && executor.state.sources.has(origin.sourceId);
    await executor.add(isSource ? { ...task, origin } : task);
  }
  if (executor.state.queueMode === 'paused') void guard('Start Queue', logger, () => offerStart(executor));
}

/** As it is now: the row may be of a moment ago. */
async function openDefinition({ planner }: ScheduleParts, fsPath: string): Promise<void> {
  const { repo } = definitionAt(fsPath);
  const plan = (await planner.planOf(repo, 0)).find(({ path: planned }) => planned === fsPath);
  if (!plan) throw new UserError('no-definition', l10n.t('{0} is not there any more.', path.basename(fsPath)));
  await openFile({ repo, plan });
}

/** At the place where it is wrong, if it is. */
export async function openFile(definition: Definition | undefined): Promise<void> {
  if (!definition) return;
  const [first] = definition.plan.diagnostics;
  const at = new vscode.Position(Math.max(0, (first?.line ?? 1) - 1), Math.max(0, (first?.column ?? 1) - 1));
  await vscode.window.showTextDocument(vscode.Uri.file(definition.plan.path), { selection: new vscode.Range(at, at) });
}
