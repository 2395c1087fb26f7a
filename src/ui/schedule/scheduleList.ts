import type { Clock } from '../../base/clock';
import { type Disposable, DisposableStore } from '../../base/disposable';
import { Emitter } from '../../base/emitter';
import type { Logger } from '../../base/logger';
import type { AirlockEvent } from '../../core/events';
import { lateStartMs, type PlannedTask, type TaskPlanner } from '../../core/plannedTask';
import { Coalescer } from '../coalescer';
import type { ExecutorLink } from '../executorLink';
import type { Definition } from './scheduleRows';
import { compareScheduled, isScheduled, scheduledRow, type ScheduledRow, type Starting } from './scheduledRow';

/** Starts that are shown of each. */
export const startsShown = 5;

/** What must be shown anew. `all`: one came, went or has another place. */
export type ScheduleChange = { readonly kind: 'all' } | { readonly kind: 'some'; readonly paths: ReadonlySet<string> };

/** A definition that something starts over and over, or one that is wrong. */
export interface Scheduled extends Definition {
  readonly starting: Starting;
  readonly row: ScheduledRow;
}

export interface ScheduleListParts {
  readonly link: ExecutorLink;
  readonly planner: TaskPlanner;
  /** The folders whose definitions count. */
  readonly folders: () => readonly string[];
  /** The setting lets definitions be started by themselves. */
  readonly isOn: () => boolean;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Files are saved and tasks queued several at a time. */
const gatherMs = 1_000;
/** The moment of a start is past, also by a clock that is a little off. */
const afterStartMs = 500;
/** The wall clock is looked at so often while a start is waited for: it may jump, and a machine may sleep. */
const lookEveryMs = 60_000;

/**
 * The task definitions that start by themselves, in the order in which they do. They are read when `refresh` is called, when
 * one of their tasks is queued and when a start has passed, and not otherwise.
 */
export class ScheduleList implements Disposable {
  private readonly store = new DisposableStore();
  private readonly changed = new Emitter<ScheduleChange>();
  private readonly coalescer: Coalescer;
  private byPath: ReadonlyMap<string, Scheduled> = new Map();
  private sources: ReadonlySet<string> = new Set();
  private timer: Disposable | undefined;
  private reading = false;
  private again = false;
  private ended = false;
  private readAtMs = 0;
  /** When it must be known whether what was to start has been started. */
  private lateAtMs = Infinity;

  constructor(private readonly parts: ScheduleListParts) {
    const { link, clock } = parts;
    this.coalescer = this.store.add(new Coalescer(clock, gatherMs, () => void this.read()));
    this.store.add(this.changed);
    this.store.add(link.onDidReset(() => this.refresh()));
    this.store.add(link.onDidAppend((events) => this.follow(events)));
    this.refresh();
  }

  get onDidChange() {
    return this.changed.event;
  }

  /** In their order. */
  all(): readonly Scheduled[] {
    return [...this.byPath.values()];
  }

  /** By the path of its file. */
  at(path: string): Scheduled | undefined {
    return this.byPath.get(path);
  }

  /** Files, folders or settings may have changed. */
  refresh(): void {
    // Nothing of it is loaded before the executor, which it would only hold up.
    const { kind } = this.parts.link.status;
    if (kind === 'open' || kind === 'failed') this.coalescer.trigger();
  }

  dispose(): void {
    this.ended = true;
    this.timer?.dispose();
    this.store.dispose();
  }

  private follow(events: readonly AirlockEvent[]): void {
    const concerns = (event: AirlockEvent): boolean =>
      (event.kind === 'task.queued' && this.sources.has(event.spec.origin.sourceId)) ||
      (event.kind === 'source.paused' && this.sources.has(event.sourceId));
    if (events.some(concerns)) this.refresh();
  }

  /** Never rejects. */
  private async read(): Promise<void> {
    this.again = true;
    if (this.reading) return;
    this.reading = true;
    while (this.again && !this.ended) {
      this.again = false;
      const found = await Promise.all(this.parts.folders().map((repo) => this.readFolder(repo)));
      if (!this.ended) this.take(found.flat());
    }
    this.reading = false;
  }

  private async readFolder(repo: string): Promise<Definition[]> {
    try {
      return (await this.parts.planner.planOf(repo, startsShown)).map((plan) => ({ repo, plan }));
    } catch (error) {
      this.parts.logger.warn('Task definitions cannot be read', { repo, error: String(error) });
      return [];
    }
  }

  private take(found: readonly Definition[]): void {
    const before = this.byPath;
    const shown = found.filter(({ plan }) => isScheduled(plan)).sort((a, b) => compareScheduled(a.plan, b.plan));
    this.byPath = new Map(shown.map((each) => [each.plan.path, this.scheduled(each)]));
    this.sources = new Set(shown.map(({ plan }) => plan.sourceId));
    this.waitForNext(before);
    const isSameOrder = [...before.keys()].join('\n') === [...this.byPath.keys()].join('\n');
    const paths = new Set(
      [...this.byPath].filter(([path, each]) => !isSame(before.get(path), each)).map(([path]) => path),
    );
    if (!isSameOrder) this.changed.fire({ kind: 'all' });
    else if (paths.size > 0) this.changed.fire({ kind: 'some', paths });
  }

  private scheduled(definition: Definition): Scheduled {
    const { plan } = definition;
    const isPaused = this.parts.link.state.pausedSources.has(plan.sourceId);
    const starting = { isOn: this.parts.isOn(), isPaused };
    return { ...definition, starting, row: scheduledRow(plan, starting) };
  }

  private waitForNext(before: ReadonlyMap<string, Scheduled>): void {
    const nowMs = (this.readAtMs = this.parts.clock.nowMs());
    // What was to start since it was read last must have been started by then.
    if ([...before.values()].some(({ plan }) => nextMs(plan) <= nowMs)) this.lateAtMs = nowMs + lateStartMs + gatherMs;
    else if (this.lateAtMs <= nowMs) this.lateAtMs = Infinity;
    const next = Math.min(...this.all().map(({ plan }) => nextMs(plan)));
    this.wait(Math.min(next + afterStartMs, this.lateAtMs));
  }

  private wait(untilMs: number): void {
    this.timer?.dispose();
    this.timer = undefined;
    if (untilMs === Infinity) return;
    const nowMs = this.parts.clock.nowMs();
    this.timer = this.parts.clock.setTimer(Math.min(Math.max(0, untilMs - nowMs), lookEveryMs), () => {
      this.timer = undefined;
      const reachedMs = this.parts.clock.nowMs();
      if (reachedMs >= untilMs || reachedMs < this.readAtMs) this.refresh();
      else this.wait(untilMs);
    });
  }
}

function nextMs({ next: [first] }: PlannedTask): number {
  return first === undefined ? Infinity : Date.parse(first);
}

function isSame(a: Scheduled | undefined, b: Scheduled): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
