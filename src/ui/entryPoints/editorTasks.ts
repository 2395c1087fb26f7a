import * as path from 'node:path';
import * as vscode from 'vscode';
import * as l10n from '@vscode/l10n';
import { type Disposable, DisposableStore } from '../../base/disposable';
import { UserError } from '../../base/errors';
import type { Logger } from '../../base/logger';
import { guard } from '../commands/commandRegistry';
import type { CommandId } from '../commands/commandTable';
import { addTask, type PersonasOf } from '../commands/queueActions';
import type { ExecutorLink } from '../executorLink';
import { givenTest } from './givenTest';
import { type Excerpt, problemDraft, selectionDraft, type TaskDraft, testDraft, todoDraft, todoIn } from './taskDraft';

export interface EditorTaskParts {
  readonly link: ExecutorLink;
  readonly personas: PersonasOf;
  /** Absolute paths of the repositories that tasks may be for. */
  readonly repositories: () => readonly string[];
  readonly logger: Logger;
}

/** Lines around a comment or a problem that say what it is about. */
const linesAround = 5;

/** Tasks that begin in an editor: from a selection, a `TODO` comment, or a problem. */
export function registerEditorTasks(parts: EditorTaskParts): Disposable {
  const store = new DisposableStore();
  const register = (id: CommandId, draftOf: (args: readonly unknown[]) => TaskDraft | Promise<TaskDraft>): void =>
    void store.add(
      vscode.commands.registerCommand(id, (...args: unknown[]) =>
        guard(id, parts.logger, async () => addTask(parts, parts.repositories(), await draftOf(args))),
      ),
    );
  register('airlock.addTaskFromSelection', () => draftOfSelection(parts));
  register('airlock.addTaskFromTodo', (args) => draftOfTodo(parts, placeOf(args)));
  register('airlock.fixProblem', (args) => draftOfProblems(parts, placeOf(args)));
  register('airlock.fixTest', ([argument]) => draftOfTest(parts, argument));
  const provider = new TaskCodeActions((document) => repositoryOf(document, parts.repositories()) !== undefined);
  store.add(
    vscode.languages.registerCodeActionsProvider({ scheme: 'file' }, provider, {
      providedCodeActionKinds: TaskCodeActions.kinds,
    }),
  );
  return store;
}

/** Offers a task where the cursor is on a comment that asks for one, or on a problem. */
class TaskCodeActions implements vscode.CodeActionProvider {
  static readonly kinds = [vscode.CodeActionKind.QuickFix];

  constructor(private readonly isOurs: (document: vscode.TextDocument) => boolean) {}

  provideCodeActions(
    document: vscode.TextDocument,
    range: vscode.Range,
    context: vscode.CodeActionContext,
  ): vscode.CodeAction[] {
    if (!vscode.workspace.isTrusted || !this.isOurs(document)) return [];
    const actions: vscode.CodeAction[] = [];
    const diagnostics = context.diagnostics.filter(({ source }) => source !== 'Airlock');
    if (diagnostics.length > 0) {
      const action = actionFor(l10n.t('Fix with Airlock…'), 'airlock.fixProblem', document, range);
      action.diagnostics = diagnostics;
      actions.push(action);
    }
    const todo = todoIn(document.lineAt(range.start.line).text);
    if (todo)
      actions.push(
        actionFor(l10n.t('Do This {0} with Airlock…', todo.tag), 'airlock.addTaskFromTodo', document, range),
      );
    return actions;
  }
}

function actionFor(title: string, command: CommandId, { uri }: vscode.TextDocument, range: vscode.Range) {
  const action = new vscode.CodeAction(title, vscode.CodeActionKind.QuickFix);
  action.command = { command, title, arguments: [uri, range] };
  return action;
}

interface Place {
  readonly document: vscode.TextDocument;
  readonly range: vscode.Range;
}

