import type { UserError } from '../base/errors';
import type { Event } from '../base/emitter';

/** Whether what must be kept can be kept. While it cannot, nothing new may be begun. */
export interface StorageRoom {
  /**
   * What is wrong and what the user can do, as that with which commands are refused; `undefined` while all can be kept.
   * - `disk-full`: what ends is still kept, in a block that was set aside for that.
   * - `storage-unwritable`: nothing can be kept, not even that this is so.
   */
  readonly shortage: UserError | undefined;
  /** `shortage` came, went or became another one. */
  readonly onDidChange: Event<void>;
  /** Looks at the disk now, unless its writes have just failed. @returns `shortage` after that. Never rejects. */
  look(): Promise<UserError | undefined>;
}
