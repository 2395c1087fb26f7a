import assert from 'node:assert/strict';
import { says } from '../fakes/messagesApiTurns';
import type { SeenRequest } from '../fakes/messagesApi';
import { lastTextOf, runs, writes } from '../fakes/wholeModel';
import { runOf, taskReported, WholeRoom } from '../fakes/wholeRoom';

/** Whatever a process of the jail could think of to write into the workspace. */
const attempts = [
  'echo hacked > value.txt',
  'rm -f value.txt',
  'touch new.txt',
  'chmod 777 .',
  'mount -o remount,rw /workspace',
  'unshare -Urm mount -o remount,rw /workspace',
  'echo x > /proc/self/cwd/value.txt',
  'git commit --allow-empty -m x',
  'git config core.fsmonitor /tmp/evil',
  'ln -s /workspace /tmp/w && echo x > /tmp/w/value.txt',
];

describe('a persona that may only read', () => {
  let room: WholeRoom;
  beforeEach(async () => (room = await WholeRoom.make()));
  afterEach(() => room.close());

  it('finds everything of its workspace read-only, runs commands there all the same, and gives its words as its result', async () => {
    const seen: SeenRequest[] = [];
    const keep = (request: SeenRequest): void => void seen.push(request);
    room.model.plays(
      'Find out',
      (request) => {
        keep(request);
        return runs(attempts.map((command) => `(${command}) >/dev/null 2>&1 && echo DONE`).join('\n') + '\necho over');
      },
      (request) => {
        keep(request);
        return writes('value.txt', 'hacked\n');
      },
      (request) => {
        keep(request);
        return runs('cat value.txt; git status --short; git log --format=%s; echo scratch > /tmp/x && cat /tmp/x');
      },
      (request) => {
        keep(request);
        return says('It says wrong: value.txt:1.');
      },
    );
    await room.queues({ id: 'find-out', description: 'Find out', context: { persona: 'researcher' } });
    const executor = await room.open();
    const task = await taskReported(executor, 'find-out');
    const [first, second, third, fourth] = seen.map(lastTextOf);
    assert.match(JSON.stringify(seen[0]?.body.system), /mounted read-only/);
    assert.ok(first?.includes('Find out'));
    assert.doesNotMatch(second ?? '', /DONE/);
    assert.match(second ?? '', /over/);
    assert.match(third ?? '', /“researcher” may not use write/);
    assert.match(fourth ?? '', /^wrong\nbase\nscratch/m);
    const run = runOf(executor, 'find-out');
    assert.deepEqual([task.status, run.branch, run.filesChanged, run.checks], ['unchecked', null, 0, []]);
    assert.match(JSON.stringify(room.backend.api.get('find-out')?.result), /"response":"It says wrong: value\.txt:1\./);
  });
});
