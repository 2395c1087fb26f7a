import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { crashLine, CrashSeries } from './crashSeries';
import { naiveCommand } from './naiveBuild';

describe('a process that is killed at any point', () => {
  it('loses nothing, ends and reports each task once, pays for no kept turn and does no finished call again', async function () {
    this.timeout(300_000);
    const said: string[] = [];
    const report = await CrashSeries.run({ kills: 60, seed: 1, say: (line) => said.push(line) });
    console.log(`      ${crashLine(report)}`);
    const { kills, answersLost, ...rest } = report;
    const nothing = {
      lost: [],
      forgotten: [],
      endedTwice: [],
      reportedTwice: [],
      paidTwice: [],
      doneTwice: [],
      processesLeft: [],
      workspacesLeft: [],
      attemptsLost: [],
    };
    assert.deepEqual(rest, nothing, said.join('\n'));
    assert.ok(kills >= 60);
    // At most one answer dies with a slot's process.
    assert.ok(answersLost <= 2 * kills);
  });

  it('is seen through when its store promises at once and writes now and then', async function () {
    this.timeout(120_000);
    const program = await naiveCommand();
    try {
      const report = await CrashSeries.run({ kills: 6, seed: 1, say: () => {}, program });
      console.log(`      ${crashLine(report)}`);
      assert.ok(report.forgotten.length > 0, crashLine(report));
    } finally {
      rmSync(path.dirname(program), { recursive: true, force: true });
    }
  });
});
