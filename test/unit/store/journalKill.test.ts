import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';
import { reopen } from './journalHarness';

describe('the journal of a process that is killed', function () {
  this.timeout(60_000);
  let folder: string;

  before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'airlock-kill-'));
    const entry = path.join(__dirname, 'appender.ts');
    const outfile = path.join(folder, 'appender.js');
    await build({ entryPoints: [entry], outfile, bundle: true, platform: 'node', format: 'cjs' });
  });

  after(() => rm(folder, { recursive: true }));

  it('holds every event whose append was answered, and each group as a whole, kill after kill', async () => {
    const journal = path.join(folder, 'journal');
    let lastSeq = 0;
    for (let kill = 0; kill < 5; kill += 1) {
      const child = spawn(process.execPath, [path.join(folder, 'appender.js'), journal], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const exited = once(child, 'exit');
      let said = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        said += text;
        // Each time at another number of answers.
        if (said.split('\n').length > 20 + 37 * kill) child.kill('SIGKILL');
      });
      await exited;
      const answered = said.slice(0, said.lastIndexOf('\n')).split(/\s/).map(Number);
      const { replayed } = await reopen(journal);
      const there = new Set(replayed.map((event) => event.seq));
      assert.deepEqual(
        answered.filter((seq) => !there.has(seq)),
        [],
      );
      assert.ok(Math.max(...answered) > lastSeq);
      // Caller 3 appends four events at a time: only whole groups leave no remainder.
      for (let caller = 0; caller < 8; caller += 1) {
        const own = replayed.filter((event) => 'taskId' in event && event.taskId === `task-${caller}`);
        assert.equal(own.length % (caller + 1), 0);
      }
      lastSeq = replayed.length;
    }
  });
});
