import * as path from 'node:path';
import * as vscode from 'vscode';
import * as l10n from '@vscode/l10n';
import { type Disposable, DisposableStore } from '../../base/disposable';
import { CancelledError, isUserError, UserError } from '../../base/errors';
import type { Logger } from '../../base/logger';
import type { TaskId } from '../../core/ids';
import { type RowCells, type TableRow, type TaskTables, tableStatuses } from '../../core/taskTables';
import { guard } from '../commands/commandRegistry';
import type { CommandId } from '../commands/commandTable';
import { offerStart, requireTrust } from '../commands/queueActions';
import type { ExecutorLink } from '../executorLink';
import { choosePlace, chosenRows, type ChosenRows, namedValue, type TablePlace } from './pickRows';

export interface TableParts {
  readonly link: ExecutorLink;
  readonly tables: () => Promise<TaskTables>;
  /** The tables of the folders that are open. */
  readonly places: () => readonly TablePlace[];
  readonly logger: Logger;
}

type Command = (parts: TableParts, argument: unknown) => Promise<void>;

const commands: readonly (readonly [CommandId, Command])[] = [
  ['airlock.addTableRow', addRow],
  ['airlock.editTableRow', editRow],
  ['airlock.setRowStatus', setStatus],
  ['airlock.setRowPriority', setPriority],
  ['airlock.markRowBlocked', markBlocked],
  ['airlock.queueRows', queueRows],
];

/** The commands about the task tables of the folders that are open. Each changes cells of the file and nothing else. */
export function registerTableCommands(parts: TableParts): Disposable {
  const store = new DisposableStore();
  for (const [id, command] of commands)
    store.add(
      vscode.commands.registerCommand(id, (argument: unknown) =>
        guard(id, parts.logger, async () => {
          requireTrust();
          await command(parts, argument);
        }),
      ),
    );
  return store;
}

async function addRow(parts: TableParts): Promise<void> {
  const place = await choosePlace(parts.places());
  requireSaved(place);
  const title = await askText(l10n.t('What is to be done, in a few words?'), '', (text) =>
    text === '' ? l10n.t('A row needs a title.') : undefined,
  );
  const priority = await askOne(l10n.t('How urgent is it?'), ['P2', 'P0', 'P1', 'P3']);
  const notes = await askText(
    l10n.t('Notes, for people and for the agent. Leave it empty if the title says it all.'),
    '',
  );
  const tables = await parts.tables();
  const id = await tables.add(place.repo, place.file, { title, priority, ...(notes === '' ? {} : { notes }) });
  const queue = l10n.t('Queue It');
  const open = l10n.t('Open');
  const chosen = await vscode.window.showInformationMessage(l10n.t('{0} is in {1}.', id, place.file), queue, open);
  if (chosen === queue) await queueRows(parts, { ...place, ids: [id] });
  if (chosen === open) await vscode.window.showTextDocument(vscode.Uri.file(path.join(place.repo, place.file)));
}

async function editRow(parts: TableParts, argument: unknown): Promise<void> {
  const chosen = await choose(parts, argument, l10n.t('Which row is to be changed?'), { isOne: true });
  const [row] = chosen.rows;
  if (!row) return;
  const columns = editable.filter((column) => row.columns.includes(column));
  const column = await askOne(l10n.t('Which cell of {0}?', row.id), columns);
  if (column === 'status' || column === 'priority') {
    const value = await askOne(l10n.t('What is it to be?'), column === 'status' ? tableStatuses : priorities);
    return write(parts, chosen, () => ({ [column]: value }), [column]);
  }
  const value = await askText(l10n.t('{0} of {1}', column, row.id), row[column]);
  await write(parts, chosen, () => ({ [column]: value }), [column]);
}

const editable = ['title', 'status', 'priority', 'owner', 'notes'] as const;
const priorities = ['P0', 'P1', 'P2', 'P3'] as const;

async function setStatus(parts: TableParts, argument: unknown): Promise<void> {
  const chosen = await choose(parts, argument, l10n.t('Which rows get another status?'));
  const status = namedValue(argument, tableStatuses) ?? (await askOne(l10n.t('Which status?'), tableStatuses));
  await write(parts, chosen, () => ({ status }), ['status']);
}

async function setPriority(parts: TableParts, argument: unknown): Promise<void> {
  const chosen = await choose(parts, argument, l10n.t('Which rows get another priority?'));
  const priority = namedValue(argument, priorities) ?? (await askOne(l10n.t('Which priority?'), priorities));
  await write(parts, chosen, () => ({ priority }), ['priority']);
}

