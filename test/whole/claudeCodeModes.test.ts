import assert from 'node:assert/strict';
import path from 'node:path';
import { claudePrograms, needClaude } from '../fakes/claudePrograms';
import type { EngineChoice } from '../../src/assemble';
import type { Executor } from '../../src/core/executor';
import { sessionIdOf } from '../../src/engines/claudeCode/launch';
import type { FakeTurn } from '../fakes/messagesApi';
import { calls, says } from '../fakes/messagesApiTurns';
import { commandLines, runOf, sampleCheck, stateFits, taskReported, WholeRoom } from '../fakes/wholeRoom';

const mends = (id: string): FakeTurn => calls('Bash', { command: 'echo right > value.txt', description: 'x' }, id);

for (const [name, program] of claudePrograms) {
  describe(`the ways to run ${name} Claude Code, the whole way`, function () {
    this.timeout(120_000);
    let room: WholeRoom;

    before(function () {
      needClaude(this, program);
    });
    beforeEach(async () => (room = await WholeRoom.make()));
    afterEach(() => room?.close());

    function open(process: Extract<EngineChoice, { kind: 'claude-code' }>['process']): Promise<Executor> {
      return room.open({
        engine: room.claudeCode(program, process),
        settings: { concurrency: 1, warmSessions: process === 'prestarted' ? 1 : 0 },
      });
    }

    async function works(executor: Executor, id: string): Promise<void> {
      await room.queues({ id, description: id, context: { checks: [sampleCheck] } });
      const task = await taskReported(executor, id);
      assert.equal(task.status, 'verified', task.reason);
    }

    it('one that waits in a session that was prepared ahead does the next task in it', async () => {
      const executor = await open('prestarted');
      room.model.plays('first', mends('toolu_1'), says('Mended.'));
      await works(executor, 'first');
      const waiting = await stateFits(
        executor,
        ({ warm }) => [...warm.values()].find(({ sessionId }) => sessionId !== null)?.runId,
      );
      const ready = claudesOf(waiting);
      assert.ok(ready.length > 0);
      assert.equal(room.model.api.requests.length, 2);
      let working: string[] = [];
      room.model.plays('second', mends('toolu_1'), () => {
        working = claudesOf(waiting);
        return says('Mended.');
      });
      await works(executor, 'second');
      assert.equal(runOf(executor, 'second').id, waiting);
      assert.deepEqual(working, ready);
      await executor.shutdown();
      assert.deepEqual(claudesOf(waiting), []);
    });

    it('what was said in a task is known in the next of its repository and persona, and each pays for its own', async () => {
      const executor = await open('shared');
      // The second conversation begins with the first: for its model it is the third and fourth answer.
      const more = [mends('toolu_2'), says('The same again.')];
      room.model.plays('first', mends('toolu_1'), says('It was the value.'), ...more);
      await works(executor, 'first');
      await works(executor, 'second');
      const seen = JSON.stringify(room.model.api.requests[2]?.body.messages);
      assert.match(seen, /first.*It was the value\..*A new task begins.*second/);
      assert.deepEqual(
        ['first', 'second'].map((id) => runOf(executor, id).usage.outputTokens),
        [40, 40],
      );
      assert.notEqual(runOf(executor, 'first').id, runOf(executor, 'second').id);
    });

    /** The processes of a run's Claude Code, by number and command line. */
    function claudesOf(runId: string): string[] {
      const session = sessionIdOf(path.join(room.storage, 'runs', runId, 'engine'));
      return commandLines().filter((words) => words.includes(session));
    }
  });
}
