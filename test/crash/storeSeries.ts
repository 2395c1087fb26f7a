import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { build, type Plugin } from 'esbuild';
import { systemClock } from '../../src/base/clock';
import { silentLogger } from '../../src/base/logger';
import { fileSlot } from '../../src/cli/anchorSlot';
import { openStore } from '../../src/store/store';
import { verifyJournal } from '../../src/store/verifyJournal';

const root = path.resolve(import.meta.dirname, '../..');
const tasksPerStart = 6;
/** Prime to any number of operations that a start is likely to have, so that every one of them gets its turn. */
const stride = 37;

/** What is left after a series of kills of a process that uses a store. */
export interface StoreReport {
  readonly kills: number;
  /** Tasks that were told as durable and are not in the state, or not in the history. */
  readonly lost: readonly string[];
  /** What a look at the storage after a kill said that it must not say, and starts that failed. */
  readonly wrong: readonly string[];
  /** Events that were dropped from the journal meanwhile: 0 would mean that the series has not seen what it is for. */
  readonly dropped: number;
  readonly anchored: number;
}

export interface StoreOptions {
  readonly kills: number;
  readonly say: (line: string) => void;
  /** With the writer of a hurried programmer. */
  readonly naive?: boolean;
}

/** Kills a process that uses a store before one file operation after the other, and looks at what is left each time. */
export async function killStore({ kills, say, naive = false }: StoreOptions): Promise<StoreReport> {
  const top = mkdtempSync(path.join(tmpdir(), 'airlock-store-kills-'));
  try {
    await buildWorker(top, naive);
    const storage = path.join(top, 'storage');
    const slot = path.join(top, 'slot.json');
    const told: string[] = [];
    const wrong: string[] = [];
    let starts = 0;
    const start = async (killBefore: number): Promise<{ killed: boolean; operations: number }> => {
      const from = String(starts * tasksPerStart);
      starts += 1;
      const { said, signal } = await runWorker(top, [storage, slot, from, String(tasksPerStart)], killBefore);
      for (const message of said) {
        if (message.task !== undefined) told.push(message.task);
        if (message.failed !== undefined || message.broken !== undefined) wrong.push(JSON.stringify(message));
      }
      return { killed: signal === 'SIGKILL', operations: said.at(-1)?.operations ?? 0 };
    };
    let { operations } = await start(0);
    say(`a start of the store has ${operations} file operations`);
    let done = 0;
    for (let at = 0; done < kills && at < kills * 2; at += 1) {
      const killBefore = 1 + ((at * stride) % Math.max(operations, 1));
      const result = await start(killBefore);
      if (result.killed) done += 1;
      else operations = Math.max(1, Math.min(operations, result.operations));
      say(`store ${result.killed ? 'killed' : 'ended'} before file operation ${killBefore}`);
      wrong.push(...(await whatIsWrong(storage, slot)));
    }
    await start(0);
    return { kills: done, lost: await lostOf(top, told), wrong, ...(await tidiedUp(storage, slot)) };
  } finally {
    rmSync(top, { recursive: true, force: true });
  }
}

interface Said {
  readonly task?: string;
  readonly failed?: string;
  readonly broken?: string;
  readonly operations?: number;
}

async function runWorker(
  top: string,
  args: readonly string[],
  killBefore: number,
): Promise<{ said: Said[]; signal: string | null }> {
  const env = { PATH: process.env['PATH'] ?? '', AIRLOCK_KILL_BEFORE: String(killBefore) };
  const program = path.join(top, 'storeWorker.js');
  const child = spawn(process.execPath, [program, ...args], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const said: Said[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => said.push(JSON.parse(line) as Said));
  const [, signal] = (await once(child, 'close')) as [number | null, string | null];
  return { said, signal };
}

/** What may never be, however a process ended. */
async function whatIsWrong(storage: string, slot: string): Promise<string[]> {
  try {
    const { problem, snapshots, anchors } = await verifyJournal(storage, fileSlot(slot));
    const bad = snapshots.filter(({ state }) => state !== 'fits').map(({ file, state }) => `${file} ${state}`);
    return [problem, anchors.problem, ...bad].filter((each) => each !== null);
  } catch (error) {
    return [String(error)];
  }
}

async function tidiedUp(storage: string, slot: string): Promise<Pick<StoreReport, 'dropped' | 'anchored'>> {
  const { dropped, anchors } = await verifyJournal(storage, fileSlot(slot));
  return { dropped: dropped?.throughSeq ?? 0, anchored: anchors.through?.seq ?? 0 };
}

async function lostOf(top: string, told: readonly string[]): Promise<string[]> {
  const databaseWorker = { entry: path.join(top, 'databaseWorker.js') };
  const options = { storage: path.join(top, 'storage'), clock: systemClock, logger: silentLogger, databaseWorker };
  const store = await openStore({ ...options, keep: { segments: { keepMs: null, maxBytes: null } } });
  try {
    const { rows } = await store.history.query({ kind: 'tasks', limit: 1000 });
    const known = new Set(rows.map((row) => ('title' in row ? row.taskId : '')));
    const looked = told.slice(-900);
    return told.filter((name) => !store.state.tasks.has(name) || (looked.includes(name) && !known.has(name)));
  } finally {
    await store.close();
  }
}

async function buildWorker(top: string, naive: boolean): Promise<void> {
  const common = { bundle: true, platform: 'node', target: 'node20', format: 'cjs', logLevel: 'error' } as const;
  const entry = path.join(root, 'src/store/databaseWorker.ts');
  await build({ ...common, entryPoints: [entry], outfile: path.join(top, 'databaseWorker.js') });
  cpSync(path.join(root, 'node_modules/sql.js/dist/sql-wasm.wasm'), path.join(top, 'sql-wasm.wasm'));
  await build({
    ...common,
    entryPoints: [path.join(import.meta.dirname, 'storeWorker.ts')],
    outfile: path.join(top, 'storeWorker.js'),
    plugins: [killing, ...(naive ? [naiveWriter] : [])],
  });
}

const killing: Plugin = {
  name: 'killing-files',
  setup({ onResolve }) {
    const stand = path.join(import.meta.dirname, 'killingFiles.ts');
    onResolve({ filter: /^node:fs\/promises$/ }, ({ path: name, importer }) =>
      importer === stand ? { path: name, external: true } : { path: stand },
    );
  },
};

export const naiveWriter: Plugin = {
  name: 'naive-writer',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/journalWriter$/ }, () => ({ path: path.join(import.meta.dirname, 'naiveWriter.ts') }));
  },
};
