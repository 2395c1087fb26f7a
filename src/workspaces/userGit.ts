import { spawn } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { simpleGit, type SimpleGit } from 'simple-git';
import { CancelledError, UserError, messageOf } from '../base/errors';
import { GitFailure, wordsOf } from './gitFailure';

/**
 * Configuration that no repository may set against us: nothing of its own is executed, and nothing is started behind our
 * back. What is read with it is plumbing that runs no filter, no pager and no editor.
 */
const overrides = [
  'core.fsmonitor=false',
  'core.hooksPath=/dev/null',
  'core.attributesFile=/dev/null',
  'gc.auto=0',
  'maintenance.auto=false',
];

/** The whole environment of git: nothing of ours is inherited but `PATH`. */
const environment = {
  PATH: process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin',
  LC_ALL: 'C',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_ATTR_NOSYSTEM: '1',
  GIT_TERMINAL_PROMPT: '0',
  GIT_OPTIONAL_LOCKS: '0',
  GIT_LITERAL_PATHSPECS: '1',
  GIT_NO_REPLACE_OBJECTS: '1',
  GIT_NO_LAZY_FETCH: '1',
  // Older gits do not know GIT_NO_LAZY_FETCH. No transport is allowed, so what is missing stays missing.
  GIT_ALLOW_PROTOCOL: 'none',
  // Two independent names for the same person: a new branch's reflog says who made it.
  GIT_AUTHOR_NAME: 'Airlock',
  GIT_AUTHOR_EMAIL: 'airlock@localhost',
  GIT_COMMITTER_NAME: 'Airlock',
  GIT_COMMITTER_EMAIL: 'airlock@localhost',
};

interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** What goes in and out of one git command, beside its arguments. */
export interface GitStreams {
  readonly stdin?: Readable | Uint8Array;
  /** Where stdout goes; absent: it is kept, up to `maxBytes`. */
  readonly stdout?: Writable;
  readonly maxBytes?: number;
  /** Configuration for this command alone, whatever its names are made of. */
  readonly configuration?: ReadonlyMap<string, string>;
  readonly signal?: AbortSignal;
}

const defaultMaxBytes = 256 * 1024 ** 2;

/**
 * Git in the user's repository, with everything switched off that the repository's configuration could have executed. When
 * the host is root and the folder is somebody else's, git runs as its owner: git would refuse it otherwise, and what it
 * writes must stay theirs.
 */
export class UserGit {
  private readonly git: SimpleGit;

  private constructor(
    readonly folder: string,
    private readonly account: Account | undefined,
    private readonly settings: readonly string[],
  ) {
    this.git = simpleGit({
      baseDir: folder,
      config: [...settings],
      maxConcurrentProcesses: 4,
      trimmed: false,
      completion: { onClose: true, onExit: false },
      ...(account ? { spawnOptions: account } : {}),
      allowEnvironment: Object.keys(environment),
      unsafe: { allowUnsafeFsMonitor: true, allowUnsafeHooksPath: true, allowUnsafeConfigPaths: true },
      errors: (error, { exitCode, stdErr }) => {
        if (error) return error;
        return exitCode === 0 ? undefined : new GitFailure('git', exitCode, wordsOf(Buffer.concat(stdErr)));
      },
    }).env(environment);
  }

  /** @throws {UserError} `not-a-repository` when there is no such folder. */
  static async in(folder: string): Promise<UserGit> {
    const found = await stat(folder).catch((error: unknown) => {
      throw new UserError('not-a-repository', `The folder ${folder} cannot be opened: ${messageOf(error)}`, { folder });
    });
    if (!found.isDirectory()) throw new UserError('not-a-repository', `${folder} is not a folder.`, { folder });
    const isOthers = process.getuid?.() === 0 && found.uid !== 0;
    return new UserGit(folder, isOthers ? { uid: found.uid, gid: found.gid } : undefined, overrides);
  }

