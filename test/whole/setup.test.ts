import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { EventBody } from '../../src/core/events';
import type { Executor } from '../../src/core/executor';
import { says } from '../fakes/messagesApiTurns';
import { lastTextOf, runs } from '../fakes/wholeModel';
import { stateFits, taskReported, WholeRoom } from '../fakes/wholeRoom';
import { greetPackage, npmProject } from '../jail/npmProject';
import { commitAll, writeFiles } from '../unit/workspaces/sampleRepository';

const check = 'node test.js | grep -x "hello from greet, twice"';
const mend = `echo 'console.log(require("greet")() + ", twice")' > test.js; node test.js`;

function told<K extends EventBody['kind']>(executor: Executor, kind: K): Extract<EventBody, { kind: K }>[] {
  const seen: Extract<EventBody, { kind: K }>[] = [];
  executor.onDidAppend((events) => {
    for (const event of events) if (event.kind === kind) seen.push(event as unknown as Extract<EventBody, { kind: K }>);
  });
  return seen;
}

describe('a repository whose dependencies must be prepared', () => {
  let room: WholeRoom;
  beforeEach(async () => (room = await WholeRoom.make(npmProject('file:greet-1.0.0.tgz'))));
  afterEach(() => room.close());

  function configure(setup: string): void {
    writeFileSync(path.join(room.repo, 'greet-1.0.0.tgz'), greetPackage());
    writeFiles(room.repo, { '.airlock/config.yaml': `setup: ${setup}\nchecks: ['${check}']\n` });
    commitAll(room.repo, 'a setup');
  }

  it('has them prepared once, for the agents and the checks of two tasks', async () => {
    configure('npm ci');
    const outputs: string[] = [];
    for (const title of ['First', 'Second']) {
      room.model.plays(title, runs(mend), (request) => {
        outputs.push(lastTextOf(request).trim());
        return says('Done.');
      });
    }
    await room.queues({ id: 'first', description: 'First' }, { id: 'second', description: 'Second' });
    const executor = await room.open();
    const setups = told(executor, 'setup.finished');
    const tasks = await Promise.all(['first', 'second'].map((id) => taskReported(executor, id)));
    assert.deepEqual(
      tasks.map(({ status, reason }) => [status, reason]),
      // The test itself was changed, so that with the test of the base it does not pass.
      tasks.map(() => ['partial', tasks[0]?.reason]),
    );
    for (const output of outputs) assert.match(output, /hello from greet, twice/);
    assert.deepEqual(
      setups.map(({ problem }) => problem),
      [null],
    );
    assert.match(Buffer.from((await executor.readBlob(setups[0]?.output ?? '')) ?? '').toString(), /added 1 package/);
    assert.ok(!readdirSync(room.repo).includes('node_modules'));
  });

  it('tells the agent when they cannot be had for the lock file that it wrote', async () => {
    configure('npm ci');
    const heard: string[] = [];
    room.model.plays(
      'Break it',
      runs(`${mend}; echo '{"lockfileVersion": 3}' > package-lock.json`),
      says('Done.'),
      (request) => {
        heard.push(lastTextOf(request));
        return runs('git checkout -q package-lock.json');
      },
      says('Now it is done.'),
    );
    await room.queues({ id: 'break-it', description: 'Break it' });
    const task = await taskReported(await room.open(), 'break-it');
    assert.equal(task.status, 'partial', task.reason);
    assert.match(heard.join(''), /The setup failed \(exit code 1\)[^]*npm/);
  });

  it('does not start an agent when that fails, and says why', async () => {
    configure('"echo no such mirror; exit 3"');
    await room.queues({ id: 'task', description: 'Task' });
    const task = await taskReported(await room.open(), 'task');
    assert.equal(task.status, 'failed');
    assert.match(task.reason, /^The setup of this repository failed \(exit code 3\).*no such mirror/s);
    assert.equal(room.model.api.requests.length, 0);
    assert.match(room.backend.api.get('task')?.error ?? '', /no such mirror/);
  });

  it('waits for the user when they must come from a place that was not allowed', async () => {
    configure('{ run: npm ci, network: [packages.example.com] }');
    await room.queues({ id: 'task', description: 'Task' });
    const executor = await room.open();
    const reason = await stateFits(executor, ({ tasks }) => {
      const task = tasks.get('task');
      return task?.status === 'waiting' ? task.reason : undefined;
    });
    assert.match(reason, /must reach packages\.example\.com.*airlock\.setup\.network/);
  });
});
