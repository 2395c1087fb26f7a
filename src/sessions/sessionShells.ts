import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../base/clock';
import { Emitter } from '../base/emitter';
import type { ProcessIdentity } from '../core/session';
import { FifoReader, FifoWriter, makeFifos } from './fifo';
import { type JailedProcess, processesBelow, processesOf, signalProcess } from './jailProcesses';
import {
  type ChannelName,
  channelNames,
  fifoNames,
  launcherScript,
  startKeyboardLine,
  startShellLine,
} from './launcher';
import type { OutputStream } from './outputCutter';
import type { PauseGate } from './pauseGate';
import { type BackgroundMessage, type ChannelPipes, type KeyboardMessage, ShellChannel } from './shellChannel';

const launcherName = 'launcher';

/** Fills the folder that the jail sees as `channelsInJail`, with the launcher and its pipes. */
export async function makeChannels(folder: string): Promise<void> {
  await Promise.all([
    makeFifos(fifoNames().map((name) => join(folder, name))),
    writeFile(join(folder, launcherName), launcherScript(), { mode: 0o555 }),
  ]);
}

/** The launcher as the first program of a jail. */
export function launcherArgv(folderInJail: string): string[] {
  return ['/bin/bash', '--norc', '--noprofile', '-p', join(folderInJail, launcherName)];
}

export interface SessionShellsOptions {
  /** The folder that `makeChannels` made. */
  readonly folder: string;
  /** The folder in the jail that shells start in. */
  readonly workingDirectory: string;
  /** `NAME=value`, for the agent's shell alone. */
  readonly agentEnvironment: readonly string[];
  readonly firstProcess: Promise<ProcessIdentity | undefined>;
  readonly clock: Clock;
  /** Closed while a user has the keyboard. */
  readonly gate: PauseGate;
}

/** The shells of a session: the agent's own, and those that serve its files and searches. */
export class SessionShells {
  private readonly output = new Emitter<{ readonly stream: OutputStream; readonly bytes: Buffer }>();
  private readonly keyboard = new Emitter<KeyboardMessage>();
  private readonly background = new Emitter<BackgroundMessage>();
  /** Process sessions that no command's end touches: the host's number of each, and its leader's number in the jail. */
  private readonly spared = new Map<number, number>();
  private readonly broken = new Emitter<string>();
  private readonly launcher: FifoWriter;
  private readonly channels: Readonly<Record<ChannelName, ShellChannel>>;
  private first: ProcessIdentity | undefined;
  /** Process sessions of what serves the jail and is no shell: it was there before any code of the agent's. */
  private servants: readonly number[] = [];

  readonly onDidOutput = this.output.event;
  /** The user's shell has started or ended. */
  readonly onDidKeyboard = this.keyboard.event;
  /** A background command has started or ended. */
  readonly onDidBackground = this.background.event;
  /** The launcher does not answer any more. */
  readonly onDidBreak = this.broken.event;

  constructor(private readonly options: SessionShellsOptions) {
    this.launcher = this.writer('launcher.in');
    this.channels = {
      agent: this.openChannel('agent', options.agentEnvironment),
      files: this.openChannel('files', []),
      search: this.openChannel('search', []),
    };
    void options.firstProcess.then((first) => (this.first = first));
  }

  channel(name: ChannelName): ShellChannel {
    return this.channels[name];
  }

  /** Resolves when every shell is there, and nobody else can open the pipes any more. */
  async whenReady(): Promise<void> {
    await Promise.all(channelNames.map((name) => this.channels[name].whenReady()));
    await Promise.all(fifoNames().map((name) => rm(join(this.options.folder, name), { force: true })));
    await this.options.firstProcess;
    this.servants = this.findServants();
  }

  /** Gives the jail's terminal to a shell of the user's, in the agent's folder. @returns what names it in messages. */
  startKeyboard(): string {
    const generation = randomBytes(16).toString('hex');
    this.launcher.write(startKeyboardLine(generation, this.channels.agent.currentFolder));
    return generation;
  }

  /** Stops the agent's shell and all that it started and still runs. @returns what was not stopped before. */
  stopAgent(): JailedProcess[] {
    const stopped = new Map<number, JailedProcess>();
    for (;;) {
      const found = this.agentProcesses().filter(({ pid, isStopped }) => !isStopped && !stopped.has(pid));
      // What was started in between is found in the next round.
      if (found.length === 0) return [...stopped.values()];
      for (const process of found) {
        signalProcess(process, 'SIGSTOP');
        stopped.set(process.pid, process);
      }
    }
  }

  /** From now on the end of a command of the shell leaves the process session of this leader alone. */
  spare(innerPid: number): void {
    const leader = this.processes().find((process) => process.innerPid === innerPid);
    // Only one that leads a session of its own: anything else would spare the agent's shell.
    if (leader && leader.sessionId === leader.pid) this.spared.set(leader.pid, innerPid);
  }

