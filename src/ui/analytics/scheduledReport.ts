/** Writes a report when it is due, and tells where it is. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Clock } from '../../base/clock';
import { type Disposable, DisposableStore } from '../../base/disposable';
import { systemCodeOf } from '../../base/errors';
import type { Logger } from '../../base/logger';
import { type ReportSchedule, type ReportTimes, spanOfReport } from '../../core/reportSchedule';
import type { WriteReport } from '../../core/usageReport';
import type { ExecutorLink } from '../executorLink';

export interface ReportPlaces {
  /** Absolute; made when it is not there. */
  readonly folder: () => string;
  readonly times: (schedule: Exclude<ReportSchedule, 'off'>) => Promise<ReportTimes>;
}

export interface ScheduledReportParts {
  readonly link: Pick<ExecutorLink, 'status' | 'onDidChangeStatus' | 'ready'>;
  readonly schedule: () => ReportSchedule;
  readonly onDidChangeSchedule: (listener: () => void) => Disposable;
  readonly places: ReportPlaces;
  readonly writeReport: WriteReport;
  /** Where it stands which report was written last. */
  readonly memory: { get(key: string): unknown; update(key: string, value: string): PromiseLike<void> };
  /** Says that there is a new one. */
  readonly tell: (file: string) => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

const memoryKey = 'airlock.lastReport';
/** The clock of a machine that slept is ahead of a timer: it is looked at again after this time at the latest. */
const longestWaitMs = 15 * 60_000;

/**
 * While the schedule is on: the newest report that is due and was not written is written, also when its time has passed while
 * nothing ran; older ones that were missed are not made up for. Of several windows the one that makes the file tells of it.
 */
export class ScheduledReport implements Disposable {
  private readonly store = new DisposableStore();
  private timer: Disposable | undefined;
  private looking: Promise<void> | undefined;
  private isDisposed = false;

  constructor(private readonly parts: ScheduledReportParts) {
    this.store.add(parts.link.onDidChangeStatus(() => this.look()));
    this.store.add(parts.onDidChangeSchedule(() => this.look()));
    this.look();
  }

  /** Resolves when nothing is being written. */
  async settled(): Promise<void> {
    await this.looking;
  }

  dispose(): void {
    this.isDisposed = true;
    this.timer?.dispose();
    this.store.dispose();
  }

  private look(): void {
    this.looking ??= this.writeWhatIsDue()
      .catch((error: unknown) => this.parts.logger.error('The report could not be written', error))
      .finally(() => (this.looking = undefined));
  }

  private async writeWhatIsDue(): Promise<void> {
    this.timer?.dispose();
    const { link, clock, memory } = this.parts;
    const schedule = this.parts.schedule();
    if (schedule === 'off' || link.status.kind !== 'open') return;
    const nowMs = clock.nowMs();
    const times = await this.parts.places.times(schedule);
    if (this.isDisposed) return;
    const nextMs = times.next(nowMs);
    const waitMs = Math.min(longestWaitMs, nextMs === null ? longestWaitMs : Math.max(1000, nextMs - nowMs));
    this.timer = clock.setTimer(waitMs, () => this.look());
    const dueMs = times.last(nowMs);
    if (dueMs === null) return;
    const span = spanOfReport(schedule, dueMs);
    const name = `airlock-report-${span.from}-${span.to}.md`;
    if (memory.get(memoryKey) === name) return;
    const text = await this.parts.writeReport(await link.ready(), { span, format: 'md' });
    const file = path.join(this.parts.places.folder(), name);
    const isNew = await this.write(file, text);
    await memory.update(memoryKey, name);
    if (isNew) this.parts.tell(file);
  }

  /** @returns false when it is there: another window has written it. */
  private async write(file: string, text: string): Promise<boolean> {
    await mkdir(path.dirname(file), { recursive: true });
    try {
      await writeFile(file, text, { flag: 'wx', mode: 0o600 });
      return true;
    } catch (error) {
      if (systemCodeOf(error) === 'EEXIST') return false;
      throw error;
    }
  }
}
