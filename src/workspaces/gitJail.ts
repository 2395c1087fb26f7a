import { Writable, type Readable } from 'node:stream';
import { UserError } from '../base/errors';
import type { RunId } from '../core/ids';
import type { Jails } from '../core/jail';
import { jailPolicySchema, workspaceInJail, type Mount } from '../core/jailPolicy';
import { GitFailure, wordsOf } from './gitFailure';
import type { RunFolders } from './runFolders';

/** Where the run's git directories are seen inside a git jail. */
export const hostGitInJail = '/airlock/host.git';
export const agentGitInJail = '/airlock/agent.git';

/** What a git jail may use up. */
const limits = {
  processes: 64,
  memoryBytes: 2 * 1024 ** 3,
  fileBytes: 4 * 1024 ** 3,
  /** A checkout of a large repository fits; what a snapshot may add has a limit of its own. */
  diskBytes: 32 * 1024 ** 3,
  wallMs: 120_000,
  /** Of stderr; stdout is streamed. */
  outputBytes: 256 * 1024,
};

const defaultMaxBytes = 512 * 1024 ** 2;

const environment = {
  GIT_DIR: hostGitInJail,
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_ATTR_NOSYSTEM: '1',
  GIT_TERMINAL_PROMPT: '0',
  GIT_OPTIONAL_LOCKS: '0',
  GIT_NO_REPLACE_OBJECTS: '1',
  GIT_NO_LAZY_FETCH: '1',
  GIT_ALLOW_PROTOCOL: 'none',
  LC_ALL: 'C',
};

/** One command in a git jail. What is not asked for is not there. */
export interface GitJailCommand {
  readonly argv: readonly string[];
  /** The run's own git directory. Default: `read`. */
  readonly hostGit?: 'read' | 'write';
  /** A folder that is seen as the workspace. Absent: there is none. */
  readonly workspace?: { readonly folder: string; readonly access: 'read' | 'write' };
  /** The agent's git directory is there too; writable when its index is made, and then alone. */
  readonly agentGit?: 'read' | 'write';
  /** The git directory of another run. */
  readonly alsoRead?: Mount;
  readonly environment?: Readonly<Record<string, string>>;
  readonly stdin?: Readable | Uint8Array;
  /** Where stdout goes; absent: it is kept. */
  readonly stdout?: Writable;
  readonly signal?: AbortSignal;
  /** Exit codes that are an answer and no failure. Default: 0 alone. */
  readonly answers?: readonly number[];
}

/**
 * Runs git, and the few tools that go with it, where what a run wrote is looked at: in a jail with no network, in which the
 * workspace is read-only except for a checkout, with limits on time and size.
 */
export class GitJail {
  constructor(
    private readonly jails: Jails,
    private readonly runId: RunId,
    private readonly folders: RunFolders,
  ) {}

  /**
   * @returns stdout.
   * @throws {GitFailure} when the command fails. @throws {UserError} `workspace-limit` when it took too long or too much.
   * @throws {CancelledError}
   */
  async run(command: GitJailCommand): Promise<Buffer> {
    const kept = new Collector(defaultMaxBytes);
    const result = await this.jails.run({
      policy: jailPolicySchema.parse({
        account: this.runId,
        // Not the workspace: who wrote it may have closed it to everybody.
        workingDirectory: '/',
        mounts: this.mountsFor(command),
        environment: { ...environment, ...command.environment },
        limits,
      }),
      argv: command.argv,
      stdoutTo: command.stdout ?? kept,
      ...(command.stdin ? { stdin: command.stdin } : {}),
      ...(command.signal ? { signal: command.signal } : {}),
    });
    const name = command.argv.slice(0, 2).join(' ');
    if (result.breach) {
      throw new UserError(
        'workspace-limit',
        `Reading the workspace went over a limit (${result.breach.limit}: ${result.breach.detail}). Delete what the run has no need of and try again.`,
        { limit: result.breach.limit, command: name },
      );
    }
    const { answers = [0] } = command;
    if (result.exitCode === null || !answers.includes(result.exitCode)) {
      throw new GitFailure(name, result.exitCode, wordsOf(result.stderr));
    }
    if (kept.isOver) {
      throw new UserError(
        'workspace-limit',
        `The workspace has too many files: listing them takes more than ${defaultMaxBytes} bytes. Delete what the run has no need of.`,
        { limit: 'outputBytes', command: name },
      );
    }
    return kept.bytes();
  }

  private mountsFor(command: GitJailCommand): Mount[] {
    const { workspace } = command;
    return [
      { from: this.folders.hostGit, at: hostGitInJail, access: command.hostGit ?? 'read' },
      ...(command.agentGit ? [{ from: this.folders.agentGit, at: agentGitInJail, access: command.agentGit }] : []),
      ...(command.alsoRead ? [command.alsoRead] : []),
      ...(workspace ? [{ from: workspace.folder, at: workspaceInJail, access: workspace.access }] : []),
    ];
  }
}

/** Keeps what is written to it, up to a size; what comes after is dropped. */
class Collector extends Writable {
  private readonly chunks: Buffer[] = [];
  private size = 0;

  constructor(private readonly maxBytes: number) {
    super();
  }

  get isOver(): boolean {
    return this.size > this.maxBytes;
  }

  bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.size += chunk.length;
    if (!this.isOver) this.chunks.push(chunk);
    done();
  }
}