  /**
   * Signals every process of the session that the process with this number in the jail leads or led, if it is spared.
   * @returns how many there are; with `null` nothing is sent.
   */
  signalSession(innerPid: number, signal: NodeJS.Signals | null): number {
    const found = this.processes().filter(({ sessionId }) => this.spared.get(sessionId) === innerPid);
    if (signal !== null) for (const process of found) signalProcess(process, signal);
    return found.length;
  }

  /** Every process below the one with this number in the jail. */
  below(innerPid: number): JailedProcess[] {
    const top = this.processes().find((process) => process.innerPid === innerPid);
    return top ? processesBelow(top) : [];
  }

  close(reason: string): void {
    for (const name of channelNames) this.channels[name].close(reason);
    this.launcher.dispose();
    this.output.dispose();
    this.broken.dispose();
    this.keyboard.dispose();
    this.background.dispose();
  }

  private openChannel(name: ChannelName, environment: readonly string[]): ShellChannel {
    return new ShellChannel(
      this.pipes(name),
      {
        clock: this.options.clock,
        startShell: (generation, folder) => this.launcher.write(startShellLine(name, generation, folder, environment)),
        signalCommand: (signal, sinceTicks) => this.signalCommand(name, signal, sinceTicks),
        killShell: () => this.killShell(name),
        onOutput: name === 'agent' ? (stream, bytes) => this.output.fire({ stream, bytes }) : undefined,
        onKeyboard: name === 'agent' ? (message) => this.keyboard.fire(message) : undefined,
        onBackground: name === 'agent' ? (message) => this.background.fire(message) : undefined,
        gate: name === 'agent' ? this.options.gate : undefined,
        onBroken: (reason) => this.broken.fire(reason),
      },
      this.options.workingDirectory,
    );
  }

  private pipes(name: ChannelName): ChannelPipes {
    const reader = (end: string) => new FifoReader(join(this.options.folder, `${name}.${end}`));
    return { input: this.writer(`${name}.in`), stdout: reader('out'), stderr: reader('err'), control: reader('ctl') };
  }

  private writer(name: string): FifoWriter {
    return new FifoWriter(join(this.options.folder, name), (error) => this.broken.fire(error.message));
  }

  private killShell(name: ChannelName): void {
    const inner = this.channels[name].pids?.shell;
    for (const process of this.processes()) if (process.innerPid === inner) signalProcess(process, 'SIGKILL');
  }

  /**
   * Everything that came into being while the command ran, wherever it has gone since, but for what belongs to the
   * launcher and to the other shells.
   * @returns how many there were.
   */
  private signalCommand(name: ChannelName, signal: NodeJS.Signals, sinceTicks: number): number {
    const all = this.processes();
    const spared = new Set(this.sparedSessions(name, all));
    const shell = this.channels[name].pids?.shell;
    const found = all.filter(
      (process) =>
        process.startTicks >= sinceTicks &&
        process.innerPid !== shell &&
        !spared.has(process.sessionId) &&
        !this.spared.has(process.sessionId),
    );
    for (const process of found) signalProcess(process, signal);
    return found.length;
  }

  /** All that belongs neither to the launcher, and so to the user, nor to the shells that serve us. */
  private agentProcesses(): JailedProcess[] {
    if (this.launcherPid === undefined) return [];
    const all = this.processes();
    const spared = new Set(this.sparedSessions('agent', all));
    return all.filter(({ sessionId }) => !spared.has(sessionId));
  }

  private sparedSessions(name: ChannelName, all: readonly JailedProcess[]): number[] {
    const others = channelNames.filter((other) => other !== name).map((other) => this.channels[other].pids?.shell);
    const inner = new Set([...others, this.launcherPid]);
    const spared = all.filter((process) => inner.has(process.innerPid)).map((process) => process.sessionId);
    return [...spared, ...this.servants];
  }

  /** What forwards to the network: it must be stopped neither with a command nor while the user has the keyboard. */
  private findServants(): number[] {
    const shells = new Set([...channelNames.map((name) => this.channels[name].pids?.shell), this.launcherPid]);
    const leaders = this.processes().filter(({ pid, sessionId }) => pid === sessionId);
    return leaders.filter(({ innerPid }) => !shells.has(innerPid)).map(({ sessionId }) => sessionId);
  }

  /** The same for every channel; one alone forgets it while its shell is being replaced. */
  private get launcherPid(): number | undefined {
    return channelNames.map((name) => this.channels[name].pids?.launcher).find((pid) => pid !== undefined);
  }

  private processes(): JailedProcess[] {
    return this.first ? processesOf(this.first) : [];
  }
}
