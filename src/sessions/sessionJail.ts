import { constants, openSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { IPty } from 'node-pty';
import { z } from 'zod';
import type { Clock } from '../base/clock';
import { Emitter, type Event } from '../base/emitter';
import { messageOf } from '../base/errors';
import type { ProcessIdentity } from '../core/session';
import type { BwrapInvocation } from '../jail/argv';
import { endProcess, waitUntilDead } from '../jail/endProcess';
import { closingDescriptors, inheritedDescriptors } from '../jail/descriptors';
import { JailProcess } from '../jail/jailProcess';
import { identifyProcess } from '../jail/procfs';
import { ptyLaunch } from '../jail/ptyLaunch';
import { fifoReader, makeFifos } from './fifo';
import { FlowGate, type FlowRate } from './flowGate';
import type { NodePty } from './nodePty';

/** The size of a session's terminal until somebody says otherwise. */
export const terminalSize = { columns: 120, rows: 30 };

/** The terminal of a jail, for a user who takes it over. */
export interface JailTerminal {
  readonly onDidData: Event<string>;
  write(text: string): void;
  resize(columns: number, rows: number): void;
}

/** A running jail of a session, on a pty or without one. */
export interface SessionJail {
  /** The first process inside, whose death ends every other; `undefined` when the jail could not be built. */
  readonly firstProcess: Promise<ProcessIdentity | undefined>;
  /** Resolves when every process of the jail is dead. */
  readonly ended: Promise<void>;
  /** `null` when there is no pty: then nobody can take over, and everything else works. */
  readonly terminal: JailTerminal | null;
  /** How it ended, in words, once it has: for one that nobody ended from outside. */
  endWords(): string;
  /** Whether a signal ended it or its first process, once it is over. */
  wasKilled(): boolean;
  /** What bwrap said, if it could not build the jail. */
  lastWords(): string;
  /** Ends every process of the jail. */
  kill(): void;
}

/** What is written to the terminal is taken at the rate at which it is shown: 64 Ki characters a frame. */
const screenRate: FlowRate = { bytes: 64 * 1024, restMs: 16 };

const lastWordsChars = 2_000;

/** Keeps the end of what a jail says before it is ready. */
class LastWords {
  private text = '';

  add(piece: string): void {
    this.text = (this.text + piece).slice(-lastWordsChars);
  }

  get(): string {
    return this.text.trim();
  }
}

/** A jail without a terminal, for where node-pty cannot be loaded. `folder` is a new folder of the host. */
export async function startWithoutPty(invocation: BwrapInvocation, folder: string): Promise<SessionJail> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, 'words');
  await makeFifos([path]);
  const words = new LastWords();
  const reader = fifoReader(path);
  reader.on('data', (bytes: Buffer) => words.add(bytes.toString())).on('error', () => {});
  const end = () => ({ reader, writeFd: openSync(path, constants.O_WRONLY) });
  const jail = new JailProcess(invocation, { stdout: end(), stderr: end(), stdin: false });
  let endedBy = '';
  let wasKilled = false;
  const ended = jail.ended
    .then(
      (end) => {
        endedBy = wordsOfEnd(end.exitCode, end.signal);
        wasKilled = isKill(end.exitCode, end.signal);
      },
      (error: unknown) => words.add(messageOf(error)),
    )
    .finally(() => reader.destroy());
  deleteAfter(ended, () => rm(folder, { recursive: true, force: true }));
  return {
    firstProcess: jail.firstProcess,
    ended,
    terminal: null,
    endWords: () => endedBy,
    wasKilled: () => wasKilled,
    lastWords: () => words.get(),
    kill: () => jail.kill(),
  };
}

/** bwrap ends like the jail's first process does, and with 128 and the signal's number when that was killed. */
function wordsOfEnd(exitCode: number | null, signal: string | null): string {
  if (signal !== null || exitCode === null) return `it was killed from outside (${signal ?? 'unknown signal'})`;
  if (exitCode <= 128) return `its first process ended with exit code ${exitCode}`;
  return `its first process was killed with signal ${exitCode - 128}, by somebody or for want of memory`;
}

