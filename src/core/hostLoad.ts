/** How much of what the executor may use of the machine is in use, by whomever: from 0 to 1. `null`: it cannot be told. */
export interface HostLoad {
  readonly cpu: number | null;
  readonly memory: number | null;
}

/** Looks at the machine, or at the part of it that the executor has been given. */
export interface HostProbe {
  /**
   * `cpu` is the mean since the look before; at the first look, with nothing to compare with, the load of the last minute.
   * Never throws.
   */
  look(): HostLoad;
}

/** A machine that nothing is known of. */
export const unknownHost: HostProbe = { look: () => ({ cpu: null, memory: null }) };