  /** The same in another folder of the same repository. */
  at(folder: string): UserGit {
    return new UserGit(folder, this.account, this.settings);
  }

  /** The same for a repository of another account that the user has declared safe. */
  trusting(folder: string): UserGit {
    return new UserGit(this.folder, this.account, [...this.settings, `safe.directory=${folder}`]);
  }

  /**
   * What git answers, without the newline at its end.
   * @throws {GitFailure} when git fails.
   */
  async text(...commandAndArguments: string[]): Promise<string> {
    try {
      return (await this.git.raw(commandAndArguments)).replace(/\n$/, '');
    } catch (error) {
      if (error instanceof GitFailure) throw error;
      throw new GitFailure(`git ${commandAndArguments[0]}`, null, messageOf(error));
    }
  }

  /** What git answers; `undefined` when it fails. */
  async textIfAny(...commandAndArguments: string[]): Promise<string | undefined> {
    return this.text(...commandAndArguments).catch(() => undefined);
  }

  /**
   * Bytes in and out, for what is large or no text.
   * @throws {GitFailure} when git fails. @throws {UserError} `git-output-too-large`. @throws {CancelledError}
   */
  async run(commandAndArguments: readonly string[], streams: GitStreams = {}): Promise<Buffer> {
    const child = spawn('git', [...this.settings.flatMap((setting) => ['-c', setting]), ...commandAndArguments], {
      cwd: this.folder,
      env: { ...environment, ...asEnvironment(streams.configuration) },
      stdio: ['pipe', 'pipe', 'pipe'],
      ...this.account,
      ...(streams.signal ? { signal: streams.signal } : {}),
    });
    const name = `git ${commandAndArguments.find((argument) => !argument.startsWith('-'))}`;
    const ended = new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    const errors = collect(child.stderr, 64 * 1024, () => {});
    const maxBytes = streams.maxBytes ?? defaultMaxBytes;
    let isTooLarge = false;
    const output = streams.stdout
      ? pipeline(child.stdout, streams.stdout).then(() => Buffer.alloc(0))
      : collect(child.stdout, maxBytes, () => {
          isTooLarge = true;
          child.kill('SIGKILL');
        });
    const fed = feed(child.stdin, streams.stdin);
    const [exitCode, stdout, stderr] = await Promise.all([ended, output, errors, fed]).catch((error: unknown) => {
      child.kill('SIGKILL');
      if (streams.signal?.aborted) throw new CancelledError(undefined, { cause: error });
      throw new GitFailure(name, null, messageOf(error));
    });
    if (isTooLarge) throw new UserError('git-output-too-large', `${name} answered more than ${maxBytes} bytes.`);
    if (exitCode !== 0) throw new GitFailure(name, exitCode, wordsOf(stderr));
    return stdout;
  }
}

/** `-c name=value` cannot say a name with a `=` in it; the environment can. */
function asEnvironment(configuration: ReadonlyMap<string, string> = new Map()): Record<string, string> {
  const variables: Record<string, string> = { GIT_CONFIG_COUNT: String(configuration.size) };
  [...configuration].forEach(([name, value], index) => {
    variables[`GIT_CONFIG_KEY_${index}`] = name;
    variables[`GIT_CONFIG_VALUE_${index}`] = value;
  });
  return variables;
}

/**
 * Gives a command its input. A command may end before it has read everything, and then the rest is let go by: what it says of
 * itself matters, not our broken pipe. Rejects when the source fails.
 */
async function feed(stdin: Writable, source: Readable | Uint8Array | undefined): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const stop = (): void => {
      if (source instanceof Readable) source.unpipe(stdin).resume();
      resolve();
    };
    stdin.once('error', stop).once('close', stop);
    if (source instanceof Readable) source.once('error', reject).pipe(stdin);
    else stdin.end(source ?? '');
  });
}

async function collect(stream: Readable, maxBytes: number, onTooLarge: () => void): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= maxBytes) chunks.push(chunk);
    else onTooLarge();
  }
  return Buffer.concat(chunks);
}
