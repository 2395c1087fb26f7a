import type { Clock } from '../../base/clock';
import { type Disposable, DisposableStore } from '../../base/disposable';
import { assertNever, messageOf } from '../../base/errors';
import type { Logger } from '../../base/logger';
import type { AirlockEvent } from '../../core/events';
import type { Executor } from '../../core/executor';
import {
  type AnalyticsView,
  defaultView,
  fromAnalyticsPageSchema,
  type FromAnalyticsPage,
  type ToAnalyticsPage,
} from '../../protocol/analyticsProtocol';
import type { DaySpan } from '../../core/history';
import type { TaskId } from '../../core/ids';
import { readFigures, spanOf } from './analyticsFigures';

/** Figures follow the events at most this often: a busy run records usage several times a second. */
export const refreshDelayMs = 500;
/** Tasks that are shown at first, and that each "show more" adds. */
export const taskPage = 50;
/** The most that history gives at once, less the one that tells whether there are more. */
const maxTasks = 999;

/** What the page needs of the executor. */
export type AnalyticsExecutor = Pick<Executor, 'history' | 'state' | 'onDidAppend' | 'onDidReset'>;

export interface AnalyticsFeedOptions {
  readonly executor: AnalyticsExecutor;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Sends state down to the page. */
  readonly post: (message: ToAnalyticsPage) => void;
  readonly reveal: (taskId: TaskId) => void;
  readonly export: (span: DaySpan, format: 'csv' | 'json') => void;
}

/**
 * Keeps one analytics page fed: it answers the page's intents with the whole state, and sends it anew when the events
 * have changed it. It says nothing before the page has said that it is ready, and nothing while the page is hidden.
 */
export class AnalyticsFeed implements Disposable {
  private readonly subscriptions = new DisposableStore();
  private view: AnalyticsView = defaultView;
  private taskLimit = taskPage;
  private listening = false;
  private timer: Disposable | undefined;
  /** Counts the questions: only the answer to the last one is shown. */
  private asked = 0;
  private disposed = false;

  constructor(private readonly options: AnalyticsFeedOptions) {
    this.subscriptions.add(options.executor.onDidAppend((events) => this.follow(events)));
    this.subscriptions.add(options.executor.onDidReset(() => this.refreshSoon()));
  }

  /** Takes a message of the page. What does not fit the protocol is dropped, and the log says so. */
  receive(message: unknown): void {
    const parsed = fromAnalyticsPageSchema.safeParse(message);
    if (!parsed.success) {
      this.options.logger.warn('Dropped a message of the analytics page that is not in its protocol');
      return;
    }
    this.handle(parsed.data);
  }

  /** The page cannot be seen and is gone until it says "ready" again. */
  pageHidden(): void {
    this.listening = false;
    this.timer?.dispose();
    this.timer = undefined;
  }

  dispose(): void {
    this.disposed = true;
    this.pageHidden();
    this.subscriptions.dispose();
  }

  private handle(intent: FromAnalyticsPage): void {
    switch (intent.kind) {
      case 'ready':
        this.listening = true;
        this.view = intent.view;
        this.refresh({ showLoading: true });
        return;
      case 'look':
        this.view = intent.view;
        this.taskLimit = taskPage;
        this.refresh({ showLoading: false });
        return;
      case 'refresh':
        this.refresh({ showLoading: true });
        return;
      case 'showMoreTasks':
        this.taskLimit = Math.min(this.taskLimit + taskPage, maxTasks);
        this.refresh({ showLoading: false });
        return;
      case 'revealTask':
        this.options.reveal(intent.taskId);
        return;
      case 'export':
        this.options.export(spanOf(this.view.range, this.options.clock.nowMs()), intent.format);
        return;
      default:
        assertNever(intent);
    }
  }

  private follow(events: readonly AirlockEvent[]): void {
    if (events.some(changesFigures)) this.refreshSoon();
  }

  private refreshSoon(): void {
    if (!this.listening || this.timer) return;
    this.timer = this.options.clock.setTimer(refreshDelayMs, () => {
      this.timer = undefined;
      this.refresh({ showLoading: false });
    });
  }

  private refresh({ showLoading }: { readonly showLoading: boolean }): void {
    if (!this.listening) return;
    if (showLoading) this.options.post({ kind: 'loading' });
    const question = (this.asked += 1);
    const { executor, clock, logger } = this.options;
    readFigures(executor, { view: this.view, taskLimit: this.taskLimit, nowMs: clock.nowMs() }).then(
      (figures) => this.answer(question, { kind: 'figures', figures }),
      (error: unknown) => {
        logger.error('Reading the history for the analytics page failed', error);
        this.answer(question, { kind: 'failed', message: messageOf(error) });
      },
    );
  }

  private answer(question: number, message: ToAnalyticsPage): void {
    if (question === this.asked && this.listening && !this.disposed) this.options.post(message);
  }
}

const kindsThatChangeFigures: ReadonlySet<AirlockEvent['kind']> = new Set([
  'usage.recorded',
  'request.retried',
  'request.settled',
  'run.started',
  'run.ended',
  'session.closed',
  'task.ended',
  'task.requeued',
  'budget.limited',
]);

function changesFigures(event: AirlockEvent): boolean {
  return kindsThatChangeFigures.has(event.kind);
}
