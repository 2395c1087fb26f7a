import * as path from 'node:path';
import * as vscode from 'vscode';
import * as l10n from '@vscode/l10n';
import { z } from 'zod';
import { CancelledError, UserError } from '../../base/errors';
import type { TableRow, TableView, TaskTables } from '../../core/taskTables';
import { oneLine } from '../markdownText';

/** A table of an open folder. */
export interface TablePlace {
  readonly repo: string;
  /** Relative to it. */
  readonly file: string;
}

export interface ChosenRows extends TablePlace {
  readonly view: TableView;
  readonly rows: readonly TableRow[];
}

/** Rows as another extension or a key binding names them. */
const namedRowsSchema = z.object({
  repo: z.string(),
  file: z.string(),
  ids: z.array(z.string()).min(1),
  /** What their cell is to hold. Absent: the user is asked. */
  value: z.string().optional(),
});

/** The value that a command was called with, when it is one of those that there can be. */
export function namedValue<T extends string>(argument: unknown, known: readonly T[]): T | undefined {
  const { value } = namedRowsSchema.safeParse(argument).data ?? {};
  return known.find((each) => each === value);
}

/**
 * The rows that a command is about: those that it was called with, or those that the user picks.
 * @throws {CancelledError} when the user gave up. @throws {UserError} `no-table`, `row-gone`, and what `TaskTables.read` throws.
 */
export async function chosenRows(
  tables: TaskTables,
  places: readonly TablePlace[],
  question: { readonly placeHolder: string; readonly isOne: boolean; readonly fits: (row: TableRow) => boolean },
  argument: unknown,
): Promise<ChosenRows> {
  const named = namedRowsSchema.safeParse(argument);
  if (named.success) return namedRows(tables, places, named.data);
  const groups = await Promise.all(
    places.map(async (place) => {
      const view = await tables.read(place.repo, place.file);
      return (view?.rows ?? []).filter(question.fits).map((row) => ({ place, view, row }));
    }),
  );
  const items = groups.flatMap((group): (vscode.QuickPickItem & { readonly found?: (typeof group)[number] })[] => {
    const [first] = group;
    if (!first) return [];
    const heading = { label: placeWords(first.place), kind: vscode.QuickPickItemKind.Separator };
    return [heading, ...group.map((found) => ({ ...itemOf(found.row), found }))];
  });
  if (items.length === 0)
    throw new UserError('no-table', l10n.t('No open folder has a task table with a row that this can be done to.'));
  const picked = await pick(items, question);
  const [first] = picked.flatMap(({ found }) => found ?? []);
  if (!first?.view) throw new CancelledError();
  const rows = picked.flatMap(({ found }) => (found && found.place === first.place ? [found.row] : []));
  if (rows.length < picked.length) throw new UserError('two-tables', l10n.t('Choose rows of one table at a time.'));
  return { ...first.place, view: first.view, rows };
}

/** Which table a new row goes into. @throws {CancelledError} */
export async function choosePlace(places: readonly TablePlace[]): Promise<TablePlace> {
  const [only, ...others] = places;
  if (!only) throw new UserError('no-repository', l10n.t('Open a folder first.'));
  if (others.length === 0) return only;
  const items = places.map((place) => ({ label: placeWords(place), place }));
  const picked = await vscode.window.showQuickPick(items, { placeHolder: l10n.t('Into which table?') });
  if (!picked) throw new CancelledError();
  return picked.place;
}

async function pick<T extends vscode.QuickPickItem>(
  items: readonly T[],
  { placeHolder, isOne }: { readonly placeHolder: string; readonly isOne: boolean },
): Promise<readonly T[]> {
  const options = { placeHolder, matchOnDescription: true, matchOnDetail: true, ignoreFocusOut: true };
  if (!isOne) {
    const picked = await vscode.window.showQuickPick(items, { ...options, canPickMany: true });
    if (!picked || picked.length === 0) throw new CancelledError();
    return picked;
  }
  const picked = await vscode.window.showQuickPick(items, options);
  if (!picked) throw new CancelledError();
  return [picked];
}

async function namedRows(
  tables: TaskTables,
  places: readonly TablePlace[],
  { repo, file, ids }: z.infer<typeof namedRowsSchema>,
): Promise<ChosenRows> {
  // Nobody reaches a file with it that is not a table of an open folder.
  const place = places.find((each) => each.repo === repo && each.file === file);
  const view = place && (await tables.read(repo, file));
  if (!view) throw new UserError('no-table', l10n.t('{0} is no task table of an open folder.', file));
  const rows = ids.map((id) => {
    const row = view.rows.find((each) => each.id === id);
    if (!row) throw new UserError('row-gone', l10n.t('{0} is not in {1} any more, or more than once.', id, file));
    return row;
  });
  return { repo, file, view, rows };
}

function placeWords({ repo, file }: TablePlace): string {
  return `${path.basename(repo)} · ${file}`;
}

function itemOf({ id, title, status, priority, owner, notes }: TableRow): vscode.QuickPickItem {
  const parts = [status ?? '?', priority === null ? '' : `P${priority}`, owner === '' ? '' : `@${owner}`];
  return {
    label: `${id}: ${oneLine(title, 100)}`,
    description: parts.filter((part) => part !== '').join(' · '),
    ...(notes === '' ? {} : { detail: oneLine(notes, 200) }),
  };
}
