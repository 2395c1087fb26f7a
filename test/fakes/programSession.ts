import { spawn } from 'node:child_process';
import type { Mount } from '../../src/core/jailPolicy';
import type { SessionProgram } from '../../src/core/session';
import { FolderSession } from '../unit/tools/folderSession';

/** A session whose programs run on this machine, with the paths of the jail led to where they come from: all but the jail. */
export class ProgramSession extends FolderSession {
  mounts: readonly Mount[] = [];
  readonly started: string[][] = [];
  private readonly programs = new Set<SessionProgram>();

  /** @param folder A folder that there is, for sessions in which the workspace is at the same place. */
  static override async create(folder?: string): Promise<ProgramSession> {
    return new ProgramSession(folder ?? (await FolderSession.makeFolder()));
  }

  override async start(
    argv: readonly string[],
    environment: Readonly<Record<string, string>>,
  ): Promise<SessionProgram> {
    const [file = '', ...args] = argv.map((word) => this.outside(word));
    this.started.push([...argv]);
    const env = Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, this.outside(value)]));
    const { PATH = '' } = process.env;
    const child = spawn(file, args, {
      cwd: this.folder,
      env: { PATH, HOME: this.folder, ...env },
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    child.stdin.on('error', () => {});
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve).on('error', () => resolve(null)));
    const program: SessionProgram = {
      stdout: child.stdout,
      stderr: child.stderr,
      ended,
      write: (text) => void child.stdin.write(text),
      endInput: () => void child.stdin.end(),
      kill: async () => {
        if (child.exitCode === null && child.signalCode === null && child.pid) process.kill(-child.pid, 'SIGKILL');
        await ended;
      },
    };
    this.programs.add(program);
    void ended.then(() => this.programs.delete(program));
    return program;
  }

  /** How many of its programs live. */
  living(): number {
    return this.programs.size;
  }

  /** What runs in it dies, and nobody is asked. */
  async killAll(): Promise<void> {
    for (const program of [...this.programs]) await program.kill();
  }

  override async close(): Promise<void> {
    await this.killAll();
    await super.close();
  }

  protected override outside(word: string): string {
    const mount = this.mounts.find(({ at }) => word === at || word.startsWith(`${at}/`));
    return mount ? mount.from + word.slice(mount.at.length) : word;
  }
}
