import type { BudgetLedger } from './budgetLedger';
import type { LaneGovernor } from './laneGovernor';

/** What every model request of every run has to pass. */
export interface RequestGates {
  readonly lanes: LaneGovernor;
  readonly ledger: BudgetLedger;
}
