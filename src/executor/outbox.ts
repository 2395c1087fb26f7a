import { fullJitterMs } from '../base/backoff';
import { DisposableStore, type Disposable } from '../base/disposable';
import { messageOf, UserError } from '../base/errors';
import type { AirlockEvent } from '../core/events';
import type { ReportState } from '../core/liveState';
import { reportBodySchema, SourceUnreachableError, type Report, type TaskSource } from '../core/source';
import type { ExecutorPorts } from './ports';
import { ReportArtifacts } from './reportArtifacts';
import { treatmentOf } from './retryPolicy';

/** After these there may be something to send, or somebody to send it to. */
const isWork = new Set<AirlockEvent['kind']>(['report.queued', 'report.revived', 'source.added']);
const backoff = { firstMs: 2_000, maxMs: 5 * 60_000 };

/**
 * Tells the sources how their tasks ended, until each has acknowledged. Per source one after another, in the order in which
 * they were queued; a source that is down keeps nobody else waiting. The intent is in the journal before anything is sent, so
 * that after a crash it is known what may have arrived, and the source's own state is read before a repeat.
 */
export class Outbox implements Disposable {
  private readonly disposables = new DisposableStore();
  private readonly sending = new Map<string, Promise<void>>();
  private readonly timers = new Map<string, Disposable>();
  private readonly artifacts: ReportArtifacts;
  private ended = false;

  constructor(private readonly ports: ExecutorPorts) {
    this.artifacts = new ReportArtifacts(ports);
  }

  /** Sends what waits, now and whenever there is more. */
  start(): void {
    this.disposables.add(
      this.ports.events.onDidAppend((events) => {
        if (events.some(({ kind }) => isWork.has(kind))) this.pump();
      }),
    );
    this.pump();
  }

  /** True when every source knows everything that it can be told. */
  get isEmpty(): boolean {
    return ![...this.ports.events.state.reports.values()].some((report) => report.status !== 'dead');
  }

  /** Tries at once what waits for its time. */
  retryNow(): void {
    for (const timer of this.timers.values()) timer.dispose();
    this.timers.clear();
    this.pump(true);
  }

  dispose(): void {
    this.ended = true;
    for (const timer of this.timers.values()) timer.dispose();
    this.timers.clear();
    this.disposables.dispose();
  }

  /** Resolves when nothing is being sent any more. Call `dispose` first. */
  async drain(): Promise<void> {
    await Promise.all(this.sending.values());
  }

  private pump(evenIfEarly = false): void {
    // That it is being sent could not be kept. When it can, all is tried at once.
    if (this.ended || this.ports.room.shortage?.code === 'storage-unwritable') return;
    for (const source of this.ports.sources) {
      if (this.sending.has(source.id)) continue;
      const next = this.nextFor(source.id);
      if (!next) continue;
      const waitMs = evenIfEarly ? 0 : next.retryAtMs - this.ports.clock.nowMs();
      // Nobody waits for so long: the clock was set back.
      const isDue = waitMs <= 0 || waitMs > backoff.maxMs;
      if (!isDue) this.wakeIn(source.id, waitMs);
      else this.begin(source, next);
    }
  }

  private begin(source: TaskSource, next: ReportState): void {
    const sent = this.send(source, next)
      .catch((error: unknown) => {
        // The journal could not be written. Nothing is lost: the report is still there, and it is tried again.
        this.ports.logger.error('A report could not be sent', error, { reportId: next.report.reportId });
        this.wakeIn(source.id, backoff.firstMs);
      })
      .finally(() => {
        this.sending.delete(source.id);
        if (!this.timers.has(source.id)) this.pump();
      });
    this.sending.set(source.id, sent);
  }

  private nextFor(sourceId: string): ReportState | undefined {
    for (const report of this.ports.events.state.reports.values()) {
      if (report.report.sourceId === sourceId && report.status !== 'dead') return report;
    }
    return undefined;
  }

  private async send(source: TaskSource, state: ReportState): Promise<void> {
    const { report, attempts } = state;
    const { events } = this.ports;
    const { reportId, taskId } = report;
    await events.append([{ kind: 'report.sending', taskId, reportId, attempt: attempts + 1 }]);
    try {
      const bytes = await this.ports.blobs.get(report.body);
      const body = reportBodySchema.parse(JSON.parse(Buffer.from(bytes ?? '').toString('utf8') || 'null'));
      if (report.claim) await claim(source, report);
      const attached = await this.artifacts.handOver(source, state);
      await source.report(report, body, { isRepeat: attempts > 0, attached });
    } catch (error) {
      await this.keepForLater(report, attempts, error);
      return;
    }
    await events.append([{ kind: 'report.acknowledged', taskId, reportId }]);
  }

  private async keepForLater({ reportId, taskId }: Report, attempts: number, error: unknown): Promise<void> {
    const reason = messageOf(error);
    if (treatmentOf(error) === 'fail') {
      await this.ports.events.append([{ kind: 'report.dead', taskId, reportId, error: reason }]);
      return;
    }
    const asked = error instanceof SourceUnreachableError ? error.retryAfterMs : null;
    const waitMs = Math.min(backoff.maxMs, asked ?? fullJitterMs(attempts + 1, backoff));
    const retryAtMs = this.ports.clock.nowMs() + waitMs;
    await this.ports.events.append([{ kind: 'report.postponed', taskId, reportId, error: reason, retryAtMs }]);
  }

  private wakeIn(sourceId: string, delayMs: number): void {
    if (this.ended) return;
    this.timers.get(sourceId)?.dispose();
    const timer = this.ports.clock.setTimer(delayMs, () => {
      this.timers.delete(sourceId);
      this.pump();
    });
    this.timers.set(sourceId, timer);
  }
}

/** It was not asked for the task while that was in work. */
async function claim(source: TaskSource, { externalId }: Report): Promise<void> {
  const answer = await source.accept(externalId, { isRepeat: true });
  if (answer.kind === 'accepted') return;
  throw new UserError('source-gave-elsewhere', `${source.id} cannot be told of ${externalId}: ${answer.reason}`);
}
