import { join } from 'node:path';
import { type Clock, sleep } from '../base/clock';
import type { Disposable } from '../base/disposable';
import { UserError } from '../base/errors';
import type { BackgroundCommands, BackgroundOutput } from '../core/background';
import { BackgroundCommand } from './backgroundCommand';
import type { PauseGate } from './pauseGate';
import type { SessionShells } from './sessionShells';

/** A dev server, a test watcher, a database, and room to spare. */
const maxRunning = 8;
const startTimeoutMs = 10_000;
const graceMs = 500;
const killedMs = 10_000;
const stepMs = 10;

export interface BackgroundOptions {
  readonly shells: SessionShells;
  /** The folder of the host that the jail sees as its channels. */
  readonly folder: string;
  readonly handOver: (folder: string) => Promise<void>;
  readonly gate: PauseGate;
  readonly clock: Clock;
  /** What a command writes, and a line when one begins or ends. */
  readonly onOutput: (bytes: Buffer) => void;
  readonly onStart: (command: string) => void;
}

/** See `BackgroundCommands`. Each command is a process session of the jail, started by the agent's shell. */
export class JailedBackground implements BackgroundCommands, Disposable {
  private readonly commands = new Map<string, BackgroundCommand>();
  private readonly watches: readonly Disposable[];
  private count = 0;

  constructor(private readonly options: BackgroundOptions) {
    this.watches = [
      options.shells.onDidBackground((message) => {
        const command = [...this.commands.values()].find(({ nonce }) => nonce === message.nonce);
        if (message.kind === 'backgroundStarted' && command) {
          command.leader ??= message.pid;
          this.options.shells.spare(message.pid);
        } else if (message.kind === 'finished') command?.finished(message.exitCode);
      }),
    ];
  }

  async start(command: string, signal?: AbortSignal): Promise<string> {
    const { shells, folder, handOver, clock, onOutput, onStart } = this.options;
    shells.channel('agent').assertOpen();
    if ([...this.commands.values()].filter(({ hasEnded }) => !hasEnded).length >= maxRunning) {
      throw new UserError('background-full', `${maxRunning} commands run in the background already: stop one first.`);
    }
    const id = `b${(this.count += 1)}`;
    const background = await BackgroundCommand.prepare(join(folder, id), handOver, { clock, onOutput });
    this.commands.set(id, background);
    try {
      const script = background.script(command, id);
      const began = (): void => onStart(`${command} &`);
      const options = { timeoutMs: startTimeoutMs, maxOutputBytes: 4096, ...(signal ? { signal } : {}) };
      const result = await shells.channel('agent').run({ ...options, script, onStart: began });
      if (result.kind === 'exited' && result.exitCode === 0) return id;
      throw new UserError('background-full', `The command could not be started in the background (${result.kind}).`);
    } catch (error) {
      this.forget(id, background);
      throw error;
    } finally {
      await background.started();
    }
  }

  async read(
    id: string,
    { waitMs, signal }: { readonly waitMs: number; readonly signal?: AbortSignal },
  ): Promise<BackgroundOutput> {
    const command = this.find(id);
    await this.options.gate.whenOpen(signal);
    await this.waitForNews(command, waitMs, signal);
    await this.noticeEnd(command);
    const output = command.take();
    if (output.status.kind === 'ended') this.forget(id, command);
    return output;
  }

  async write(id: string, text: string): Promise<void> {
    const command = this.find(id);
    await this.options.gate.whenOpen();
    command.write(text);
  }

  async stop(id: string): Promise<void> {
    const command = this.find(id);
    await this.options.gate.whenOpen();
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      if (this.signal(command, signal) === 0) break;
      // What is killed dies for certain, only not at once where much else is to be done.
      await this.until(() => this.signal(command, null) === 0, signal === 'SIGKILL' ? killedMs : graceMs);
    }
    await this.noticeEnd(command);
  }

  dispose(): void {
    for (const watch of this.watches) watch.dispose();
    for (const command of this.commands.values()) command.dispose();
    this.commands.clear();
  }

  private signal(command: BackgroundCommand, signal: NodeJS.Signals | null): number {
    return command.leader === undefined ? 0 : this.options.shells.signalSession(command.leader, signal);
  }

  private async waitForNews(command: BackgroundCommand, waitMs: number, signal?: AbortSignal): Promise<void> {
    if (command.hasNews || waitMs <= 0) return;
    const over = new AbortController();
    const waiting = AbortSignal.any(signal ? [over.signal, signal] : [over.signal]);
    const watch = command.onDidChange(() => over.abort());
    await sleep(this.options.clock, waitMs, waiting).catch(() => {});
    watch.dispose();
  }

  /** When nothing of it lives, its end is told within a moment; or whoever was to tell it is dead too. */
  private async noticeEnd(command: BackgroundCommand): Promise<void> {
    if (command.hasEnded || command.leader === undefined || this.signal(command, null) > 0) return;
    await this.until(() => command.hasEnded, graceMs);
    if (!command.hasEnded) command.finished(null);
  }

  private async until(condition: () => boolean, withinMs: number): Promise<void> {
    for (let waitedMs = 0; waitedMs < withinMs && !condition(); waitedMs += stepMs) {
      await sleep(this.options.clock, stepMs);
    }
  }

  private find(id: string): BackgroundCommand {
    const command = this.commands.get(id);
    if (command) return command;
    this.options.shells.channel('agent').assertOpen();
    const known = [...this.commands.keys()].join(', ') || 'none';
    throw new UserError(
      'unknown-background',
      `No command runs in the background under the id ${JSON.stringify(id.slice(0, 40))}: it has ended, or the sandbox was replaced. There are: ${known}.`,
    );
  }

  private forget(id: string, command: BackgroundCommand): void {
    this.commands.delete(id);
    command.dispose();
  }
}
