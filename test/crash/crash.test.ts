import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { crashLine, killAll, whatIsWrong } from './allSeries';
import { CrashSeries } from './crashSeries';
import { killPoints, randomFrom } from './killPoints';
import { naiveCommand } from './naiveBuild';
import { killStore } from './storeSeries';

describe('a process that is killed at any point', () => {
  it('loses nothing, ends and reports each task once, pays for no kept turn and does no finished call again', async function () {
    this.timeout(480_000);
    const said: string[] = [];
    const report = await killAll({ kills: 60, seed: 1, say: (line) => said.push(line) });
    console.log(`      ${crashLine(report)}`);
    assert.deepEqual(whatIsWrong(report), [], said.join('\n'));
    const { workers, store } = report;
    assert.ok(workers.reduce((sum, { kills }) => sum + kills, store.kills) >= 60);
    // Otherwise it has not seen the steps that it is for.
    assert.ok(store.dropped > 0 && store.anchored > 0, JSON.stringify(store));
    // At most one answer dies with a slot's process.
    for (const { kills, answersLost } of workers) assert.ok(answersLost <= 2 * kills);
  });

  it('is seen through when its store promises at once and writes now and then', async function () {
    this.timeout(120_000);
    const program = await naiveCommand();
    try {
      const points = killPoints(randomFrom(1));
      const [worker, store] = await Promise.all([
        CrashSeries.run({ kills: 6, points, say: () => {}, program }),
        killStore({ kills: 4, say: () => {}, naive: true }),
      ]);
      console.log(`      ${crashLine({ workers: [worker], store })}`);
      assert.ok(worker.forgotten.length > 0 && store.lost.length > 0, crashLine({ workers: [worker], store }));
    } finally {
      rmSync(path.dirname(program), { recursive: true, force: true });
    }
  });
});
