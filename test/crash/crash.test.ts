import assert from 'node:assert/strict';
import { crashLine, CrashSeries } from './crashSeries';

describe('a process that is killed at any point', () => {
  it('loses nothing, ends and reports each task once, pays for no kept turn and does no finished call again', async function () {
    this.timeout(300_000);
    const said: string[] = [];
    const report = await CrashSeries.run({ kills: 26, seed: 1, say: (line) => said.push(line) });
    console.log(`      ${crashLine(report)}`);
    const { kills, answersLost, ...rest } = report;
    const nothing = {
      lost: [],
      endedTwice: [],
      reportedTwice: [],
      paidTwice: [],
      doneTwice: [],
      processesLeft: [],
      workspacesLeft: [],
      attemptsLost: [],
    };
    assert.deepEqual(rest, nothing, said.join('\n'));
    assert.ok(kills >= 26);
    // At most one answer dies with a slot's process.
    assert.ok(answersLost <= 2 * kills);
  });
});
