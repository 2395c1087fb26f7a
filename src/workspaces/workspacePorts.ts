import type { Clock } from '../base/clock';
import type { Logger } from '../base/logger';
import type { Jails } from '../core/jail';
import type { Setups } from './setups';
import type { SnapshotLimits } from './snapshots';

/** What every workspace of one storage works with. */
export interface WorkspacePorts {
  readonly jails: Jails;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits: SnapshotLimits;
  readonly setups: Setups;
}
