import { messageOf } from '../base/errors';
import type { EventBody } from '../core/events';
import type { RunId, TaskId } from '../core/ids';
import type { RunState } from '../core/liveState';
import type { Persona } from '../core/persona';
import type { NewTask } from '../core/task';
import type { Session } from '../core/session';
import type { ApprovalPolicy } from './approvalGate';
import type { ExecutorPorts, ExecutorSettings } from './ports';
import type { Tool } from '../core/tool';
import type { RunSnapshots } from './runSnapshots';

/** How far a task may be split by agents. */
export interface SubtaskPolicy {
  /** How many levels of tasks there may be below one that no agent has made; 0: none is split. */
  readonly maxDepth: number;
  /** Of one run. */
  readonly maxSubtasks: number;
  /** The same origin again answers the task that is there. */
  readonly queue: (task: NewTask) => Promise<TaskId>;
}

/** The run that an engine works for, and what bounds it. */
export interface HostedRun {
  readonly runId: RunId;
  readonly persona: Persona;
  readonly session: Session;
  /** Tools of servers, as they are now; the run may use them. */
  readonly servedTools: () => readonly Tool[];
  readonly snapshots: RunSnapshots;
  /** US dollars that the run may cost; `null` for no limit. */
  readonly maxCostUsd: number | null;
  /** That limit is the task's own. */
  readonly isCostTasksOwn: boolean;
  /** As in `ExecutorSettings`. */
  readonly maxSameCalls: number;
  readonly approvals: ApprovalPolicy;
  readonly breakers: Pick<ExecutorSettings, 'maxIdleTurns' | 'maxUsdPerLine'>;
  /** What it may split off, and how that is queued. */
  readonly agents: SubtaskPolicy;
  readonly signal: AbortSignal;
  /** The agent said how far it is. */
  readonly onProgress: (percent: number | null, message: string) => void;
}

/** A run as it is now. */
export function stateOf(ports: Pick<ExecutorPorts, 'events'>, runId: RunId): RunState {
  const run = ports.events.state.runs.get(runId);
  if (!run) throw new Error(`Run ${runId} is not in the state`);
  return run;
}

/** Only for what is shown: losing one is no harm, and the next durable step meets the same trouble and says it. */
export function appendLater({ events, logger }: ExecutorPorts, bodies: readonly EventBody[]): void {
  events.append(bodies).catch((error: unknown) => {
    logger.warn('An event for the display could not be kept', { reason: messageOf(error) });
  });
}
