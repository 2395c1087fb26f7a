import { sleep } from '../base/clock';
import { CancelledError, UserError } from '../base/errors';
import { Mutex } from '../base/mutex';
import type { BudgetLimits } from '../core/budget';
import { amountText, describeRoom, roomsOf, type Room } from '../core/budgetRooms';
import type { EventBody } from '../core/events';
import type { RunId } from '../core/ids';
import type { RunState } from '../core/liveState';
import { noUsage, type TokenUsage } from '../core/usage';
import type { ExecutorPorts } from './ports';

export interface PlannedRequest {
  readonly runId: RunId;
  readonly model: string;
  readonly maxOutputTokens: number;
  /** As in `RequestSize`. */
  readonly promptBound: number;
  readonly goesOn: boolean;
  /** US dollars that the run may cost; `null` for no limit. */
  readonly maxRunUsd: number | null;
  /** The run's limit is the task's own: it cannot be raised while it waits. */
  readonly isTasksOwn: boolean;
}

/** What a server adds to a prompt that is not in its body, such as its own words about tools: a few hundred tokens. */
const hiddenTokens = 1000;

/** How often a request that waits for others to be settled looks again, should nobody say that they are. */
const lookAgainMs = 1000;

const alertSteps = [80, 50] as const;

type Ports = Pick<ExecutorPorts, 'events' | 'costOf' | 'clock'>;

/**
 * The one ledger of the executor. Before a request the most that it can cost is reserved, and after it what it did cost is
 * settled; both are events, so that what is spent is a fold of them. No request is let out that could take a limit past its
 * mark, however many runs ask at once.
 */
export class BudgetLedger {
  /** Looking and reserving are one step. */
  private readonly deciding = new Mutex();

  constructor(
    private readonly ports: Ports,
    private readonly limits: BudgetLimits,
  ) {}

  /**
   * Resolves when the request is paid for in advance. While it would fit but for what others have reserved, it waits for them.
   * @throws {UserError} `budget-spent`, `price-unknown`. @throws {CancelledError} when `signal` is aborted.
   */
  async reserve(request: PlannedRequest, signal: AbortSignal): Promise<void> {
    for (;;) {
      if (signal.aborted) throw new CancelledError();
      if (await this.deciding.run(() => this.tryReserve(request))) return;
      await this.change(signal);
    }
  }

  /** What is to be kept along with the usage of a request that is over. */
  settled(runId: RunId, unseen: boolean): EventBody[] {
    return this.state.budget.reservations.has(runId) ? [{ kind: 'request.settled', runId, unseen }] : [];
  }

  /** Says which limits have come near, once for each of their steps. Call it after something was spent. */
  tellAlerts(runId: RunId, maxRunUsd: number | null): Promise<void> {
    return this.deciding.run(async () => {
      const bodies = this.roomsOf(this.run(runId), maxRunUsd).flatMap((room) => this.alertOf(room));
      if (bodies.length > 0) await this.ports.events.append(bodies);
    });
  }

  private async tryReserve(request: PlannedRequest): Promise<boolean> {
    const run = this.run(request.runId);
    const upper = this.upperBound(request, run);
    const rooms = this.roomsOf(run, request.maxRunUsd);
    this.throwIfPriceUnknown(request.model, upper.usd, rooms);
    const full = rooms.filter((room) => room.spent + room.reserved + amountIn(room, upper) > room.limit);
    const never = full.find((room) => room.spent + amountIn(room, upper) > room.limit);
    if (never) await this.refuse(request, never, amountIn(never, upper));
    if (full.length > 0) return false;
    const { runId, model, promptBound } = request;
    const reserved = { runId, model, promptBound, upperUsd: upper.usd, upperTokens: upper.tokens };
    await this.ports.events.append([{ kind: 'request.reserved', ...reserved }]);
    return true;
  }

  private async refuse(request: PlannedRequest, room: Room, amount: number): Promise<never> {
    const about = room.about;
    if (room.scope !== 'run' && (this.state.budget.alerts.get(about) ?? 0) < 100) {
      const message = `${describeRoom(room)} is used up: ${this.figures(room)}.`;
      await this.ports.events.append([{ kind: 'budget.alert', about, percent: 100, message }]);
    }
    const whatToDo =
      room.untilMs === null
        ? 'Raise it to let it go on.'
        : 'It goes on tomorrow by itself, or when the limit is raised.';
    throw new UserError(
      'budget-spent',
      `${describeRoom(room)} is used up: ${this.figures(room)}, and the next request may take ${amountText(amount, room.unit)}. ${whatToDo}`,
      {
        scope: room.scope,
        limit: room.limit,
        spent: room.spent,
        untilMs: room.untilMs,
        ends: room.scope === 'run' && request.isTasksOwn,
      },
    );
  }

