import assert from 'node:assert/strict';
import { says } from '../fakes/messagesApiTurns';
import { lastTextOf, runs, type Step } from '../fakes/wholeModel';
import { resultFile, taskReported, WholeRoom } from '../fakes/wholeRoom';

const mebibyte = 1024 ** 2;

describe('a command of an agent', () => {
  let room: WholeRoom;
  beforeEach(async () => (room = await WholeRoom.make()));
  afterEach(() => room.close());

  /** Runs the commands one after another in one run, and gives what the model was told of each. */
  async function answersTo(...steps: Step[]): Promise<string[]> {
    const answers: string[] = [];
    const noted = steps.map((step, place): Step =>
      place === 0
        ? step
        : (request) => {
            answers.push(lastTextOf(request));
            return typeof step === 'function' || Array.isArray(step)
              ? says('wrong step')
              : (step as ReturnType<typeof runs>);
          },
    );
    room.model.plays('Commands', ...noted, (request) => {
      answers.push(lastTextOf(request));
      return says('Done.');
    });
    await room.queues({ id: 'commands', description: 'Commands' });
    const executor = await room.open();
    assert.equal((await taskReported(executor, 'commands')).status, 'unchecked');
    return answers;
  }

  it('that prints 200 MB comes back cut, and this process does not grow with it', async () => {
    let mostBytes = 0;
    const before = process.memoryUsage().rss;
    const watch = setInterval(() => (mostBytes = Math.max(mostBytes, process.memoryUsage().rss)), 50);
    try {
      const [answer] = await answersTo(runs('head -c 200000000 /dev/zero | tr "\\0" x; echo END'));
      assert.ok((answer ?? '').length < 60_000, `${answer?.length} characters`);
      assert.match(answer ?? '', /END/);
    } finally {
      clearInterval(watch);
    }
    assert.ok(mostBytes - before < 150 * mebibyte, `it grew by ${(mostBytes - before) / mebibyte} MiB`);
  });

  it('that never ends, reads its input, ends its shell or kills it is a result, and the next one works', async () => {
    const answers = await answersTo(
      runs('sleep 1000', 1),
      runs('cat; echo read'),
      runs('cd /tmp; exit 3'),
      runs('kill -9 $$'),
      runs('exec 1>/dev/null 2>&1; echo lost', 3),
      runs('pwd; echo alive'),
    );
    assert.match(answers[0] ?? '', /ended after 1 s/);
    assert.equal((answers[1] ?? '').trim(), 'read');
    assert.match(answers[2] ?? '', /ended the shell itself/);
    assert.match(answers[3] ?? '', /ended the shell itself/);
    assert.equal((answers[5] ?? '').trim(), '/workspace\nalive');
  });

  it('that floods the jail with processes is a result, and the next one works', async () => {
    const answers = await answersTo(
      runs('for i in $(seq 3000); do sleep 60 & done >/dev/null 2>&1; echo flooded', 20),
      runs('kill $(jobs -p) 2>/dev/null; pkill sleep; true', 20),
      runs('echo still here', 20),
    );
    assert.match(answers[2] ?? '', /still here/);
  });

  it('whose jail dies under it is told so, and the run goes on in another jail where it was', async () => {
    const answers: string[] = [];
    room.model.plays(
      'Dying',
      runs('echo before > log.txt'),
      runs('sleep 600'),
      (request) => {
        answers.push(lastTextOf(request));
        return runs('echo after >> log.txt');
      },
      says('Done.'),
    );
    await room.queues({ id: 'dying', description: 'Dying' });
    const executor = await room.open();
    const watching = executor.onDidAppend((events) => {
      for (const event of events) {
        if (event.kind !== 'tool.called' || !event.summary.includes('sleep 600')) continue;
        for (const session of executor.state.sessions.values()) process.kill(session.process.pid, 'SIGKILL');
      }
    });
    const task = await taskReported(executor, 'dying');
    watching.dispose();
    assert.equal(task.status, 'unchecked', task.reason);
    assert.match(answers[0] ?? '', /The sandbox ended while this ran/);
    assert.equal(resultFile(room, 'airlock/dying-1', 'log.txt'), 'before\nafter');
    assert.deepEqual(room.model.api.paidTwice(), []);
  });
});
