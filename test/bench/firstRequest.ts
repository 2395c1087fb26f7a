import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { openExecutor } from '../../src/assemble';
import { silentLogger } from '../../src/base/logger';
import { startFakeMessagesApi } from '../fakes/messagesApi';
import { says } from '../fakes/messagesApiTurns';
import type { Figure } from './figure';

const run = promisify(execFile);
const rounds = 7;
const fileCount = 1000;

/** From "the task is ours" to the first request at the model: checkout, git directories, jail, proof, engine. */
export async function bench(): Promise<Figure[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'airlock-bench-'));
  const repo = path.join(folder, 'repo');
  let requestedAtMs = 0;
  const model = await startFakeMessagesApi(() => {
    requestedAtMs = performance.now();
    return says('done');
  });
  try {
    await makeRepository(repo);
    const executor = await openExecutor(
      {
        storage: path.join(folder, 'storage'),
        settings: { concurrency: 1 },
        repositories: () => [repo],
        engine: {
          kind: 'anthropic',
          credential: { kind: 'authToken', read: () => Promise.resolve('bench') },
          baseUrl: model.baseUrl,
          model: 'bench',
        },
        sources: [],
        logger: silentLogger,
      },
      'work',
    );
    let acceptedAtMs = 0;
    const ended = new Map<string, () => void>();
    executor.onDidAppend((events) => {
      for (const event of events) {
        if (event.kind === 'task.accepted') acceptedAtMs = performance.now();
        if (event.kind === 'task.ended') ended.get(event.taskId)?.();
      }
    });
    await executor.startQueue();
    const took: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const taskId = await executor.add({ title: `round ${round}`, prompt: 'nothing', checks: [] });
      await new Promise<void>((resolve) => ended.set(taskId, resolve));
      took.push(requestedAtMs - acceptedAtMs);
    }
    await executor.shutdown();
    const cold = took.shift() ?? NaN;
    const worktree = await median(rounds, () => timeWorktree(repo, folder));
    const warm = took.sort((a, b) => a - b)[Math.floor(took.length / 2)] ?? NaN;
    return [
      { name: `task accepted → first model request, ${fileCount} files, median`, value: warm, unit: 'ms' },
      { name: 'the same, the first of a process (SDK and node-pty are loaded)', value: cold, unit: 'ms' },
      {
        name: 'the same, beside `git worktree add` of that repository',
        value: warm / worktree,
        unit: '×',
        note: `${worktree.toFixed(0)} ms`,
      },
    ];
  } finally {
    await model.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function makeRepository(repo: string): Promise<void> {
  for (let index = 0; index < fileCount; index += 1) {
    const file = path.join(repo, `src/part${index % 40}/file${index}.js`);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, `export const value${index} = ${index};\n`.repeat(30));
  }
  const git = (...args: string[]): Promise<unknown> =>
    run('git', ['-c', 'user.name=bench', '-c', 'user.email=bench@localhost', ...args], { cwd: repo });
  await git('init', '--quiet');
  await git('add', '--all');
  await git('commit', '--quiet', '--message=files');
}

async function timeWorktree(repo: string, folder: string): Promise<number> {
  const target = path.join(folder, 'worktree');
  const startedMs = performance.now();
  await run('git', ['worktree', 'add', '--quiet', '--detach', target], { cwd: repo });
  const tookMs = performance.now() - startedMs;
  await run('git', ['worktree', 'remove', '--force', target], { cwd: repo });
  return tookMs;
}

async function median(count: number, measure: () => Promise<number>): Promise<number> {
  const values: number[] = [];
  for (let round = 0; round < count; round += 1) values.push(await measure());
  return values.sort((a, b) => a - b)[Math.floor(count / 2)] ?? NaN;
}
