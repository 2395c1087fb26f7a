import type { Event } from '../base/emitter';

/**
 * Whether there is room for what must be kept. While there is none, nothing new may be begun; what ends is still kept, in a
 * block that was set aside for that.
 */
export interface StorageRoom {
  /** What is wrong, and what the user can do; `undefined` while there is room. */
  readonly shortage: string | undefined;
  /** `shortage` came or went. */
  readonly onDidChange: Event<void>;
  /** Looks at the disk now. @returns `shortage` after that. Never rejects. */
  look(): Promise<string | undefined>;
}
