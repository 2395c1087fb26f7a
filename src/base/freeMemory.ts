import { freemem } from 'node:os';

/** What new processes may still use up without others having to give way, within what the control group allows; in bytes. */
export function freeMemoryBytes(): number {
  // Old Electrons do not have it.
  return typeof process.availableMemory === 'function' ? process.availableMemory() : freemem();
}
