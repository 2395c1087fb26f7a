import type { EgressConnection } from './jail';

/** How the dependencies of a repository are prepared: commands that are run in a jail of their own, and what they make. */
export interface SetupConfig {
  /** Command lines, run one after another on a fresh checkout until one fails. */
  readonly commands: readonly string[];
  /** Domains that they must reach. */
  readonly network: readonly string[];
  /** Files whose content decides whether what was made before still holds; `null`: whatever has the name of a known lock file. */
  readonly lockFiles: readonly string[] | null;
  /** Folders that they make; `null`: those of the usual names that they made. */
  readonly outputs: readonly string[] | null;
  /** Wall time of all of them together. */
  readonly timeoutMs: number;
}

/** What a setup made, kept read-only for every jail that needs the same. It stays as it is until it is released. */
export interface Dependencies {
  /** Names what it was made from. */
  readonly key: string;
  /** By the path in the workspace: the folder on the host. */
  readonly folders: readonly { readonly path: string; readonly folder: string }[];
  /** What package managers kept of their downloads; `null` when they kept nothing. */
  readonly cache: string | null;
  /** From here on it may be deleted when room is needed. No jail may be using it any more. */
  release(): void;
}

/** What came of running a setup. */
export interface SetupEnd {
  /** What was wrong, in a few words: `exit code 1`, `it made no folder`, a limit; `null` when all is well. */
  readonly problem: string | null;
  /** As `JailResult` has it. */
  readonly exitCode: number | null;
  /** The end of stdout and stderr in the order in which they came. */
  readonly output: Uint8Array;
  readonly durationMs: number;
}

/** The dependencies of one tree. `none`: the repository has no setup. */
export type Preparation =
  | { readonly kind: 'none' }
  | { readonly kind: 'ready'; readonly dependencies: Dependencies }
  | { readonly kind: 'failed'; readonly end: SetupEnd };

export interface PreparationOptions {
  /** The domains that the user lets setups reach, with `*.` for all below one. */
  readonly allowedDomains: readonly string[];
  /** What all repositories may keep together; beyond it, what was used longest ago and is not in use goes. */
  readonly maxKeptBytes: number;
  readonly signal?: AbortSignal;
  /** The commands are about to be run. Not called when what was kept holds. */
  readonly onStart?: (setup: SetupConfig) => Promise<void>;
  /** Called with each connection that the setup asks for, let through or not. */
  readonly onConnection?: (connection: EgressConnection) => void;
  /** Output as it comes. */
  readonly onOutput?: (bytes: Uint8Array) => void;
  /** They were run. Not called when the setup was cancelled. */
  readonly onEnd?: (end: SetupEnd) => Promise<void>;
}
