import type { Readable, Writable } from 'node:stream';
import { z } from 'zod';
import type { JailLimits, JailPolicy } from './jailPolicy';

/** One canary: an attempt to get out of the jail, made inside it, and what the host saw of it. */
export const canarySchema = z.object({
  /** What was tried, in a few words: `read the home folder`. */
  attempt: z.string(),
  expected: z.string(),
  seen: z.string(),
  /** The attempt was contained. */
  held: z.boolean(),
  /** The same attempt made outside succeeded, so that the canary can see. */
  controlSucceeded: z.boolean(),
});
export type Canary = z.infer<typeof canarySchema>;

/** What the canaries of one jail found. A jail is proven when every canary held and every control succeeded. */
export const jailProofSchema = z.object({
  proven: z.boolean(),
  canaries: z.array(canarySchema),
  durationMs: z.number(),
});
export type JailProof = z.infer<typeof jailProofSchema>;

/** Whether jails can be had on this machine, and if not, what is missing and how to mend it. */
export type JailReadiness =
  | { readonly kind: 'ready'; readonly bwrapVersion: string; readonly bwrapPath: string }
  | {
      readonly kind: 'unavailable';
      /** `not-linux`, `no-bwrap`, `bwrap-too-old`, `no-user-namespaces`, `probe-failed`, `unknown-architecture`,
       * `tool-chain-unsafe` */
      readonly code: string;
      readonly reason: string;
      /** What to do about it, commands included. */
      readonly fix: string;
    };

/** A limit that ended something in a jail, or that something in it was held to. */
export interface LimitBreach {
  readonly limit: Exclude<keyof JailLimits, 'tmpBytes'>;
  readonly detail: string;
}

/** One connection that something in a jail asked the egress proxy for. The names are the jail's own words. */
export type EgressConnection = { readonly host: string; readonly port: number } & (
  | { readonly kind: 'allowed'; readonly address: string }
  /** `refused`: the policy does not let it through. `failed`: it would, but no connection came about. */
  | { readonly kind: 'refused' | 'failed'; readonly reason: string }
);

/** One command in one fresh jail. */
export interface JailCommand {
  readonly policy: JailPolicy;
  /** The program and its arguments; never a shell string. */
  readonly argv: readonly string[];
  readonly stdin?: Readable | Uint8Array;
  /**
   * Streams stdout there instead of keeping it (a pack, a large diff), and ends it when stdout ends. `limits.outputBytes` does
   * not apply to it then.
   */
  readonly stdoutTo?: Writable;
  /** Called with each piece of output as it comes. */
  readonly onOutput?: (stream: 'stdout' | 'stderr', bytes: Uint8Array) => void;
  /** Called with each connection that the jail asks for, let through or not. Only a policy with a network has any. */
  readonly onConnection?: (connection: EgressConnection) => void;
  readonly signal?: AbortSignal;
}

export interface JailResult {
  /**
   * As a shell reports it: 128 and the signal's number for a command that a signal ended inside. `null` when the jail itself
   * was ended, by a limit or from outside.
   */
  readonly exitCode: number | null;
  /** What ended the jail itself. */
  readonly signal: string | null;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  /** stdout and stderr in the order in which they came, up to `limits.outputBytes`. */
  readonly output: Uint8Array;
  /** Bytes of output that were dropped past `limits.outputBytes`. */
  readonly droppedBytes: number;
  readonly durationMs: number;
  readonly breach: LimitBreach | null;
}

/** Fresh jails, one for each command. */
export interface Jails {
  /** Looks once whether jails work here and remembers the answer; `again` looks anew. */
  readiness(options?: { readonly again?: boolean }): Promise<JailReadiness>;
  /**
   * Runs one command in a jail of its own. All its processes are dead when this resolves.
   * @throws {UserError} `jail-unavailable` when no jail can be had: nothing runs without one. `network-unavailable` and
   * `network-domain-invalid` when the policy asks for a network that cannot be given.
   * @throws {CancelledError} when `signal` is aborted.
   */
  run(command: JailCommand): Promise<JailResult>;
  /** Starts a jail with `policy` and tries to get out of it. */
  prove(policy: JailPolicy): Promise<JailProof>;
  /**
   * Gives a folder of the host, with all that is in it, to the account that jails of `account` run as. Does nothing
   * unless the host is root. It follows no symbolic link.
   */
  handOver(path: string, account: string): Promise<void>;
  /**
   * Makes a folder that jails wrote this process's own again: jails of every account can read it and none can write to it
   * unless it is handed over or mounted writable anew. What is set-id, and what is neither file, folder nor link, is gone.
   * Nothing may be running in it.
   */
  takeBack(path: string): Promise<void>;
  /** Deletes a folder that jails could write to: mode bits are mended first, and no symbolic link is followed. */
  remove(path: string): Promise<void>;
  /** Ends every jail that is still running. */
  shutdown(): Promise<void>;
}