  private figures({ spent, reserved, limit, unit }: Room): string {
    const onTheWay = reserved > 0 ? ` and ${amountText(reserved, unit)} on the way` : '';
    return `${amountText(spent, unit)} of ${amountText(limit, unit)} spent${onTheWay}`;
  }

  private throwIfPriceUnknown(model: string, upperUsd: number | null, rooms: readonly Room[]): void {
    if (upperUsd !== null || this.limits.unknownPrices === 'allow') return;
    if (!rooms.some(({ unit }) => unit === 'usd')) return;
    throw new UserError(
      'price-unknown',
      `The price of the model “${model.slice(0, 100)}” is not known, so that a limit in dollars cannot be kept. Name its price (setting “airlock.prices”), limit tokens instead, or allow unknown prices (setting “airlock.budget.unknownPrices”).`,
      { model },
    );
  }

  /** The most that a request can take: every byte of a prompt a token, at the dearest class that a prompt can be billed in. */
  private upperBound(
    { model, maxOutputTokens, promptBound, goesOn }: PlannedRequest,
    { lastPrompt }: RunState,
  ): { readonly usd: number | null; readonly tokens: number } {
    const isMeasured = goesOn && lastPrompt?.model === model && lastPrompt.bound <= promptBound;
    // A server that counts more than there are bytes counts in its own way, and the next time too.
    const factor = lastPrompt && lastPrompt.bound > 0 ? Math.max(1, lastPrompt.tokens / lastPrompt.bound) : 1;
    // What was measured is known; only what is new has to be bounded by its bytes.
    const inputTokens =
      hiddenTokens +
      (isMeasured ? lastPrompt.tokens + promptBound - lastPrompt.bound : Math.ceil(promptBound * factor));
    const classes: Partial<TokenUsage>[] = [
      { inputTokens },
      { cacheWrite5mTokens: inputTokens },
      { cacheWrite1hTokens: inputTokens },
      { cacheReadTokens: inputTokens },
    ];
    const costs = classes.map((input) =>
      this.ports.costOf(model, { ...noUsage, ...input, outputTokens: maxOutputTokens }),
    );
    const usd = costs.reduce<number | null>(
      (most, cost) => (most === null || cost === null ? null : Math.max(most, cost)),
      0,
    );
    return { usd, tokens: inputTokens + maxOutputTokens };
  }

  private alertOf(room: Room): EventBody[] {
    const { about, spent, limit, scope } = room;
    if (scope === 'run') return [];
    const percent = alertSteps.find((step) => spent >= (limit * step) / 100);
    if (percent === undefined || (this.state.budget.alerts.get(about) ?? 0) >= percent) return [];
    const message = `${describeRoom(room)}: more than ${percent} % is spent (${this.figures(room)}).`;
    return [{ kind: 'budget.alert', about, percent, message }];
  }

  private roomsOf(run: RunState, maxRunUsd: number | null): Room[] {
    return roomsOf(this.state, { ...this.limits, perRunUsd: maxRunUsd }, this.ports.clock.nowMs(), run);
  }

  /** Resolves when something has been settled, or after a while. */
  private async change(signal: AbortSignal): Promise<void> {
    const change = new AbortController();
    const following = this.ports.events.onDidAppend((events) => {
      if (events.some(({ kind }) => kind === 'request.settled')) change.abort();
    });
    try {
      await sleep(this.ports.clock, lookAgainMs, AbortSignal.any([signal, change.signal]));
    } catch (error) {
      if (!change.signal.aborted || signal.aborted) throw error;
    } finally {
      following.dispose();
    }
  }

  private get state(): ExecutorPorts['events']['state'] {
    return this.ports.events.state;
  }

  private run(runId: RunId): RunState {
    const run = this.state.runs.get(runId);
    if (!run) throw new Error(`Run ${runId} is not in the state`);
    return run;
  }
}

function amountIn({ unit }: Room, upper: { readonly usd: number | null; readonly tokens: number }): number {
  return unit === 'usd' ? (upper.usd ?? 0) : upper.tokens;
}
