import { execFile } from 'node:child_process';
import { chmod, mkdir, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { PreparationOptions, SetupConfig, SetupEnd } from '../core/dependencies';
import type { ObjectId, RunId } from '../core/ids';
import type { Jails } from '../core/jail';
import { copyTree } from './copyTree';
import type { DependencyRecord } from './dependencyShelf';
import { checkoutCommand } from './folderScan';
import type { GitJail } from './gitJail';
import { runSetup } from './setupJail';
import { isReachedByFolders } from './shares';

/** A larger cache is not kept: copying it for every session would take longer than it saves. */
const maxCacheBytes = 2 * 1024 ** 3;

/** What a setup is taken to make when the configuration does not say, where it made it. */
const usualOutputs = ['node_modules', '.venv', 'venv', 'vendor'];

export interface SetupWorkOptions {
  /** Whose the run's git directory is. */
  readonly runId: RunId;
  readonly jail: GitJail;
  readonly setup: SetupConfig;
  readonly tree: ObjectId;
  /** Whose the setup's jail is. */
  readonly account: string;
}

export interface SetupOutcome {
  readonly end: SetupEnd;
  /** What is to be kept; `undefined` when the setup was not good. */
  readonly made: Omit<DependencyRecord, 'isTrusted'> | undefined;
}

/** One setup in a folder of its own: a fresh checkout, the commands in a jail, and what is kept of it. */
export class SetupWork {
  private readonly checkout: string;
  private readonly cache: string;
  private readonly outputs: string;

  constructor(
    part: string,
    private readonly options: SetupWorkOptions,
    private readonly jails: Jails,
  ) {
    this.checkout = join(part, 'checkout');
    this.cache = join(part, 'cache');
    this.outputs = join(part, 'outputs');
  }

  /** @param seed a cache to begin with. @throws {CancelledError} */
  async run(seed: string | null, watch: PreparationOptions): Promise<SetupOutcome> {
    const { setup, account } = this.options;
    const before = await this.prepare(seed, watch.signal);
    const end = await runSetup(this.jails, setup, {
      account,
      checkout: this.checkout,
      cache: this.cache,
      watch,
    });
    if (end.problem !== null) return { end, made: undefined };
    const outputs = await this.takeOutputs(before);
    const hasCache = await this.takeCache();
    const problem = problemOf(setup, outputs, hasCache);
    if (problem !== null) return { end: { ...end, problem }, made: undefined };
    await this.jails.remove(this.checkout);
    return { end, made: { outputs, hasCache, bytes: (await bytesOf(this.outputs)) + (await bytesOf(this.cache)) } };
  }

  /** @returns the usual outputs that are committed. */
  private async prepare(seed: string | null, signal: AbortSignal | undefined): Promise<ReadonlySet<string>> {
    const { runId, jail, tree, account } = this.options;
    await Promise.all([this.checkout, this.outputs].map((path) => mkdir(path)));
    if (seed === null) await mkdir(this.cache);
    else await copyTree(seed, this.cache);
    // The umask may have closed them to the accounts that enter them.
    await Promise.all([this.checkout, this.outputs, this.cache].map((path) => chmod(path, 0o755)));
    await this.jails.handOver(this.checkout, runId);
    await jail.run({
      argv: checkoutCommand(tree, []),
      workspace: { folder: this.checkout, access: 'write' },
      environment: { GIT_INDEX_FILE: '/tmp/index' },
      ...(signal ? { signal } : {}),
    });
    const committed = new Set((await readdir(this.checkout)).filter((name) => usualOutputs.includes(name)));
    await Promise.all([this.checkout, this.cache].map((path) => this.jails.handOver(path, account)));
    return committed;
  }

  /** Moves what the setup made to where it is kept. @returns its paths; its places are the names of the folders. */
  private async takeOutputs(committed: ReadonlySet<string>): Promise<string[]> {
    const wanted = this.options.setup.outputs ?? usualOutputs.filter((path) => !committed.has(path));
    const outputs: string[] = [];
    for (const path of wanted) {
      // Everything of the jail is dead: what is a folder stays one.
      if (!(await isReachedByFolders(this.checkout, path))) continue;
      await rename(join(this.checkout, path), join(this.outputs, String(outputs.length)));
      outputs.push(path);
    }
    await this.jails.takeBack(this.outputs);
    return outputs;
  }

  private async takeCache(): Promise<boolean> {
    await this.jails.takeBack(this.cache);
    const isUseful = (await holdsFiles(this.cache)) && (await bytesOf(this.cache)) <= maxCacheBytes;
    if (!isUseful) await this.jails.remove(this.cache);
    return isUseful;
  }
}

function problemOf({ outputs: wanted }: SetupConfig, made: readonly string[], hasCache: boolean): string | null {
  const missing = wanted?.filter((path) => !made.includes(path)) ?? [];
  if (missing.length > 0) return `it did not make ${missing.join(', ')}`;
  if (made.length > 0 || hasCache) return null;
  return `it made none of ${usualOutputs.join(', ')}; name the folders that it makes under "outputs"`;
}

/** Allocated bytes of a tree; 0 when there is none. */
async function bytesOf(folder: string): Promise<number> {
  return Number.parseInt(await output('du', '--summarize', '--block-size=1', '--', folder), 10) || 0;
}

async function holdsFiles(folder: string): Promise<boolean> {
  return (await output('find', folder, '-type', 'f', '-print', '-quit')) !== '';
}

async function output(program: string, ...argv: string[]): Promise<string> {
  const run = promisify(execFile)(program, argv, { env: { LC_ALL: 'C', PATH: '/usr/bin:/bin' } });
  return run.then(
    ({ stdout }) => stdout,
    () => '',
  );
}
