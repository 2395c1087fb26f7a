import type { IdRange } from './account';
import type { SystemdScope } from './limits/systemdScope';

/** A folder of the system that every jail sees read-only, or the link that stands in its place (`/bin → usr/bin`). */
export type SystemFolder =
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'link'; readonly path: string; readonly target: string };

/** Something of the host that jails see read-only. */
export interface ToolMount {
  readonly from: string;
  readonly at: string;
}

/** Something that a jail would see and is not to: it finds something empty there. A real path, not of a link. */
export interface Cover {
  readonly kind: 'file' | 'folder';
  readonly path: string;
}

/** A tool chain outside the system folders that every jail sees read-only. */
export interface ToolChain {
  readonly name: string;
  readonly mounts: readonly ToolMount[];
  /** What lies in the mounts and may hold a password. */
  readonly covered: readonly Cover[];
  /** Folders with its programs, for the `PATH`. */
  readonly programs: readonly string[];
  /** Variables that it needs to find its parts. */
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * `privileged`: the host is root and owns its kernel's namespaces; bwrap runs without a user namespace and each account has
 * an id of its own. `user`: an ordinary user, or root in a container that may do no more than one.
 */
export type HostMode = { readonly kind: 'privileged'; readonly ids: IdRange } | { readonly kind: 'user' };

/** The most that limits can be set to here (`/proc/self/limits`, hard). `Infinity` for unlimited. */
export interface HardLimits {
  readonly processes: number;
  readonly dataBytes: number;
  readonly fileBytes: number;
  readonly openFiles: number;
  /** Of one process. */
  readonly cpuSeconds: number;
}

/** What must be known of this machine to build a jail. Together with a policy it decides everything. */
export interface HostFacts {
  readonly bwrapPath: string;
  readonly bwrapVersion: string;
  readonly prlimitPath: string;
  readonly setprivPath: string;
  readonly envPath: string;
  /** The system's own perl, which jails see too; `null` when there is none with its sockets, and then no jail has a network. */
  readonly perlPath: string | null;
  readonly architecture: Architecture;
  readonly mode: HostMode;
  /** bwrap's `--disable-userns` works; where it does not, seccomp alone forbids nested user namespaces. */
  readonly disableUserns: boolean;
  readonly systemFolders: readonly SystemFolder[];
  /** What lies in them and may hold a password. */
  readonly systemCovers: readonly Cover[];
  /** A folder of the host that jails see as `/etc`. */
  readonly etcFolder: string;
  readonly toolChains: readonly ToolChain[];
  /** The `PATH` of jails. */
  readonly searchPath: readonly string[];
  readonly hardLimits: HardLimits;
  /** For a session's jail to have a cgroup of its own; `null` where there is no systemd that gives one. */
  readonly scope: SystemdScope | null;
  /** Files of the host that are Unix sockets in use, as they are when the jail is built. */
  readonly hostSockets: readonly string[];
}

/** Processors for which there is a seccomp filter. */
export type Architecture = 'x64' | 'arm64';
