import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, open, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { Emitter } from '../../../src/base/emitter';
import { systemCodeOf, UserError } from '../../../src/base/errors';
import type { BackgroundCommands } from '../../../src/core/background';
import type { Claims } from '../../../src/core/claims';
import type {
  ExecOptions,
  ExecResult,
  Session,
  SessionFiles,
  SessionProgram,
  SessionStatus,
} from '../../../src/core/session';
import type { ToolContext } from '../../../src/core/tool';

/** A session on a temporary folder with the machine's own bash, find and grep: everything but the jail is real. */
export class FolderSession implements Session {
  readonly id = 'session-test';
  status: SessionStatus = 'ready';
  readonly proof = { proven: false, canaries: [], durationMs: 0 };
  readonly process = { pid: 1, startTicks: 0, bootId: 'test' };
  readonly terminal = { onDidOutput: new Emitter<string>().event, scrollback: (): string => '' };
  readonly onDidClose = new Emitter<{ readonly reason: string; readonly breach: null }>().event;
  readonly onDidMeetLimit: Session['onDidMeetLimit'] = new Emitter<never>().event;
  readonly onDidGiveBack: Session['onDidGiveBack'] = new Emitter<never>().event;
  readonly progress: { readonly message: string; readonly percent: number | null }[] = [];
  readonly claims: Claims[] = [];
  readonly abort = new AbortController();
  readonly files: SessionFiles;

  recheck(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  vouch(): void {}

  protected constructor(readonly folder: string) {
    this.files = {
      read: (path, options) => this.read(this.outside(path), options.offset ?? 0, options.maxBytes),
      write: (path, bytes) => this.write(this.outside(path), bytes),
      run: (argv, options) =>
        this.spawn(
          argv.map((word) => this.outside(word)),
          options,
        ),
    };
  }

  /** Where a path of the jail is on this machine. */
  protected outside(path: string): string {
    return path;
  }

  static async create(): Promise<FolderSession> {
    return new FolderSession(await FolderSession.makeFolder());
  }

  protected static makeFolder(): Promise<string> {
    return mkdtemp(join(tmpdir(), 'airlock-tools-'));
  }

  get context(): ToolContext {
    return {
      session: this,
      signal: this.abort.signal,
      progress: (message, percent) => this.progress.push({ message, percent }),
      ask: (question) => Promise.reject(new UserError('question-open', question)),
      agents: {
        send: (to, text) => Promise.resolve(`${to}: ${text}`),
        read: (join) => Promise.resolve(join.join()),
        split: (subtasks) => Promise.resolve(subtasks.map(({ key }) => key).join()),
      },
      claim: (claims) => Promise.resolve(void this.claims.push(claims)),
    };
  }

  async put(path: string, content: string | Uint8Array): Promise<void> {
    await this.write(path, typeof content === 'string' ? Buffer.from(content) : content);
  }

  exec(command: string, options: ExecOptions): Promise<ExecResult> {
    return this.spawn(['bash', '-c', command], options);
  }

  async start(_argv: readonly string[], _environment: Readonly<Record<string, string>>): Promise<SessionProgram> {
    throw new Error('no program is started here');
  }

  note(): void {}

  /** Tests that need more than an id say what a command did. */
  readonly background: BackgroundCommands = {
    start: async () => 'b1',
    read: async () => ({ status: { kind: 'running' }, output: new Uint8Array(), droppedBytes: 0 }),
    write: async () => {},
    stop: async () => {},
  };

  async takeOver(): Promise<never> {
    throw new UserError('pty-unavailable', 'A folder has no terminal.');
  }

  async whenGivenBack(): Promise<void> {}

  async close(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  private async read(path: string, offset: number, maxBytes: number): ReturnType<SessionFiles['read']> {
    const file = await open(resolve(this.folder, path)).catch((error: unknown) => {
      if (systemCodeOf(error) === 'ENOENT') throw new UserError('file-not-found', `${path} does not exist.`);
      throw error;
    });
    try {
      const { size } = await file.stat();
      if (!(await file.stat()).isFile()) throw new UserError('file-not-regular', `${path} is no regular file.`);
      const { buffer, bytesRead } = await file.read(Buffer.alloc(maxBytes), 0, maxBytes, offset);
      return { bytes: buffer.subarray(0, bytesRead), size };
    } finally {
      await file.close();
    }
  }

  private async write(path: string, bytes: Uint8Array): Promise<void> {
    const target = resolve(this.folder, path);
    const isFolder = await stat(target).then(
      (found) => found.isDirectory(),
      () => false,
    );
    if (isFolder) throw new UserError('file-not-regular', `${path} is no regular file.`);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, bytes);
  }

  private spawn(argv: readonly string[], options: ExecOptions): Promise<ExecResult> {
    const [program = '', ...args] = argv;
    return new Promise((resolvePromise, reject) => {
      const child = spawn(program, args, { cwd: this.folder, stdio: ['ignore', 'pipe', 'pipe'] });
      const kept = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
      let kind: ExecResult['kind'] = 'exited';
      const end = (why: ExecResult['kind']) => (): void => {
        kind = why;
        child.kill('SIGKILL');
      };
      const timer = setTimeout(end('timedOut'), options.timeoutMs);
      options.signal?.addEventListener('abort', end('cancelled'), { once: true });
      child.stdout.on('data', (bytes: Buffer) => kept.stdout.push(bytes));
      child.stderr.on('data', (bytes: Buffer) => kept.stderr.push(bytes));
      child.on('error', reject);
      child.on('close', (exitCode) => {
        clearTimeout(timer);
        const stdout = Buffer.concat(kept.stdout);
        const stderr = Buffer.concat(kept.stderr);
        const cut = cutMiddle(stdout, options.maxOutputBytes);
        const droppedBytes = stdout.length - cut.length;
        resolvePromise({ kind, exitCode, stdout: cut, stderr, droppedBytes, durationMs: 1 });
      });
    });
  }
}

function cutMiddle(bytes: Buffer, maxBytes: number): Buffer {
  if (bytes.length <= maxBytes) return bytes;
  const half = Math.floor(maxBytes / 2);
  return Buffer.concat([bytes.subarray(0, half), bytes.subarray(bytes.length - half)]);
}
