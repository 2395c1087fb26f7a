import { readFileSync } from 'node:fs';

/** What tells the time since the machine was started from all times before; `undefined` where the system does not say. */
export function thisBoot(): string | undefined {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  } catch {
    return undefined;
  }
}
