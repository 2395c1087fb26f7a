import * as l10n from '@vscode/l10n';
import type { Clock } from '../../base/clock';
import { type Disposable, DisposableStore } from '../../base/disposable';
import type { TaskId } from '../../core/ids';
import type { ExecutorLink } from '../executorLink';
import type { TaskList } from '../tasks/taskList';
import { jailReport } from './jailReport';
import { ReportDocuments, type ReportSubject } from './reportDocuments';
import { taskReport } from './taskReport';

/** The reports: a task's details, which follow the task while they are open, and the proof of the jail. */
export class Reports implements Disposable {
  private readonly store = new DisposableStore();
  private readonly documents = this.store.add(new ReportDocuments((subject) => this.write(subject)));

  constructor(
    private readonly link: ExecutorLink,
    private readonly tasks: TaskList,
    private readonly clock: Clock,
  ) {
    this.store.add(
      tasks.onDidChange((change) => {
        this.documents.refresh(change.kind === 'some' ? change.tasks : new Set(link.state.tasks.keys()));
      }),
    );
  }

  showTask(taskId: TaskId): Promise<void> {
    const title = this.link.state.tasks.get(taskId)?.spec.title ?? taskId;
    return this.documents.show({ kind: 'task', taskId }, title);
  }

  showJail(): Promise<void> {
    return this.documents.show({ kind: 'jail' }, l10n.t('Proof of the jail'));
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
    const { state } = executor;
    const task = state.tasks.get(subject.taskId);
    if (!task) return l10n.t('There is no such task.');
    return taskReport({
      state,
      task,
      run: state.runs.get(task.runId ?? ''),
      readBlob: (digest) => executor.readBlob(digest),
      nowMs: this.clock.nowMs(),
    });
  }
}
