import * as vscode from 'vscode';
import * as l10n from '@vscode/l10n';
import type { Clock } from '../../base/clock';
import { type Disposable, DisposableStore } from '../../base/disposable';
import type { TaskId } from '../../core/ids';
import type { ExecutorLink } from '../executorLink';
import { contextKeys } from '../ids';
import type { TaskList } from '../tasks/taskList';
import { approvalReport } from './approvalReport';
import { jailReport } from './jailReport';
import { personaReport } from './personaReport';
import { ReportDocuments, reportedTask, type ReportSubject, type Where } from './reportDocuments';
import { type ReadBlob, taskReport } from './taskReport';

/** The reports: a task's details, which follow the task while they are open, the proof of the jail, and who may do what. */
export class Reports implements Disposable {
  private readonly store = new DisposableStore();
  private readonly documents = this.store.add(new ReportDocuments((subject) => this.write(subject)));

  private said = '';

  constructor(
    private readonly link: ExecutorLink,
    private readonly tasks: TaskList,
    private readonly clock: Clock,
    private readonly repositories: () => readonly string[],
  ) {
    this.store.add(
      tasks.onDidChange((change) => {
        this.documents.refresh(change.kind === 'some' ? change.tasks : new Set(link.state.tasks.keys()));
        this.sayWhatCanBeDone();
      }),
    );
    this.store.add(vscode.window.onDidChangeActiveTextEditor(() => this.sayWhatCanBeDone()));
    this.store.add(vscode.window.onDidChangeVisibleTextEditors(() => this.sayWhatCanBeDone()));
    this.sayWhatCanBeDone();
  }

  showTask(taskId: TaskId, where: Where = {}): Promise<void> {
    const title = this.link.state.tasks.get(taskId)?.spec.title ?? taskId;
    return this.documents.show({ kind: 'task', taskId }, title, where);
  }

  showJail(): Promise<void> {
    return this.documents.show({ kind: 'jail' }, l10n.t('Proof of the jail'));
  }

  showPersonas(): Promise<void> {
    return this.documents.show({ kind: 'personas' }, l10n.t('Personas'));
  }

  /** All that the agent of a task asks to be allowed. */
  showApproval(taskId: TaskId, callId: string): Promise<void> {
    return this.documents.show({ kind: 'approval', taskId, callId }, l10n.t('What an agent asks'));
  }

  /** For the buttons of the editor with details: of the one that has the keyboard, or else the one that is shown. */
  private sayWhatCanBeDone(): void {
    const shown = [vscode.window.activeTextEditor, ...vscode.window.visibleTextEditors];
    const [taskId] = shown.flatMap((editor) => (editor && reportedTask(editor.document.uri)) ?? []);
    const abilities = taskId === undefined ? [] : [...this.tasks.abilitiesOf(taskId)];
    const value = ` ${abilities.join(' ')} `;
    if (value === this.said) return;
    this.said = value;
    void vscode.commands.executeCommand('setContext', contextKeys.report, value);
  }

  dispose(): void {
    this.store.dispose();
  }

  private async write(subject: ReportSubject): Promise<string> {
    const executor = await this.link.ready();
    if (subject.kind === 'jail') {
      const readiness = await executor.jailReadiness();
      return jailReport(readiness, readiness.kind === 'ready' ? await executor.proveJail() : null);
    }
    if (subject.kind === 'personas') {
      const repositories = this.repositories();
      const places = repositories.length === 0 ? [null] : repositories;
      return personaReport(
        await Promise.all(places.map(async (repo) => ({ repo, list: await executor.personas(repo) }))),
      );
    }
    const { state } = executor;
    const task = state.tasks.get(subject.taskId);
    if (!task) return l10n.t('There is no such task.');
    const readBlob: ReadBlob = (digest) => executor.readBlob(digest);
    if (subject.kind === 'approval') return approvalReport(state, task, subject.callId, readBlob);
    return taskReport({
      state,
      task,
      run: state.runs.get(task.runId ?? ''),
      readBlob,
      nowMs: this.clock.nowMs(),
    });
  }
}
