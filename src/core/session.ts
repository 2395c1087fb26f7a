import type { Readable } from 'node:stream';
import { z } from 'zod';
import type { Event } from '../base/emitter';
import type { BackgroundCommands } from './background';
import type { RunId, SessionId } from './ids';
import type { EgressConnection, JailProof, LimitBreach } from './jail';
import type { JailPolicy } from './jailPolicy';
import type { HandedBack, Keyboard, TerminalSize } from './keyboard';
import type { ProcessUse } from './sessionUse';

/** A process that can be told apart from another one that got the same pid later. */
export const processIdentitySchema = z.object({
  pid: z.number().int().positive(),
  /** Field 22 of `/proc/<pid>/stat`: start time in clock ticks after boot. */
  startTicks: z.number().int().nonnegative(),
  /** `/proc/sys/kernel/random/boot_id`. */
  bootId: z.string(),
});
export type ProcessIdentity = z.infer<typeof processIdentitySchema>;

/**
 * The life of a session, `creating → ready ⇄ busy → paused → closed → archived → deleted`: `busy` while a command runs,
 * `paused` while the user has the keyboard. `archived`: its recording is kept, out of the way. `deleted`: that is gone too.
 * What may follow what is said by `canBecome`.
 */
export type SessionStatus = 'creating' | 'ready' | 'busy' | 'paused' | 'closed' | 'archived' | 'deleted';

export interface ExecOptions {
  readonly timeoutMs: number;
  /** Bytes of stdout and stderr together that are kept: half from the start, half from the end. */
  readonly maxOutputBytes: number;
  readonly signal?: AbortSignal;
}

/** What came of a command in a session's shell. Output is cut in the middle when it is longer than asked for. */
export interface ExecResult {
  /**
   * `exited`: it ended with `exitCode`. `timedOut`: it was ended. `cancelled`: the caller asked. `shellEnded`: it took the
   * shell with it (`exit`, `exec`, `kill $$`); a new shell is there for the next command, in the same folder. That may be so
   * after `timedOut` and `cancelled` too, when ending the command's processes was not enough.
   */
  readonly kind: 'exited' | 'timedOut' | 'cancelled' | 'shellEnded';
  readonly exitCode: number | null;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  readonly droppedBytes: number;
  readonly durationMs: number;
  /** The limit of the jail that it seems to have failed at (`heldLimit`); absent when there is no sign of one. */
  readonly held?: LimitBreach;
}

/** Files as the jail sees them, read and written inside it. Paths are absolute or relative to the workspace. */
export interface SessionFiles {
  /**
   * Up to `maxBytes` from `offset`; `size` is the whole file's.
   * @throws {UserError} `file-not-found`, `file-not-regular`, `file-denied`.
   */
  read(
    path: string,
    options: { readonly offset?: number; readonly maxBytes: number },
  ): Promise<{ readonly bytes: Uint8Array; readonly size: number }>;
  /**
   * Replaces the file as a whole, making its folders; the mode of an existing file is kept.
   * @throws {UserError} `file-denied`, `file-not-regular`, `disk-full`.
   */
  write(path: string, bytes: Uint8Array): Promise<void>;
  /** Runs a program with its arguments beside the shell, for searches; the shell's state does not matter to it. */
  run(argv: readonly string[], options: ExecOptions): Promise<ExecResult>;
}

/**
 * What people see of a session, already safe to show: hostile escape sequences are gone and floods are thinned, with a
 * mark where something was left out.
 */
export interface SessionTerminal {
  readonly onDidOutput: Event<string>;
  /** The last part of what was shown so far, for a terminal that is opened late. */
  scrollback(): string;
}

