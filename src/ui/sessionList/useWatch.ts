import type { Clock } from '../../base/clock';
import type { Disposable } from '../../base/disposable';
import type { SessionId } from '../../core/ids';
import type { SessionUse } from '../../core/sessionUse';
import type { ExecutorLink } from '../executorLink';

/** What a session uses, as it is shown. */
export interface ShownUse {
  readonly memoryBytes: number;
  /** Share of one core since it was asked before, in whole percent: above 100 with several cores. `undefined` the first time. */
  readonly cpuPercent: number | undefined;
}

/** How often the executor is asked while somebody looks: it reads a few files for each process. */
const intervalMs = 3_000;
/** Processor time is counted in steps of 10 ms: over less than this it tells nothing. */
const shortestMs = 1_000;
/** Memory is told in steps, so that a row that does nothing stays as it is. */
const memoryStepBytes = 1024 ** 2;

/** Asks what the living sessions use, while somebody looks and there are some. It goes the same way to an executor in another window. */
export class UseWatch implements Disposable {
  private shown: ReadonlyMap<SessionId, ShownUse> = new Map();
  private measured: ReadonlyMap<SessionId, SessionUse> = new Map();
  private isWatched = false;
  private timer: Disposable | undefined;
  /** Counts the times that it was begun: an answer from before is not taken. */
  private round = 0;

  constructor(
    private readonly link: ExecutorLink,
    private readonly clock: Clock,
    /** Called with the sessions whose figures are others now. */
    private readonly onChange: (sessions: readonly SessionId[]) => void,
  ) {}

  of(sessionId: SessionId): ShownUse | undefined {
    return this.shown.get(sessionId);
  }

  /** Says whether anybody sees the figures. */
  setWatched(isWatched: boolean): void {
    this.isWatched = isWatched;
    // What was used while nobody looked says nothing about now.
    this.measured = new Map();
    this.begin();
  }

  /** Begins anew, as when a session came. */
  begin(): void {
    this.stop();
    if (this.isWatched && this.link.state.sessions.size > 0) void this.ask(this.round);
  }

  dispose(): void {
    this.isWatched = false;
    this.stop();
  }

  private stop(): void {
    this.round += 1;
    this.timer?.dispose();
    this.timer = undefined;
  }

  private async ask(round: number): Promise<void> {
    const { status } = this.link;
    // An executor that cannot answer is told of elsewhere; figures that are not known are not shown.
    const uses = status.kind === 'open' ? await status.executor.sessionUse().catch(() => []) : [];
    if (round !== this.round) return;
    this.take(uses);
    if (this.link.state.sessions.size > 0) this.timer = this.clock.setTimer(intervalMs, () => void this.ask(round));
  }

  private take(uses: readonly SessionUse[]): void {
    const before = this.shown;
    const measured = new Map<SessionId, SessionUse>();
    const shown = new Map<SessionId, ShownUse>();
    for (const use of uses) {
      const last = this.measured.get(use.sessionId);
      const tookMs = last ? use.monotonicMs - last.monotonicMs : -1;
      const isTooSoon = tookMs >= 0 && tookMs < shortestMs;
      measured.set(use.sessionId, isTooSoon && last ? last : use);
      const cpuPercent = isTooSoon ? before.get(use.sessionId)?.cpuPercent : cpuPercentOf(use, last);
      shown.set(use.sessionId, { memoryBytes: inSteps(use.residentBytes), cpuPercent });
    }
    this.measured = measured;
    this.shown = shown;
    const ids = new Set([...before.keys(), ...this.shown.keys()]);
    const changed = [...ids].filter((id) => !isSame(before.get(id), this.shown.get(id)));
    if (changed.length > 0) this.onChange(changed);
  }
}

function inSteps(bytes: number): number {
  return Math.round(bytes / memoryStepBytes) * memoryStepBytes;
}

function cpuPercentOf(use: SessionUse, last: SessionUse | undefined): number | undefined {
  if (!last) return undefined;
  const tookMs = use.monotonicMs - last.monotonicMs;
  const usedMs = use.cpuMs - last.cpuMs;
  // Another executor has taken over, or a process went whose time nobody has: that is no measurement.
  return tookMs > 0 && usedMs >= 0 ? Math.round((100 * usedMs) / tookMs) : undefined;
}

function isSame(one: ShownUse | undefined, other: ShownUse | undefined): boolean {
  return one?.memoryBytes === other?.memoryBytes && one?.cpuPercent === other?.cpuPercent;
}