function isKill(exitCode: number | null, signal: string | null): boolean {
  return signal !== null || exitCode === null || exitCode > 128;
}

/** What cannot be deleted is left: a few bytes that nobody needs. */
function deleteAfter(ended: Promise<void>, dispose: () => Promise<void>): void {
  ended.then(dispose).catch(() => {});
}

const statusSchema = z.object({ 'child-pid': z.number().optional() });

/**
 * A jail on a pty of its own. `folder` is a new folder of the host for what bwrap reads; it is deleted when the jail ends.
 */
export async function startOnPty(
  pty: NodePty,
  invocation: BwrapInvocation,
  folder: string,
  clock: Clock,
): Promise<SessionJail> {
  const launch = await ptyLaunch(invocation, folder);
  // A pipe in the file's place tells at once what a file would have to be asked for again and again.
  await rm(launch.statusFile, { force: true });
  await makeFifos([launch.statusFile]);
  const status = fifoReader(launch.statusFile);
  const direct = [launch.file, ...launch.args];
  const [file = launch.file, ...args] = inheritedDescriptors(2).length > 0 ? closingDescriptors(direct, 2) : direct;
  const child = pty.spawn(file, args, {
    name: 'xterm-256color',
    cwd: '/',
    env: {},
    cols: terminalSize.columns,
    rows: terminalSize.rows,
  });
  const jail = new PtyJail(child, status, clock);
  deleteAfter(jail.ended, () => launch.dispose());
  return jail;
}

class PtyJail implements SessionJail {
  readonly firstProcess: Promise<ProcessIdentity | undefined>;
  readonly ended: Promise<void>;
  readonly terminal: JailTerminal;
  private readonly words = new LastWords();
  private endedBy = '';
  private killed = false;

  constructor(
    private readonly child: IPty,
    status: ReturnType<typeof fifoReader>,
    clock: Clock,
  ) {
    const gate = new FlowGate([child], clock, screenRate);
    const data = new Emitter<string>();
    this.terminal = {
      onDidData: data.event,
      write: (text) => child.write(text),
      resize: (columns, rows) => child.resize(columns, rows),
    };
    child.onData((text) => {
      this.words.add(text);
      data.fire(text);
      gate.count(text.length);
    });
    const exited = new Promise<void>((resolve) =>
      child.onExit(({ exitCode, signal }) => {
        this.endedBy = wordsOfEnd(exitCode, signal ? `signal ${signal}` : null);
        this.killed = isKill(exitCode, signal ? `signal ${signal}` : null);
        resolve();
      }),
    );
    this.firstProcess = Promise.race([firstProcessOf(status), exited.then(() => undefined)]);
    this.ended = exited.then(async () => {
      status.destroy();
      gate.dispose();
      const first = await this.firstProcess;
      if (first) await waitUntilDead(first);
    });
  }

  endWords(): string {
    return this.endedBy;
  }

  wasKilled(): boolean {
    return this.killed;
  }

  lastWords(): string {
    return this.words.get();
  }

  kill(): void {
    // Not bwrap itself first: while it builds the jail, the first process would go on without it.
    void this.firstProcess.then((first) => {
      if (first) endProcess(first);
      else this.child.kill('SIGKILL');
    });
  }
}

/** bwrap writes one JSON document a line. */
function firstProcessOf(status: ReturnType<typeof fifoReader>): Promise<ProcessIdentity | undefined> {
  return new Promise((resolve) => {
    let text = '';
    status.setEncoding('utf8').on('error', () => {});
    status.on('data', (piece: string) => {
      text += piece;
      const lines = text.split('\n');
      text = lines.pop() ?? '';
      for (const line of lines) {
        const pid = statusSchema.parse(JSON.parse(line))['child-pid'];
        if (pid !== undefined) resolve(identifyProcess(pid));
      }
    });
  });
}
