import { join } from 'node:path';
import { type Clock, sleep } from '../base/clock';
import type { Disposable } from '../base/disposable';
import { UserError } from '../base/errors';
import type { SessionProgram } from '../core/session';
import { JailedProgram } from './jailedProgram';
import type { SessionShells } from './sessionShells';

const startTimeoutMs = 10_000;
/** How often it is looked whether a program still lives: what was to tell of its end may have been killed with it. */
const lookMs = 2_000;
const graceMs = 500;
const killedMs = 10_000;
const stepMs = 10;

export interface ProgramsOptions {
  readonly shells: SessionShells;
  /** The folder of the host that the jail sees as its channels. */
  readonly folder: string;
  readonly handOver: (folder: string) => Promise<void>;
  readonly clock: Clock;
}

/** Starts programs for `Session.start`. Each is a process session of the jail, started by the agent's shell. */
export class JailedPrograms implements Disposable {
  private readonly programs = new Set<JailedProgram>();
  private readonly watch: Disposable;
  private count = 0;

  constructor(private readonly options: ProgramsOptions) {
    this.watch = options.shells.onDidBackground((message) => {
      const program = [...this.programs].find(({ nonce }) => nonce === message.nonce);
      if (!program) return;
      if (message.kind === 'finished') return program.finished(message.exitCode);
      program.leader ??= message.pid;
      options.shells.spare(message.pid);
    });
  }

  async start(argv: readonly string[], environment: Readonly<Record<string, string>>): Promise<SessionProgram> {
    const { shells, folder, handOver } = this.options;
    shells.channel('agent').assertOpen();
    const name = `p${(this.count += 1)}`;
    const program = await JailedProgram.prepare(join(folder, name), handOver);
    this.programs.add(program);
    void program.ended.then(() => this.programs.delete(program));
    try {
      const script = program.script(argv, environment, name);
      const limits = { timeoutMs: startTimeoutMs, maxOutputBytes: 4096 };
      const result = await shells.channel('agent').run({ ...limits, script });
      if (result.kind !== 'exited' || result.exitCode !== 0) {
        throw new UserError('program-not-started', `${argv[0]} could not be started in the sandbox (${result.kind}).`);
      }
    } catch (error) {
      program.dispose();
      throw error;
    } finally {
      await program.started();
    }
    this.look(program);
    return {
      stdout: program.stdout,
      stderr: program.stderr,
      ended: program.ended,
      write: (text) => program.write(text),
      endInput: () => program.endInput(),
      kill: () => this.kill(program),
    };
  }

  dispose(): void {
    this.watch.dispose();
    for (const program of this.programs) program.dispose();
  }

  private async kill(program: JailedProgram): Promise<void> {
    if (!this.programs.has(program)) return;
    // First, so that the same is told of it whoever is quicker.
    program.finished(null);
    this.signal(program, 'SIGKILL');
    for (let waitedMs = 0; waitedMs < killedMs && this.signal(program, null) > 0; waitedMs += stepMs) {
      await sleep(this.options.clock, stepMs);
    }
  }

  private look(program: JailedProgram): void {
    const again = this.options.clock.setTimer(lookMs, () => {
      if (program.leader !== undefined && this.signal(program, null) === 0) {
        // Its end is on its way, or whoever was to tell it is dead too.
        const last = this.options.clock.setTimer(graceMs, () => program.finished(null));
        void program.ended.then(() => last.dispose());
      } else this.look(program);
    });
    void program.ended.then(() => again.dispose());
  }

  private signal(program: JailedProgram, signal: NodeJS.Signals | null): number {
    return program.leader === undefined ? 0 : this.options.shells.signalSession(program.leader, signal);
  }
}
