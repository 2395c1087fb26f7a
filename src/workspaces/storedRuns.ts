import { execFile } from 'node:child_process';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCodeOf } from '../base/errors';
import { runIdSchema, type RunId } from '../core/ids';
import type { StoredRun } from '../core/workspace';
import { runFoldersOf } from './runFolders';
import { readRunState } from './runState';

/** Counting one workspace takes no longer. */
const countingMs = 5_000;

/** What of workspaces lies in a storage folder. Runs of which only a recording is left are not among them. */
export async function storedRuns(storage: string): Promise<StoredRun[]> {
  const runs: StoredRun[] = [];
  for (const name of await namesIn(join(storage, 'runs'))) {
    const runId = runIdSchema.safeParse(name);
    const run = runId.success ? await storedRun(storage, runId.data) : undefined;
    if (run) runs.push(run);
  }
  return runs;
}

async function storedRun(storage: string, runId: RunId): Promise<StoredRun | undefined> {
  const folders = runFoldersOf(storage, runId);
  const state = await readRunState(folders.state);
  if (state) {
    const madeAtMs = (await lstat(folders.state)).mtimeMs;
    const { repo, filesRemovedAtMs } = state;
    if (filesRemovedAtMs === null) return { runId, repo, left: 'files', sinceMs: madeAtMs };
    return { runId, repo, left: 'snapshots', sinceMs: filesRemovedAtMs };
  }
  for (const path of [folders.workspace, folders.hostGit, folders.agentGit]) {
    const stats = await lstat(path).catch(() => undefined);
    // A state that is there and cannot be read is damaged: what lies beside it is somebody's work.
    const isDamaged = (await lstat(folders.state).catch(() => undefined)) !== undefined;
    if (stats) return { runId, repo: null, left: isDamaged ? 'files' : 'remains', sinceMs: stats.mtimeMs };
  }
  return undefined;
}

/** What a folder takes on the disk, no link followed; `undefined` when it cannot be counted in time. */
export function diskBytesOf(folder: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    execFile(
      'du',
      ['--summarize', '--block-size=1', '--one-file-system', '--', folder],
      { env: { LC_ALL: 'C', PATH: '/usr/bin:/bin' }, timeout: countingMs, killSignal: 'SIGKILL' },
      (error, stdout) => {
        // It fails when a folder was closed to it, and tells of the rest all the same.
        const match = error?.killed ? null : /^(\d+)\t/.exec(stdout);
        resolve(match ? Number(match[1]) : undefined);
      },
    );
  });
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return [];
    throw error;
  }
}
