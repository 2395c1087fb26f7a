import type { TaskId } from '../core/ids';
import type { NewTask } from '../core/task';
import type { BudgetLedger } from './budgetLedger';
import type { LaneGovernor } from './laneGovernor';

/** What every model request of every run has to pass. */
export interface RequestGates {
  readonly lanes: LaneGovernor;
  readonly ledger: BudgetLedger;
}

/** What the runs of an executor share. */
export interface RunGates extends RequestGates {
  /** Queues a task that an agent has made. */
  readonly queue: (task: NewTask) => Promise<TaskId>;
}
