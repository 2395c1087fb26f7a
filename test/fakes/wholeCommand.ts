import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { AirlockEvent } from '../../src/core/events';
import { eventSchema } from '../../src/core/events';

const root = path.resolve(import.meta.dirname, '../..');
let built: string | undefined;

/** The headless command, built once for this process from the source as it is. */
export function builtCommand(): string {
  if (built !== undefined) return built;
  mkdirSync(path.join(root, 'out'), { recursive: true });
  const folder = mkdtempSync(path.join(root, 'out', 'whole-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  execFileSync(process.execPath, ['esbuild.js', `--outdir=${folder}`], { cwd: root, stdio: 'inherit' });
  built = path.join(folder, 'airlock.js');
  return built;
}

export interface CommandEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `airlock` as a process of its own. */
export class WholeCommand {
  readonly exited: Promise<CommandEnd>;
  private stdoutText = '';
  private stderrText = '';
  private readonly watchers = new Set<() => void>();

  private constructor(
    private readonly child: ChildProcess,
    private readonly onLine: (line: string) => void,
  ) {
    let rest = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdoutText += text;
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.onLine(line);
      this.changed();
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderrText += text;
      this.changed();
    });
    this.exited = new Promise((resolve) => {
      child.on('close', (code, signal) => resolve({ code, signal, stdout: this.stdoutText, stderr: this.stderrText }));
    });
  }

  /** `environment` is all that it gets beside where programs and its home are. */
  static start(
    args: readonly string[],
    options: {
      readonly environment?: Readonly<Record<string, string>>;
      readonly cwd?: string;
      /** What stands on its standard input; nothing when it is absent. */
      readonly input?: string;
      readonly onLine?: (line: string) => void;
      /** Another build of it. */
      readonly program?: string;
    } = {},
  ): WholeCommand {
    const { PATH = '', HOME = '/' } = process.env;
    // Tests keep the machine busy.
    const calm = args[0] === 'work' ? ['--max-cpu', '0', '--max-memory', '0'] : [];
    const child = spawn(process.execPath, [options.program ?? builtCommand(), ...args, ...calm], {
      cwd: options.cwd ?? '/',
      env: { PATH, HOME, ...options.environment },
      stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    child.stdin?.end(options.input);
    return new WholeCommand(child, options.onLine ?? (() => {}));
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get stdout(): string {
    return this.stdoutText;
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Resolves as soon as what was printed fits. @throws {Error} when the process has ended without it. */
  async printed(fits: (stdout: string, stderr: string) => boolean): Promise<void> {
    let look = (): void => {};
    const found = new Promise<true>((resolve) => {
      look = () => fits(this.stdoutText, this.stderrText) && resolve(true);
      this.watchers.add(look);
      look();
    });
    const outcome = await Promise.race([found, this.exited]);
    this.watchers.delete(look);
    if (outcome !== true && !fits(outcome.stdout, outcome.stderr)) {
      throw new Error(`it ended with ${outcome.code ?? outcome.signal}: ${outcome.stdout}${outcome.stderr}`);
    }
  }

  private changed(): void {
    for (const look of [...this.watchers]) look();
  }
}

/** Reads a line of `airlock work --json`. */
export function eventIn(line: string): AirlockEvent {
  return eventSchema.parse(JSON.parse(line));
}
