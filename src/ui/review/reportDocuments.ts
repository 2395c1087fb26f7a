import * as vscode from 'vscode';
import * as l10n from '@vscode/l10n';
import { type Disposable, DisposableStore } from '../../base/disposable';
import { taskIdSchema, type TaskId } from '../../core/ids';
import { reportLanguage, reportScheme } from '../ids';
import { oneLine } from '../markdownText';

/** What a report is about. */
export type ReportSubject =
  | { readonly kind: 'task'; readonly taskId: TaskId }
  | { readonly kind: 'jail' }
  | { readonly kind: 'personas' }
  /** What the agent of a task asks to be allowed, with the call that this is about. */
  | { readonly kind: 'approval'; readonly taskId: TaskId; readonly callId: string };

/** Where a report is shown. */
export interface Where {
  /** Beside what is shown, which keeps the keyboard. */
  readonly beside?: boolean;
}

/** Writes a report, each time it is opened or has changed. */
export type ReportWriter = (subject: ReportSubject) => Promise<string>;

/**
 * Reports as read-only documents. They are plain text: what a run wrote gets no chance to be
 * anything else. Their address says what they are about, so that they come back after a reload of the window.
 */
export class ReportDocuments implements vscode.TextDocumentContentProvider, Disposable {
  private readonly store = new DisposableStore();
  private readonly changed = this.store.add(new vscode.EventEmitter<vscode.Uri>());
  readonly onDidChange = this.changed.event;

  constructor(private readonly write: ReportWriter) {
    this.store.add(vscode.workspace.registerTextDocumentContentProvider(reportScheme, this));
    // After a reload of the window VS Code opens them again by itself.
    this.store.add(vscode.workspace.onDidOpenTextDocument(dress));
    for (const document of vscode.workspace.textDocuments) dress(document);
  }

  /** Opens a report, or shows the one that is open, written anew. */
  async show(subject: ReportSubject, title: string, { beside = false }: Where = {}): Promise<void> {
    const open = openReports().find((uri) => uri.query === queryOf(subject));
    if (open) this.changed.fire(open);
    const uri = open ?? vscode.Uri.from({ scheme: reportScheme, path: pathOf(title), query: queryOf(subject) });
    const options = beside ? { viewColumn: vscode.ViewColumn.Two, preserveFocus: true } : {};
    await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(uri), { preview: true, ...options });
  }

  /** Writes the open reports about these tasks anew. */
  refresh(taskIds: ReadonlySet<TaskId>): void {
    for (const uri of openReports()) {
      const subject = subjectOf(uri);
      if (subject && 'taskId' in subject && taskIds.has(subject.taskId)) this.changed.fire(uri);
    }
  }

  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    const subject = subjectOf(uri);
    return subject ? this.write(subject) : l10n.t('There is no such report.');
  }

  dispose(): void {
    this.store.dispose();
  }
}

/** Has VS Code show a report as a report. */
function dress(document: vscode.TextDocument): void {
  if (document.uri.scheme !== reportScheme || document.languageId === reportLanguage) return;
  void vscode.languages.setTextDocumentLanguage(document, reportLanguage);
}

function openReports(): vscode.Uri[] {
  return vscode.workspace.textDocuments.flatMap(({ uri }) => (uri.scheme === reportScheme ? [uri] : []));
}

function queryOf(subject: ReportSubject): string {
  switch (subject.kind) {
    case 'task':
      return `task=${subject.taskId}`;
    case 'approval':
      return new URLSearchParams({ approval: subject.taskId, call: subject.callId }).toString();
    case 'jail':
    case 'personas':
      return subject.kind;
  }
}

function subjectOf({ query }: vscode.Uri): ReportSubject | undefined {
  if (query === 'jail' || query === 'personas') return { kind: query };
  const words = new URLSearchParams(query);
  const taskId = taskIdSchema.safeParse(words.get('task') ?? words.get('approval'));
  if (!taskId.success) return undefined;
  const callId = words.get('call');
  return callId === null ? { kind: 'task', taskId: taskId.data } : { kind: 'approval', taskId: taskId.data, callId };
}

/** The task whose details a document shows. */
export function reportedTask(uri: vscode.Uri): TaskId | undefined {
  const subject = uri.scheme === reportScheme ? subjectOf(uri) : undefined;
  return subject?.kind === 'task' ? subject.taskId : undefined;
}

/** The tab's title is the last part of the path, so no slash may stand in it. */
function pathOf(title: string): string {
  return `/${oneLine(title, 80).replaceAll('/', '∕')}`;
}
