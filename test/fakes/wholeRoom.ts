import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openExecutor, type AirlockOptions, type EngineChoice, type SourceChoice } from '../../src/assemble';
import { systemClock } from '../../src/base/clock';
import { type Logger, silentLogger } from '../../src/base/logger';
import type { Executor } from '../../src/core/executor';
import { unknownHost } from '../../src/core/hostLoad';
import type { LiveState, RunState, TaskState } from '../../src/core/liveState';
import { isEnded } from '../../src/core/task';
import { type EmbeddedServer, startEmbeddedServer } from '../../src/sources/zmemory/embeddedServer';
import type { NewTaskBody } from '../../src/sources/zmemory/wire';
import { git, makeRepository, type SampleFile } from '../unit/workspaces/sampleRepository';
import { WholeCommand } from './wholeCommand';
import { WholeModel } from './wholeModel';

type ClaudeCodeChoice = Extract<EngineChoice, { kind: 'claude-code' }>;

export const agentName = 'airlock-test';
export const modelName = 'claude-sonnet-5-5';

/** The check of the sample repository: it fails until `value.txt` says `right`. */
export const sampleCheck = 'sh test/value.test.sh';

export const sampleFiles: Readonly<Record<string, SampleFile>> = {
  'value.txt': 'wrong\n',
  'test/value.test.sh': 'grep -qx right value.txt || { echo "value.txt is not right"; exit 1; }\n',
};

/** Everything that a whole way needs, in a folder of its own: storage, repository, a real backend and a fake model. */
export class WholeRoom {
  readonly top: string;
  readonly storage: string;
  repo: string;
  readonly executors: Executor[] = [];
  readonly ends: (() => Promise<void>)[] = [];
  private readonly commands: WholeCommand[] = [];
  private agentKey: string | undefined = 'sk-test-key';
  private keyListener: (() => void) | undefined;

  private constructor(
    readonly backend: EmbeddedServer,
    readonly model: WholeModel,
    top: string,
  ) {
    this.top = top;
    this.storage = path.join(top, 'storage');
    this.repo = path.join(top, 'shop');
  }

  static async make(files: Readonly<Record<string, SampleFile>> = sampleFiles): Promise<WholeRoom> {
    const top = realpathSync(mkdtempSync(path.join(tmpdir(), 'airlock-whole-')));
    const backend = await startEmbeddedServer({
      storage: path.join(top, 'backend'),
      port: 0,
      clock: systemClock,
      logger: silentLogger,
    });
    const room = new WholeRoom(backend, await WholeModel.start(), top);
    makeRepository(room.repo, files);
    return room;
  }

  folder(name: string): string {
    const folder = path.join(this.top, name);
    mkdirSync(folder, { recursive: true });
    return folder;
  }

  /** Puts tasks into the backend. Their first line is their title, and what the model knows them by. */
  async queues(...tasks: NewTaskBody[]): Promise<void> {
    await this.backend.api.create(tasks);
  }

  source(overrides: Partial<Extract<SourceChoice, { kind: 'server' }>> = {}): SourceChoice {
    return {
      kind: 'server',
      name: 'test',
      url: this.backend.url,
      token: () => Promise.resolve(this.backend.token),
      agent: agentName,
      pollMs: 200,
      ...overrides,
    };
  }

  options({ settings, ...overrides }: Partial<AirlockOptions> = {}): AirlockOptions {
    return {
      storage: this.storage,
      // Nothing is made beside what a test looks at, unless it asks for that.
      settings: { warmSessions: 0, ...settings },
      repositories: () => [this.repo],
      engine: {
        kind: 'anthropic',
        credential: { kind: 'apiKey', read: () => Promise.resolve(this.agentKey) },
        baseUrl: this.model.api.baseUrl,
        model: modelName,
      },
      engineLimits: { firstDelayMs: 20, maxDelayMs: 100, firstByteMs: 5_000, idleMs: 300 },
      sources: [this.source()],
      // Tests keep the machine busy.
      host: unknownHost,
      logger: loudLogger,
      onDidChangeCredentials: (listener) => {
        this.keyListener = listener;
        return { dispose: () => (this.keyListener = undefined) };
      },
      ...overrides,
    };
  }

  /** Opens an executor that works; the queue runs. */
  async open(overrides: Partial<AirlockOptions> = {}): Promise<Executor> {
    const executor = await openExecutor(this.options(overrides), 'work');
    this.executors.push(executor);
    await executor.startQueue();
    return executor;
  }

  /** A Claude Code, the fake or a real one, against this room's model. */
  claudeCode(program: string | undefined, process: ClaudeCodeChoice['process'] = 'perRun'): ClaudeCodeChoice {
    return {
      kind: 'claude-code',
      credential: { kind: 'apiKey', read: () => Promise.resolve(this.agentKey) },
      baseUrl: this.model.api.baseUrl,
      model: modelName,
      path: program ?? null,
      process,
    };
  }

