import type { Disposable } from '../base/disposable';
import { messageOf } from '../base/errors';
import type { HostLoad } from '../core/hostLoad';
import type { ExecutorPorts, ExecutorSettings } from './ports';

/** As long as a task is queued, the queue is held or something happens. Else nobody asks, and an idle machine is left alone. */
const lookEveryMs = 5_000;
/** A moment's work of the processor is nothing to wait for: so long until two thirds of a change count. */
const smoothingMs = 15_000;
/** It must come down by so many points below the limit before new runs start, so that it does not go back and forth. */
const pointsBelow = 5;

interface Part {
  readonly cause: 'processors' | 'memory';
  /** From 0 to 1. */
  readonly use: number;
  readonly maxPercent: number;
}

type Limits = Pick<ExecutorSettings, 'maxHostCpuPercent' | 'maxHostMemoryPercent'>;

/**
 * Keeps new runs from starting while the machine is busy. Nothing that runs is stopped, and what the user starts by hand
 * starts. The queue is held and let go by events; this only says so.
 */
export class HostWatch implements Disposable {
  private timer: Disposable | undefined;
  private listening: Disposable | undefined;
  private cpu: number | null = null;
  private lookedAtMs = 0;
  /** What is busy, as it was last said; empty while nothing is. */
  private causes = '';
  /** That could not be kept. */
  private isUnsaid = false;
  private ended = false;

  constructor(
    private readonly ports: Pick<ExecutorPorts, 'events' | 'host' | 'clock' | 'logger'>,
    private readonly limits: Limits,
  ) {}

  /** True while no new run is to start. */
  get holdsBack(): boolean {
    return this.causes !== '';
  }

  start(): void {
    const { maxHostCpuPercent, maxHostMemoryPercent } = this.limits;
    if (maxHostCpuPercent <= 0 && maxHostMemoryPercent <= 0) return;
    // Heard before the dispatcher hears it: what it starts next is decided by a look that is not old.
    this.listening = this.ports.events.onDidAppend(() => this.lookAgain());
    this.look();
  }

  dispose(): void {
    this.ended = true;
    this.listening?.dispose();
    this.timer?.dispose();
  }

  private lookAgain(): void {
    if (this.timer) return;
    const ageMs = this.ports.clock.monotonicMs() - this.lookedAtMs;
    if (ageMs >= lookEveryMs) this.look();
    else this.lookIn(lookEveryMs - ageMs);
  }

  private lookIn(delayMs: number): void {
    if (!this.ended) this.timer = this.ports.clock.setTimer(delayMs, () => this.look());
  }

  private look(): void {
    this.timer = undefined;
    const busy = this.busyParts(this.smoothed(this.ports.host.look()));
    const causes = busy.map(({ cause }) => cause).join();
    if (causes !== this.causes || this.isUnsaid) {
      this.causes = causes;
      this.say(causes === '' ? null : wordsOf(busy));
    }
    if (!this.timer && this.isAsked()) this.lookIn(lookEveryMs);
  }

  private isAsked(): boolean {
    if (this.causes !== '') return true;
    for (const { status } of this.ports.events.state.tasks.values()) if (status === 'queued') return true;
    return false;
  }

  /** Memory is not smoothed: it does not come and go by itself, and there is none to spare. */
  private smoothed({ cpu, memory }: HostLoad): HostLoad {
    const nowMs = this.ports.clock.monotonicMs();
    const weight = this.cpu === null ? 1 : 1 - Math.exp(-(nowMs - this.lookedAtMs) / smoothingMs);
    this.lookedAtMs = nowMs;
    this.cpu = cpu === null ? this.cpu : (this.cpu ?? 0) + (cpu - (this.cpu ?? 0)) * weight;
    return { cpu: this.cpu, memory };
  }

  private busyParts({ cpu, memory }: HostLoad): Part[] {
    const { maxHostCpuPercent, maxHostMemoryPercent } = this.limits;
    const parts: Part[] = [
      { cause: 'processors', use: cpu ?? 0, maxPercent: maxHostCpuPercent },
      { cause: 'memory', use: memory ?? 0, maxPercent: maxHostMemoryPercent },
    ];
    return parts.filter(({ cause, use, maxPercent }) => {
      const fromPercent = this.causes.includes(cause) ? maxPercent - pointsBelow : maxPercent;
      return maxPercent > 0 && use * 100 >= fromPercent;
    });
  }

  private say(reason: string | null): void {
    const { events, logger } = this.ports;
    events.append([{ kind: 'queue.held', cause: 'host', reason }]).then(
      () => (this.isUnsaid = false),
      (error: unknown) => {
        if (!this.isUnsaid) logger.warn('How busy the machine is could not be kept', { reason: messageOf(error) });
        this.isUnsaid = true;
      },
    );
  }
}

function wordsOf(busy: readonly Part[]): string {
  const parts = busy.map(
    ({ cause, use, maxPercent }) => `${cause} ${Math.round(use * 100)} % in use (the limit is ${maxPercent} %)`,
  );
  return `The machine is busy: ${parts.join(', ')}. No new run starts until there is less; what runs goes on, and Run Now starts a task all the same.`;
}
