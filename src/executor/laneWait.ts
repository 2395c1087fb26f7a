import type { EngineNotice, LaneAllowance } from '../core/engine';
import type { EventBody } from '../core/events';
import type { RunId } from '../core/ids';
import { appendLater, stateOf } from './hostedRun';
import type { LaneGovernor } from './laneGovernor';
import type { ExecutorPorts } from './ports';
import { engineOfRun } from './runEngine';

/** A lane that is held for longer than this shows on the task. */
const shownHoldMs = 3_000;

/** A run's place in its lane, and that its task says so while it waits there. */
export class LaneWait {
  /** The task is said to wait for its lane. */
  private waits = false;

  constructor(
    private readonly ports: ExecutorPorts,
    private readonly lanes: LaneGovernor,
    private readonly runId: RunId,
  ) {}

  /** Resolves when a request of about so many tokens may be sent. @throws {CancelledError} when `signal` is aborted. */
  async untilFree(inputTokens: number, signal: AbortSignal): Promise<void> {
    const reason = this.lanes.heldBecause(this.lane, shownHoldMs);
    if (reason !== undefined && !this.waits) await this.ports.events.append([this.begin(reason)]);
    await this.lanes.waitUntilFree(this.lane, signal, inputTokens);
  }

  told(allowances: readonly LaneAllowance[]): void {
    if (allowances.length > 0) this.lanes.told(this.lane, allowances);
  }

  hold(untilMs: number, reason: string): void {
    this.lanes.hold(this.lane, untilMs, reason);
  }

  /** The first try that fails for long shows on the task; those after it show as tries. */
  retrying({ reason, attempt, delayMs, unreached }: Extract<EngineNotice, { kind: 'retrying' }>): void {
    const isLong = unreached || delayMs >= shownHoldMs;
    const event: EventBody =
      isLong && !this.waits
        ? this.begin(reason)
        : { kind: 'request.retried', runId: this.runId, reason, attempt, delayMs };
    appendLater(this.ports, [event]);
  }

  /** An answer is coming in. */
  answers(): void {
    const bodies = this.end();
    if (bodies.length > 0) appendLater(this.ports, bodies);
  }

  /** What says that the wait is over, if there was one. */
  end(): EventBody[] {
    if (!this.waits) return [];
    this.waits = false;
    return [{ kind: 'task.resumed', taskId: this.state.taskId }];
  }

  private begin(reason: string): EventBody {
    this.waits = true;
    return { kind: 'task.waiting', taskId: this.state.taskId, on: 'lane', reason };
  }

  /** A key at a server, and the model: that is what servers limit. */
  private get lane(): string {
    return `${engineOfRun(this.ports, this.state).lane} ${this.state.model}`;
  }

  private get state() {
    return stateOf(this.ports, this.runId);
  }
}
