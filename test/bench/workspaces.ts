import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { newId } from '../../src/base/ids';
import { WorkspacesFixture } from '../jail/workspacesFixture';
import { git, makeRepository } from '../unit/workspaces/sampleRepository';

const rounds = 9;

/** A workspace of 1,000 files against what git itself takes for a worktree of the same commit, turn about in one run. */
export async function bench(): Promise<{ name: string; value: number; unit: string; note?: string }[]> {
  const fixture = new WorkspacesFixture();
  try {
    const repo = makeRepository(
      fixture.folder('repo'),
      Object.fromEntries(
        Array.from({ length: 1000 }, (_, n) => [`d${n % 40}/f${n}.txt`, `line of file ${n}\n`.repeat(40)]),
      ),
    );
    git(repo, 'gc', '-q');
    const times = await measure(fixture, repo);
    const worktree = median(times.worktree);
    const row = (name: string, values: readonly number[]) => {
      const value = median(values);
      return {
        name,
        value,
        unit: 'ms',
        note: `${(value / worktree).toFixed(2)} × git worktree add (${worktree.toFixed(0)} ms)`,
      };
    };
    return [
      row('workspace ready, 1,000 files', times.ready),
      row('first snapshot, 3 files changed of 1,000', times.snapshot),
      row('tree for a check ready, 1,000 files', times.check),
    ];
  } finally {
    await fixture.dispose();
  }
}

interface Times {
  readonly worktree: number[];
  readonly ready: number[];
  readonly snapshot: number[];
  readonly check: number[];
}

async function measure(fixture: WorkspacesFixture, repo: string): Promise<Times> {
  const times: Times = { worktree: [], ready: [], snapshot: [], check: [] };
  mkdirSync(fixture.folder('worktrees'));
  await fixture.jails.readiness();
  for (let round = 0; round < rounds; round += 1) {
    const linked = join(fixture.folder('worktrees'), String(round));
    await timed(times.worktree, async () => git(repo, 'worktree', 'add', '-q', '--detach', linked));
    const workspace = await timed(times.ready, () => fixture.workspaces.create({ runId: newId('run'), repo }));
    await fixture.agent(workspace, 'echo x >> d1/f1.txt; rm d2/f2.txt; echo new > new.txt');
    const { tree } = await timed(times.snapshot, () => workspace.snapshot('bench'));
    const check = await timed(times.check, () => workspace.checkTree(tree));
    await check.remove();
    await workspace.remove();
    rmSync(linked, { recursive: true });
  }
  return times;
}

async function timed<T>(times: number[], action: () => Promise<T>): Promise<T> {
  const startedMs = performance.now();
  const result = await action();
  times.push(performance.now() - startedMs);
  return result;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}