/** A program that runs beside the shell, on pipes of its own. It is stopped while a user has the keyboard. */
export interface SessionProgram {
  /** It has to be read: a program whose output nobody takes waits. Ends with the program. */
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** The exit code, once every byte of its output was read; `null` when it or the session was killed. */
  readonly ended: Promise<number | null>;
  /** Writes to its standard input. Nothing happens when it has ended. */
  write(text: string): void;
  /** Its standard input ends after what was written. */
  endInput(): void;
  /** Ends it and all that it started, also while a user has the keyboard; resolves when nothing of it lives. */
  kill(): Promise<void>;
}

/** A living jail with a shell for the agent in it and a terminal for people. */
export interface Session {
  readonly id: SessionId;
  readonly status: SessionStatus;
  readonly proof: JailProof;
  readonly process: ProcessIdentity;
  readonly files: SessionFiles;
  readonly terminal: SessionTerminal;
  /** Fired once, when the jail has ended, however that came. */
  readonly onDidClose: Event<{ readonly reason: string; readonly breach: LimitBreach | null }>;
  /** A command failed at a limit that the kernel held it to; the session goes on. */
  readonly onDidMeetLimit: Event<LimitBreach>;
  /**
   * Runs a command line in the agent's shell; folder, variables and functions stay for the next one.
   * @throws {UserError} `session-closed` when the jail is gone.
   */
  exec(command: string, options: ExecOptions): Promise<ExecResult>;
  /** Long-running commands of the agent's; they are stopped while a user has the keyboard, and end with the session. */
  readonly background: BackgroundCommands;
  /**
   * Starts a program by its absolute path, in the folder of the agent's shell.
   * @param environment beside what every program of the session has.
   * @throws {UserError} `session-closed`, `program-not-started`.
   */
  start(argv: readonly string[], environment: Readonly<Record<string, string>>): Promise<SessionProgram>;
  /**
   * Gives the user a shell of their own on the terminal, in the agent's folder. Meanwhile the agent's processes are stopped,
   * `exec` and `files` wait, and no time of theirs runs.
   * @throws {UserError} `session-closed`, `session-taken` when somebody has it already, `pty-unavailable`.
   */
  takeOver(size: TerminalSize): Promise<Keyboard>;
  /** The user has given the keyboard back; not fired when the session ended in the user's hands. */
  readonly onDidGiveBack: Event<HandedBack>;
  /** Resolves when no user has the keyboard, the session is over, or `signal` is aborted. */
  whenGivenBack(signal?: AbortSignal): Promise<void>;
  /**
   * For one that has waited unused: proves its jail once more.
   * @returns what speaks against its being as it was handed out, in words, such as a process that was not there then;
   * `undefined` when nothing does.
   */
  recheck(): Promise<string | undefined>;
  /** For one that waits unused: what runs in it now was started for it, and is no stranger to `recheck`. */
  vouch(): void;
  /** Shows a line of our own in the terminal, such as what the agent says. Control characters are made visible. */
  note(text: string): void;
  /** Ends every process of the jail; resolves when none is left. */
  close(reason: string): Promise<void>;
}

export interface SessionOptions {
  readonly id: SessionId;
  readonly runId: RunId;
  readonly policy: JailPolicy;
  /** A folder of the host that is this session's own, outside the workspace: recording and channels. */
  readonly stateFolder: string;
  /** Called with each connection that the jail asks for, let through or not. Only a policy with a network has any. */
  readonly onConnection?: (connection: EgressConnection) => void;
  readonly signal?: AbortSignal;
}

export interface Sessions {
  /**
   * Starts a jail, proves it, and hands it out.
   * @throws {UserError} `jail-unavailable`, `jail-not-proven`, and for a network that cannot be given `network-unavailable`
   * and `network-domain-invalid`: then nothing runs.
   */
  open(options: SessionOptions): Promise<Session>;
  /** Ends the jail of an earlier process, if it is still that process. */
  endOrphan(process: ProcessIdentity): Promise<boolean>;
  /** What the jail of a session uses that has this first process; `undefined` when it has ended. */
  use(process: ProcessIdentity): ProcessUse | undefined;
  /** Ends every session. */
  shutdown(): Promise<void>;
}
