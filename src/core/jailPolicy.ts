import { z } from 'zod';

const absolutePath = z.string().regex(/^\/(?!.*(?:^|\/)\.\.(?:\/|$))[^\0]*$/, 'an absolute path without ".." and NUL');

/** Something of the host that the jail sees. */
export const mountSchema = z.object({
  /** The path on the host. A path that does not exist is an error, never skipped. */
  from: absolutePath,
  /** The path in the jail. */
  at: absolutePath,
  access: z.enum(['read', 'write']),
});
export type Mount = z.infer<typeof mountSchema>;

const count = z.number().int().positive();

/** What one jail may use up. Every limit is always set: there is no "unlimited". */
export const jailLimitsSchema = z.object({
  /** Processes and threads at the same time. */
  processes: count.default(512),
  /** Private memory of one process (`RLIMIT_DATA`; `RLIMIT_AS` breaks Node). */
  dataBytes: count.default(8 * 1024 ** 3),
  /** Resident memory of the whole jail. */
  memoryBytes: count.default(4 * 1024 ** 3),
  /** The size of one file. */
  fileBytes: count.default(1024 ** 3),
  openFiles: count.default(4096),
  /** Size of the jail's own `/tmp`, and of its home. */
  tmpBytes: count.default(1024 ** 3),
  /** What the writable mounts may grow to together. */
  diskBytes: count.default(4 * 1024 ** 3),
  /** Wall time of the whole jail. */
  wallMs: count.default(10 * 60_000),
  /** Processor time of the whole jail, on all cores together. */
  cpuMs: count.default(8 * 60 * 60_000),
  /** Bytes of stdout and stderr together that are kept. What comes after is dropped and counted. */
  outputBytes: count.default(16 * 1024 ** 2),
});
export type JailLimits = z.infer<typeof jailLimitsSchema>;

/** Default: no network at all, not even the host's loopback. Domains are `example.org`, `*.example.org`, with `:port`. */
export const networkPolicySchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('none') }),
  z.object({ kind: z.literal('allowlist'), domains: z.array(z.string().min(1).max(255)).min(1) }),
]);
export type NetworkPolicy = z.infer<typeof networkPolicySchema>;

/**
 * What a jail may see, write, reach and use up. The bwrap arguments, the environment and the seccomp filter are a pure
 * function of it. What is not named here is not there: an absent mount, variable or domain is denied.
 */
export const jailPolicySchema = z.object({
  /**
   * Whose jail it is, usually a run's id. Jails of the same account share a host uid when the host is root; two different
   * accounts never do.
   */
  account: z.string().regex(/^[a-z0-9-]{1,80}$/),
  /** The folder that commands start in, a path in the jail. */
  workingDirectory: absolutePath.default('/workspace'),
  /** In the order in which they are mounted: a later one may lie inside an earlier one. */
  mounts: z.array(mountSchema).default([]),
  network: networkPolicySchema.default({ kind: 'none' }),
  /** The environment of what runs inside, beside `PATH`, `HOME`, `LANG`, `TMPDIR`, `TERM`, `USER`. Never a secret. */
  environment: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string()).default({}),
  limits: jailLimitsSchema.prefault({}),
});
/** A complete policy: every default filled in. */
export type JailPolicy = z.infer<typeof jailPolicySchema>;
/** A policy as it is written: defaults may be left out. */
export type JailPolicyInput = z.input<typeof jailPolicySchema>;

/** Where the run's own copy of the repository appears in its jails. */
export const workspaceInJail = '/workspace';
