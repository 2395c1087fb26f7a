import type { Disposable } from '../base/disposable';
import { messageOf, type UserError } from '../base/errors';
import type { BudgetLimits } from '../core/budget';
import type { EventBody } from '../core/events';
import type { LiveState, TaskState } from '../core/liveState';
import type { ExecutorPorts } from './ports';

/** Timers stand still while the machine sleeps, so that midnight is looked for and not waited for. */
const lookEveryMs = 30_000;

/** The events with which a task waits for the budget, and with it the queue, when it is everybody's that is used up. */
export function budgetWaits(task: TaskState, { message, facts }: UserError): EventBody[] {
  const untilMs = typeof facts['untilMs'] === 'number' ? facts['untilMs'] : null;
  const waits: EventBody = { kind: 'task.waiting', taskId: task.id, on: 'budget', reason: message, untilMs };
  const isEverybodys = facts['scope'] === 'day' || facts['scope'] === 'total';
  return isEverybodys ? [waits, { kind: 'queue.held', cause: 'budget', reason: message, untilMs }] : [waits];
}

/**
 * What goes on with the budget when an executor starts. With other limits everything is tried anew; with the same, what is used
 * up stays so.
 */
export function budgetAtStart(state: LiveState, limits: BudgetLimits, prices: string, nowMs: number): EventBody[] {
  const { budget } = state;
  const isSame = JSON.stringify(budget.limits) === JSON.stringify(limits) && budget.prices === prices;
  if (isSame && budget.held) return heldAgain(budget.held, nowMs);
  const freed: EventBody[] = isSame ? [] : waitingTasks(state).map(goesOn);
  return [
    ...(isSame ? [] : [{ kind: 'budget.limited', limits, prices } as const]),
    ...(budget.held ? [freedQueue] : []),
    ...freed,
  ];
}

const freedQueue: EventBody = { kind: 'queue.held', cause: 'budget', reason: null };

function heldAgain(held: NonNullable<LiveState['budget']['held']>, nowMs: number): EventBody[] {
  if (held.untilMs !== null && held.untilMs <= nowMs) return [freedQueue];
  return [{ kind: 'queue.held', cause: 'budget', ...held }];
}

function waitingTasks({ tasks }: LiveState): TaskState[] {
  return [...tasks.values()].filter(({ waitingOn, paused }) => waitingOn === 'budget' && !paused);
}

function goesOn({ id }: TaskState): EventBody {
  return { kind: 'task.requeued', taskId: id, reason: '', notBeforeMs: 0 };
}

/** Lets what waits for a new day go on when it has come. */
export class BudgetWatch implements Disposable {
  private timer: Disposable | undefined;
  private ended = false;

  constructor(private readonly ports: Pick<ExecutorPorts, 'events' | 'clock' | 'logger'>) {}

  start(): void {
    if (this.ended) return;
    this.timer = this.ports.clock.setTimer(lookEveryMs, () => {
      this.look()
        .catch((error: unknown) =>
          this.ports.logger.warn('What waits for the budget could not go on', { reason: messageOf(error) }),
        )
        .finally(() => this.start());
    });
  }

  dispose(): void {
    this.ended = true;
    this.timer?.dispose();
  }

  private async look(): Promise<void> {
    const { state } = this.ports.events;
    const nowMs = this.ports.clock.nowMs();
    const heldUntilMs = state.budget.held?.untilMs ?? null;
    const due = waitingTasks(state).filter(({ notBeforeMs }) => notBeforeMs > 0 && notBeforeMs <= nowMs);
    const bodies = [...(heldUntilMs !== null && heldUntilMs <= nowMs ? [freedQueue] : []), ...due.map(goesOn)];
    if (bodies.length > 0) await this.ports.events.append(bodies);
  }
}