/** Where the command is about: what a code action said, or the cursor of the active editor. @throws {UserError} `no-editor`. */
function placeOf([uri, range]: readonly unknown[]): Place {
  const editor = vscode.window.activeTextEditor;
  const named = uri instanceof vscode.Uri ? uri.toString() : undefined;
  const document =
    named === undefined
      ? editor?.document
      : vscode.workspace.textDocuments.find((each) => each.uri.toString() === named);
  if (!document) throw new UserError('no-editor', l10n.t('Open the file in an editor first.'));
  if (range instanceof vscode.Range) return { document, range: document.validateRange(range) };
  return { document, range: editor?.document === document ? editor.selection : new vscode.Range(0, 0, 0, 0) };
}

function draftOfSelection(parts: EditorTaskParts): TaskDraft {
  const { document, range } = placeOf([]);
  const repo = ownRepository(document, parts);
  // A selection that ends before the first character of a line does not hold that line.
  const last = range.end.character === 0 && range.end.line > range.start.line ? range.end.line - 1 : range.end.line;
  return selectionDraft(excerptOf(document, repo, range.start.line, last), repo);
}

function draftOfTodo(parts: EditorTaskParts, { document, range }: Place): TaskDraft {
  const repo = ownRepository(document, parts);
  const { line } = range.start;
  const todo = todoIn(document.lineAt(line).text);
  if (!todo) throw new UserError('no-todo', l10n.t('There is no TODO or FIXME comment on this line.'));
  return todoDraft(todo, excerptOf(document, repo, line - linesAround, line + linesAround), repo);
}

function draftOfProblems(parts: EditorTaskParts, { document, range }: Place): TaskDraft {
  const repo = ownRepository(document, parts);
  const all = vscode.languages.getDiagnostics(document.uri).filter(({ source }) => source !== 'Airlock');
  const problems = all.filter((problem) => problem.range.intersection(range) !== undefined);
  const [first] = problems;
  if (!first) throw new UserError('no-problem', l10n.t('There is no problem at this place. Put the cursor on one.'));
  const found = problems.map(({ message, source = '', code }) => ({ message, source, code: codeOf(code) }));
  const { start, end } = first.range;
  return problemDraft(found, excerptOf(document, repo, start.line - linesAround, end.line + linesAround), repo);
}

/** @throws {UserError} `no-test` when it was called with none, `no-repository`. */
async function draftOfTest(parts: EditorTaskParts, argument: unknown): Promise<TaskDraft> {
  const test = givenTest(argument);
  if (!test) throw new UserError('no-test', l10n.t('Choose this in the menu of a test, or of its message.'));
  const document = await vscode.workspace.openTextDocument(vscode.Uri.from(test.uri));
  const repo = ownRepository(document, parts);
  const last = Math.min(document.lineCount - 1, Math.max(test.lastLine, test.firstLine));
  return testDraft(test, excerptOf(document, repo, test.firstLine, last), repo);
}

function codeOf(code: vscode.Diagnostic['code']): string {
  if (code === undefined) return '';
  return String(typeof code === 'object' ? code.value : code);
}

function excerptOf(document: vscode.TextDocument, repo: string, from: number, to: number): Excerpt {
  const first = Math.max(0, from);
  const last = Math.min(document.lineCount - 1, to);
  return {
    path: path.relative(repo, document.uri.fsPath).split(path.sep).join('/'),
    firstLine: first + 1,
    lastLine: last + 1,
    text: document.getText(new vscode.Range(first, 0, last, document.lineAt(last).text.length)),
  };
}

/** @throws {UserError} `no-repository` for a file that no task may be about. */
function ownRepository(document: vscode.TextDocument, parts: EditorTaskParts): string {
  const repo = repositoryOf(document, parts.repositories());
  if (repo !== undefined) return repo;
  throw new UserError(
    'no-repository',
    l10n.t('This file is in no open folder that you trust, so no task can be about it.'),
  );
}

/** The innermost repository that the file is in. */
function repositoryOf({ uri }: vscode.TextDocument, repositories: readonly string[]): string | undefined {
  if (uri.scheme !== 'file') return undefined;
  const around = repositories.filter((repo) => uri.fsPath.startsWith(repo + path.sep));
  return around.toSorted((a, b) => b.length - a.length)[0];
}
