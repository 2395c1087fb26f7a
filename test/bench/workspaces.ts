import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { newId } from '../../src/base/ids';
import { WorkspacesFixture } from '../jail/workspacesFixture';
import { git, makeRepository } from '../unit/workspaces/sampleRepository';
import { median } from './figure';

interface Row {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly note?: string;
}

/** How many files, and how often each is measured. */
const repositories = [
  { files: 1_000, rounds: 9 },
  { files: 20_000, rounds: 3 },
];

/**
 * A workspace, and what a run does with it, against what git itself takes for a worktree of the same commit, turn about in one
 * run. A snapshot of a turn is taken while the model is asked: it is no part of the time of the turn.
 */
export async function bench(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const { files, rounds } of repositories) rows.push(...(await benchWith(files, rounds)));
  return rows;
}

async function benchWith(files: number, rounds: number): Promise<Row[]> {
  const fixture = new WorkspacesFixture();
  try {
    const repo = makeRepository(
      fixture.folder('repo'),
      Object.fromEntries(
        Array.from({ length: files }, (_, n) => [`d${n % 40}/e${n % 13}/f${n}.txt`, `line of file ${n}\n`.repeat(40)]),
      ),
    );
    git(repo, 'repack', '-adq');
    const times = await measure(fixture, repo, rounds);
    const worktree = median(times.worktree);
    const row = (name: string, values: readonly number[]): Row => {
      const value = median(values);
      const note = `${(value / worktree).toFixed(2)} × git worktree add (${worktree.toFixed(0)} ms)`;
      return { name: `${name}, ${files.toLocaleString('en')} files`, value, unit: 'ms', note };
    };
    return [
      row('workspace ready', times.ready),
      row('first snapshot, 3 files changed', times.first),
      row('snapshot of a turn, 1 file changed', times.turn),
      row('snapshot when nothing has changed', times.nothing),
      row('restored to the snapshot before', times.restored),
      row('tree for a check ready', times.check),
    ];
  } finally {
    await fixture.dispose();
  }
}

interface Times {
  readonly worktree: number[];
  readonly ready: number[];
  readonly first: number[];
  readonly turn: number[];
  readonly nothing: number[];
  readonly restored: number[];
  readonly check: number[];
}

async function measure(fixture: WorkspacesFixture, repo: string, rounds: number): Promise<Times> {
  const times: Times = { worktree: [], ready: [], first: [], turn: [], nothing: [], restored: [], check: [] };
  mkdirSync(fixture.folder('worktrees'));
  await fixture.jails.readiness();
  for (let round = 0; round < rounds; round += 1) {
    const linked = join(fixture.folder('worktrees'), String(round));
    await timed(times.worktree, async () => git(repo, 'worktree', 'add', '-q', '--detach', linked));
    const workspace = await timed(times.ready, () => fixture.workspaces.create({ runId: newId('run'), repo }));
    await fixture.agent(workspace, 'echo x >> d1/e1/f1.txt; rm d2/e2/f2.txt; echo new > new.txt; sleep 0.2');
    const keeping = (index: number) => ({ index, maxNewBytes: Number.MAX_SAFE_INTEGER });
    const first = await timed(times.first, () => workspace.snapshot('first', keeping(1)));
    await fixture.agent(workspace, 'echo y >> d3/e3/f3.txt');
    const turn = await timed(times.turn, () => workspace.snapshot('turn', keeping(2)));
    await timed(times.nothing, () => workspace.snapshot('nothing', keeping(3)));
    await timed(times.restored, () => workspace.restore(turn.tree, first.tree));
    const check = await timed(times.check, () => workspace.checkTree(turn.tree));
    await check.remove();
    await workspace.remove();
    await fixture.workspaces.clear(workspace.runId);
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