async function markBlocked(parts: TableParts, argument: unknown): Promise<void> {
  const fits = ({ status }: TableRow): boolean => status !== 'Blocked' && status !== 'Done';
  const chosen = await choose(parts, argument, l10n.t('Which rows are blocked?'), { fits });
  const why = await askText(l10n.t('By what? It is put into the notes.'), '');
  const cellsOf = ({ notes }: TableRow): RowCells => ({
    status: 'Blocked',
    ...(why === '' ? {} : { notes: notes === '' ? why : `${notes} ${why}` }),
  });
  await write(parts, chosen, cellsOf, ['status', 'notes']);
}

/** Makes tasks of rows. Where their table is a source of the executor, what becomes of them is written back. */
async function queueRows(parts: TableParts, argument: unknown): Promise<void> {
  const fits = ({ status }: TableRow): boolean => status === 'Todo';
  const { repo, file, rows, view } = await choose(parts, argument, l10n.t('Which rows are to be worked on?'), { fits });
  const executor = await parts.link.ready();
  const known = [...executor.state.tasks.values()].filter(({ spec }) => spec.origin.sourceId === view.sourceId);
  const ids = rows.map(({ id }) => id);
  const { tasks, left } = await (await parts.tables()).tasksOf(repo, file, ids, known);
  const isSource = executor.state.sources.has(view.sourceId);
  const taskIds = new Map<string, TaskId>(known.map(({ id, spec }) => [spec.origin.externalId, id]));
  for (const { externalId, task, dependsOnExternal = [] } of tasks) {
    const dependsOn = dependsOnExternal.flatMap((each) => taskIds.get(each) ?? []);
    const origin = isSource ? { origin: { sourceId: view.sourceId, externalId } } : {};
    taskIds.set(externalId, await executor.add({ ...task, dependsOn, ...origin }));
  }
  if (tasks.length > 0 && !isSource) void sayNotFollowed(file);
  if (left.length > 0) {
    const words = left.map(({ id, reason }) => `${id}: ${reason}`).join('; ');
    throw new UserError('row-not-ready', l10n.t('Not queued: {0}.', words));
  }
  if (executor.state.queueMode === 'paused') void guard('Start Queue', parts.logger, () => offerStart(executor));
}

async function sayNotFollowed(file: string): Promise<void> {
  await vscode.window.showWarningMessage(
    l10n.t('Whoever works the queue does not follow {0}, so what becomes of its rows is not written there.', file),
  );
}

async function choose(
  { tables, places }: TableParts,
  argument: unknown,
  placeHolder: string,
  { isOne = false, fits = () => true }: { readonly isOne?: boolean; readonly fits?: (row: TableRow) => boolean } = {},
): Promise<ChosenRows> {
  const chosen = await chosenRows(await tables(), places(), { placeHolder, isOne, fits }, argument);
  requireSaved(chosen);
  return chosen;
}

/** Row by row. What somebody has changed since it was shown stays, and is named. */
async function write(
  { tables }: TableParts,
  { repo, file, rows }: ChosenRows,
  cellsOf: (row: TableRow) => RowCells,
  columns: readonly (keyof RowCells & ('title' | 'status' | 'priority' | 'owner' | 'notes'))[],
): Promise<void> {
  const desk = await tables();
  const failures: string[] = [];
  for (const row of rows) {
    const seen = { ...row, status: row.status ?? '', priority: row.priority === null ? '' : `P${row.priority}` };
    const was = Object.fromEntries(columns.map((column) => [column, seen[column]]));
    try {
      await desk.edit(repo, file, { id: row.id, cells: cellsOf(row), was });
    } catch (error) {
      if (!isUserError(error)) throw error;
      failures.push(error.message);
    }
  }
  if (failures.length > 0) throw new UserError('row-changed', failures.join(' '));
}

/** @throws {UserError} `file-unsaved`: what stands unsaved in an editor would be at odds with the file. */
function requireSaved({ repo, file }: TablePlace): void {
  const whole = path.join(repo, file);
  if (!vscode.workspace.textDocuments.some(({ uri, isDirty }) => isDirty && uri.fsPath === whole)) return;
  throw new UserError('file-unsaved', l10n.t('{0} has changes that are not saved. Save it first.', file));
}

async function askText(
  prompt: string,
  value: string,
  problemOf: (text: string) => string | undefined = () => undefined,
): Promise<string> {
  const answer = await vscode.window.showInputBox({
    prompt,
    value,
    ignoreFocusOut: true,
    validateInput: (text) => problemOf(text.trim()),
  });
  if (answer === undefined) throw new CancelledError();
  return answer.trim();
}

async function askOne<T extends string>(placeHolder: string, choices: readonly T[]): Promise<T> {
  const picked = await vscode.window.showQuickPick(
    choices.map((label) => ({ label })),
    { placeHolder, ignoreFocusOut: true },
  );
  if (!picked) throw new CancelledError();
  return picked.label;
}