  /** `airlock` as a process of its own, in the repository, with this room's storage, key, model and backend. */
  command(args: readonly string[], input?: string): WholeCommand {
    const command = WholeCommand.start([...args, '--storage', this.storage], {
      ...(input === undefined ? {} : { input }),
      cwd: this.repo,
      environment: {
        ANTHROPIC_API_KEY: this.agentKey ?? '',
        ANTHROPIC_BASE_URL: this.model.api.baseUrl,
        ANTHROPIC_MODEL: modelName,
        ZMEMORY_TOKEN: this.backend.token,
      },
    });
    this.commands.push(command);
    return command;
  }

  /** `airlock work` on the tasks of the backend. */
  work(...args: string[]): WholeCommand {
    const places = ['--repo', this.repo, '--zmemory', this.backend.url, '--agent', agentName];
    return this.command(['work', ...places, ...args]);
  }

  async setKey(key: string | undefined): Promise<void> {
    this.agentKey = key;
    this.keyListener?.();
  }

  /** Ends everything, and sees that nothing outlives it. */
  async close(): Promise<void> {
    for (const command of this.commands.splice(0)) {
      command.kill('SIGKILL');
      await command.exited;
    }
    for (const executor of this.executors.splice(0)) await executor.shutdown();
    for (const end of this.ends.splice(0).reverse()) await end();
    await this.model.close();
    await this.backend.close();
    const left = await processesThatName(this.top);
    removeTop(this.top);
    assert.deepEqual(left, [], 'no process outlives its executor');
  }
}

export function removeTop(top: string): void {
  execFileSync('chmod', ['-R', 'u+rwX', '--', top]);
  rmSync(top, { recursive: true, force: true });
}

/** Command lines of living processes that have `text` in them. What just dies is given a moment. */
export async function processesThatName(text: string): Promise<string[]> {
  let found: string[] = [];
  for (let tries = 0; tries < 40; tries += 1) {
    found = commandLines().filter((line) => line.includes(text));
    if (found.length === 0) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return found;
}

/** Those of all living processes, each behind its number. */
export function commandLines(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      try {
        return `${pid}: ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')}`;
      } catch {
        return [];
      }
    });
}

/** Resolves as soon as the state fits, with what `read` made of it. */
export function stateFits<T>(executor: Executor, read: (state: LiveState) => T | undefined): Promise<T> {
  return new Promise((resolve) => {
    const look = (): void => {
      const value = read(executor.state);
      if (value === undefined) return;
      appended.dispose();
      reset.dispose();
      resolve(value);
    };
    const appended = executor.onDidAppend(look);
    const reset = executor.onDidReset(look);
    look();
  });
}

export function taskEnded(executor: Executor, taskId: string): Promise<TaskState> {
  return stateFits(executor, ({ tasks }) => {
    const task = tasks.get(taskId);
    return task && isEnded(task.status) ? task : undefined;
  });
}

/** Ended, and its source knows. */
export async function taskReported(executor: Executor, taskId: string): Promise<TaskState> {
  const task = await taskEnded(executor, taskId);
  await stateFits(executor, ({ reports }) =>
    [...reports.values()].some(({ report }) => report.taskId === taskId) ? undefined : true,
  );
  return task;
}

export function runOf(executor: Executor, taskId: string): RunState {
  const runId = executor.state.tasks.get(taskId)?.runId ?? '';
  const run = executor.state.runs.get(runId);
  assert.ok(run, `the task ${taskId} has a run`);
  return run;
}

/** A file as a result has it. */
export function resultFile(room: WholeRoom, branch: string, file: string): string {
  return git(room.repo, 'show', `${branch}:${file}`);
}

/** All of a repository that a run may not change. */
export function repositoryFingerprint(repo: string): Record<string, string> {
  const refs = git(repo, 'for-each-ref', '--format=%(refname) %(objectname)')
    .split('\n')
    .filter((line) => !line.startsWith('refs/heads/airlock/'));
  return {
    head: readFileSync(path.join(repo, '.git', 'HEAD'), 'utf8'),
    index: readFileSync(path.join(repo, '.git', 'index'), 'latin1'),
    config: readFileSync(path.join(repo, '.git', 'config'), 'utf8'),
    refs: refs.join('\n'),
    status: git(repo, '--no-optional-locks', 'status', '--porcelain', '--ignored'),
    files: git(repo, 'ls-files', '-s'),
    stash: git(repo, 'stash', 'list'),
  };
}

/** Tells what the product tells, when `AIRLOCK_TEST_LOG` is set. */
const loudLogger: Logger =
  process.env['AIRLOCK_TEST_LOG'] === undefined
    ? silentLogger
    : {
        debug: (...words) => console.log('debug', ...words),
        info: (...words) => console.log('info', ...words),
        warn: (...words) => console.log('warn', ...words),
        error: (...words) => console.log('error', ...words),
      };
