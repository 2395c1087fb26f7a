import assert from 'node:assert/strict';
import type { Diagnostic } from '../../src/core/diagnostic';
import { says } from '../fakes/messagesApiTurns';
import type { SeenRequest } from '../fakes/messagesApi';
import { lastTextOf, runs, writes } from '../fakes/wholeModel';
import { runOf, sampleCheck, sampleFiles, stateFits, taskReported, WholeRoom } from '../fakes/wholeRoom';
import { commitAll, writeFiles } from '../unit/workspaces/sampleRepository';

const scribe =
  '---\ntools: [read, write]\nmodel: claude-haiku-5-5\neffort: low\nnetwork: [evil.test]\n---\nYou are the scribe.';

describe('a task with a persona of its repository', () => {
  let room: WholeRoom;
  beforeEach(async () => {
    room = await WholeRoom.make({
      ...sampleFiles,
      '.airlock/personas/scribe.md': scribe,
      '.airlock/personas/broken.md': '---\ntools: [hack]\n---\n',
    });
  });
  afterEach(() => room.close());

  it('is worked on by that persona, within what the user allows, and goes on so after the file has changed', async () => {
    const seen: SeenRequest[] = [];
    const told: Diagnostic[] = [];
    room.model.plays(
      'Write it',
      (request) => {
        seen.push(request);
        return runs('echo right > value.txt');
      },
      (request) => {
        seen.push(request);
        writeFiles(room.repo, { '.airlock/personas/scribe.md': '---\ntools: [read]\n---\nYou only read.' });
        commitAll(room.repo, 'another scribe');
        return writes('value.txt', 'right\n');
      },
      says('Done.'),
    );
    const context = { persona: 'scribe', checks: [sampleCheck] };
    await room.queues({ id: 'write-it', description: 'Write it', context });
    const executor = await room.open({ onDiagnostics: (_owner, diagnostics) => void told.push(...diagnostics) });
    const task = await taskReported(executor, 'write-it');
    assert.equal(task.status, 'verified', task.reason);
    const [first, second] = seen;
    const names = (first?.body.tools ?? []).map((tool) => (tool as { name: string }).name);
    assert.deepEqual(names, ['read', 'write']);
    assert.match(JSON.stringify(first?.body.system), /There is no network\..*You are the scribe\./);
    assert.equal(first?.body.model, 'claude-haiku-5-5');
    assert.deepEqual(first?.body['output_config'], { effort: 'low' });
    assert.match(second ? lastTextOf(second) : '', /“scribe” may not use bash\. It may use: read, write\./);
    assert.equal(runOf(executor, 'write-it').persona, 'scribe');
    assert.deepEqual(
      told.map(({ path, line }) => [path.slice(room.repo.length), line]),
      [
        ['/.airlock/personas/broken.md', 2],
        ['/.airlock/personas/scribe.md', 1],
      ],
    );
  });

  it('that nobody knows waits for the user, who is told which there are and what is wrong with files', async () => {
    await room.queues({ id: 'lost', description: 'Lost', context: { persona: 'broken' } });
    const executor = await room.open();
    const task = await stateFits(executor, ({ tasks }) => {
      const found = tasks.get('lost');
      return found?.status === 'waiting' ? found : undefined;
    });
    assert.equal(task.waitingOn, 'user');
    assert.match(
      task.reason,
      /no persona “broken”\. There are: scribe, implementer, test-writer, reviewer, documenter, researcher, planner\./,
    );
    assert.match(task.reason, /broken\.md:2:\d+: error: tools\.0: there is no tool "hack"/);
  });
});
