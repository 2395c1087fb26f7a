import assert from 'node:assert/strict';
import path from 'node:path';
import type { EngineChoice } from '../../src/assemble';
import { calls, says } from '../fakes/messagesApiTurns';
import { modelName, resultFile, runOf, sampleCheck, taskReported, WholeRoom } from '../fakes/wholeRoom';

const fakeClaude = path.join(import.meta.dirname, '../fakes/fakeClaude.mjs');

/** A real Claude Code to test against, by absolute path. */
const realClaude = process.env['AIRLOCK_TEST_CLAUDE'];

const work = [
  calls('Bash', { command: 'cat value.txt', description: 'look' }, 'toolu_look'),
  calls('Bash', { command: 'echo right > value.txt', description: 'mend' }, 'toolu_mend'),
  says('Mended.'),
];

for (const [name, program] of [
  ['a fake', fakeClaude],
  ['the real', realClaude],
] as const) {
  describe(`the whole way with ${name} Claude Code`, () => {
    let room: WholeRoom;

    before(function () {
      if (program !== undefined) return;
      console.log('      skipped: AIRLOCK_TEST_CLAUDE names no Claude Code');
      this.skip();
    });
    beforeEach(async () => (room = await WholeRoom.make()));
    afterEach(() => room?.close());

    function engine(): EngineChoice {
      return {
        kind: 'claude-code',
        credential: { kind: 'apiKey', read: () => Promise.resolve('sk-test-key') },
        baseUrl: room.model.api.baseUrl,
        model: modelName,
        path: program ?? null,
        process: 'perRun',
      };
    }

    it('works a task off from the queue to verified, and adds the key outside', async () => {
      room.model.plays('Mend the value', ...work);
      await room.queues({ id: 'mend', description: 'Mend the value', context: { checks: [sampleCheck] } });
      const executor = await room.open({ engine: engine() });
      const used: string[] = [];
      executor.onDidAppend((events) => {
        for (const event of events) if (event.kind === 'tool.finished') used.push(`${event.callId} ${event.ok}`);
      });
      const task = await taskReported(executor, 'mend');
      const run = runOf(executor, 'mend');
      assert.deepEqual(
        { status: task.status, engine: run.engine, value: resultFile(room, run.branch ?? '', 'value.txt') },
        { status: 'verified', engine: 'claude-code', value: 'right' },
      );
      assert.deepEqual(used, ['own/toolu_look true', 'own/toolu_mend true']);
      assert.deepEqual(run.usage, {
        inputTokens: 300,
        outputTokens: 60,
        cacheWrite5mTokens: 0,
        cacheWrite1hTokens: 0,
        cacheReadTokens: 0,
      });
      assert.deepEqual(
        room.model.api.requests.map(({ headers }) => headers['x-api-key']),
        Array(3).fill('sk-test-key'),
      );
    });

    it('gives a failing check back to the same conversation', async () => {
      room.model.plays('Mend the value', says('It is right already.'), ...work);
      await room.queues({ id: 'mend', description: 'Mend the value', context: { checks: [sampleCheck] } });
      const executor = await room.open({ engine: engine() });
      assert.equal((await taskReported(executor, 'mend')).status, 'verified');
      assert.deepEqual([runOf(executor, 'mend').rounds, room.model.api.requests.length], [2, 4]);
    });
  });
}
