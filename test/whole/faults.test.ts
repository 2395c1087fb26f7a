import assert from 'node:assert/strict';
import type { AirlockEvent } from '../../src/core/events';
import {
  broken,
  keyRefused,
  overloaded,
  rateLimited,
  reply,
  resetBeforeHeaders,
  says,
  text,
  toolUse,
  toolUseRaw,
} from '../fakes/messagesApiTurns';
import { type BackendFault, type SeenCall, WholeBackend } from '../fakes/wholeBackend';
import { honestWork, lastTextOf, runs, writes } from '../fakes/wholeModel';
import { resultFile, runOf, sampleCheck, stateFits, taskEnded, taskReported, WholeRoom } from '../fakes/wholeRoom';

const checked = { checks: [sampleCheck] };

describe('a backend that is unwell', () => {
  let room: WholeRoom;
  let backend: WholeBackend;
  beforeEach(async () => {
    room = await WholeRoom.make();
    backend = await WholeBackend.before(room.backend);
    room.ends.push(() => backend.close());
  });
  afterEach(() => room.close());

  const isEnd = ({ path }: SeenCall): boolean => /\/(complete|fail)$/.test(path);

  it('and dies in the middle of a run hears of it once when it is back', async () => {
    await room.queues({ id: 'gone', description: 'Gone', context: checked });
    room.model.plays(
      'Gone',
      (request) => {
        backend.fault = () => ({ kind: 'down' });
        assert.equal(request.index, 0);
        return writes('value.txt', 'right\n');
      },
      says('Done.'),
    );
    const executor = await room.open({ sources: [room.source({ url: backend.url })] });
    assert.equal((await taskEnded(executor, 'gone')).status, 'verified');
    await stateFits(executor, ({ reports }) =>
      [...reports.values()].some(({ error }) => error !== '') ? true : undefined,
    );
    assert.equal(room.backend.api.get('gone')?.status, 'in_progress');
    backend.fault = () => undefined;
    await executor.refreshSources();
    await taskReported(executor, 'gone');
    assert.equal(room.backend.api.get('gone')?.status, 'completed');
  });

  const faults: [string, (call: SeenCall) => BackendFault][] = [
    ['500', () => ({ kind: 'status', status: 500, body: '{"error":"oops"}', type: 'application/json' })],
    [
      'a page of HTML with 200',
      () => ({ kind: 'status', status: 200, body: '<html>Log in</html>', type: 'text/html' }),
    ],
    ['nothing at all', () => ({ kind: 'silent' })],
    ['only after the answer is lost', () => ({ kind: 'answerLost' })],
    ['the same answer twice', () => ({ kind: 'twice' })],
  ];
  for (const [title, fault] of faults) {
    it(`and first answers the report with ${title} hears of it once in effect`, async () => {
      let changes = 0;
      room.backend.api.onDidChangeTask(({ task }) => (changes += task.status === 'completed' ? 1 : 0));
      await room.queues({ id: 'ill', description: 'Ill', context: checked });
      room.model.plays('Ill', ...honestWork);
      let failures = 0;
      backend.fault = (call) => (isEnd(call) && ++failures <= 1 ? fault(call) : undefined);
      const executor = await room.open({ sources: [room.source({ url: backend.url, timeoutMs: 500 })] });
      assert.equal((await taskReported(executor, 'ill')).status, 'verified');
      assert.deepEqual([room.backend.api.get('ill')?.status, changes], ['completed', 1]);
    });
  }

  it('and loses the answer to an accept is not taken for one that refused', async () => {
    await room.queues({ id: 'lost', description: 'Lost', context: checked });
    room.model.plays('Lost', ...honestWork);
    let lost = 0;
    backend.fault = ({ path }) => (path.endsWith('/accept') && ++lost === 1 ? { kind: 'answerLost' } : undefined);
    const executor = await room.open({ sources: [room.source({ url: backend.url })] });
    await backend.called(({ path }) => path.endsWith('/accept'));
    assert.equal((await taskReported(executor, 'lost')).status, 'verified');
    const sources = [...executor.state.sources.values()];
    assert.deepEqual(sources, [{ healthy: true, looked: true, message: '' }]);
  }).timeout(60_000);

  it('and gives every answer twice gives each task once', async () => {
    await room.queues({ id: 'one', description: 'One' }, { id: 'two', description: 'Two' });
    for (const name of ['One', 'Two']) room.model.plays(name, says('Looked.'));
    backend.fault = () => ({ kind: 'twice' });
    const executor = await room.open({ sources: [room.source({ url: backend.url })] });
    for (const task of ['one', 'two']) assert.equal((await taskReported(executor, task)).status, 'unchecked');
    assert.deepEqual([executor.state.tasks.size, room.model.api.requests.length], [2, 2]);
  });

  it('and gives the task to somebody else leaves it there', async () => {
    await room.queues({ id: 'taken', description: 'Taken', context: checked });
    backend.fault = ({ path }) => {
      if (path.endsWith('/accept')) void room.backend.api.accept('taken', 'somebody-else');
      return undefined;
    };
    const executor = await room.open({ sources: [room.source({ url: backend.url })] });
    assert.equal((await taskEnded(executor, 'taken')).status, 'cancelled');
    assert.equal(room.backend.api.get('taken')?.agent, 'somebody-else');
    assert.equal(room.model.api.requests.length, 0);
  });
});

describe('a model that is unwell', () => {
  let room: WholeRoom;
  beforeEach(async () => (room = await WholeRoom.make()));
  afterEach(() => room.close());

  it('and slow down, overloaded, cut off, stalled or reset is asked again, and the work comes out', async () => {
    await room.queues({ id: 'ill', description: 'Ill', context: checked });
    const faults = [
      rateLimited({ 'retry-after-ms': '100' }),
      overloaded(),
      broken({ kind: 'reset' }),
      broken({ kind: 'end' }),
      broken({ kind: 'stall' }),
      broken({ kind: 'errorEvent', type: 'overloaded_error', message: 'Overloaded' }),
      resetBeforeHeaders,
    ];
    room.model.plays('Ill', [...faults, writes('value.txt', 'right\n')], says('Done.'));
    const retried: AirlockEvent[] = [];
    const executor = await room.open();
    executor.onDidAppend((events) => retried.push(...events.filter(({ kind }) => kind === 'request.retried')));
    assert.equal((await taskReported(executor, 'ill')).status, 'verified');
    assert.equal(retried.length, faults.length);
    assert.deepEqual(room.model.api.paidTwice(), []);
    // What was begun and broke off was paid for too: four answers broke after their first tokens were counted.
    assert.equal(runOf(executor, 'ill').usage.inputTokens, 200 + 4 * 100);
  });

  it('and calls tools that are not there, or with broken JSON, is told so and goes on', async () => {
    await room.queues({ id: 'odd', description: 'Odd', context: checked });
    const answers: string[] = [];
    room.model.plays(
      'Odd',
      reply(
        toolUseRaw('bash', '{"command": "echo hi'),
        toolUse('format_disk', { now: true }),
        toolUse('bash', { cmd: 1 }),
      ),
      (request) => {
        answers.push(lastTextOf(request));
        return reply(text('Sorry.'), toolUse('write', { path: 'value.txt', content: 'right\n' }));
      },
      says('Done.'),
    );
    const executor = await room.open();
    assert.equal((await taskReported(executor, 'odd')).status, 'verified');
    assert.match(
      answers.join(),
      /no JSON object[^]*There is no tool named "format_disk"[^]*The input of bash is wrong/,
    );
  });

  it('and refuses the key makes the task wait for the user, and it goes on with the next key', async () => {
    await room.queues({ id: 'key', description: 'Key', context: checked });
    room.model.plays('Key', writes('value.txt', 'right\n'), [keyRefused(), says('Done.')]);
    const executor = await room.open();
    const waiting = await stateFits(executor, ({ tasks }) => {
      const task = tasks.get('key');
      return task?.status === 'waiting' ? { on: task.waitingOn, reason: task.reason } : undefined;
    });
    assert.deepEqual(waiting, {
      on: 'user',
      reason: `The model server at ${room.model.api.baseUrl} refuses the key (401): invalid x-api-key. Set a valid one (command “Airlock: Set API Key”, or ANTHROPIC_API_KEY).`,
    });
    await room.setKey('sk-another');
    assert.equal((await taskReported(executor, 'key')).status, 'verified');
    assert.equal(runOf(executor, 'key').attempt, 1);
    assert.deepEqual(room.model.api.paidTwice(), []);
    assert.equal(room.model.api.requests.at(-1)?.headers['x-api-key'], 'sk-another');
  });

  it('and costs more than the run may is not asked again; what was done is a branch', async () => {
    await room.queues({ id: 'dear', description: 'Dear', context: { ...checked, max_cost_usd: 1 } });
    const dear = { input_tokens: 400_000, output_tokens: 10 };
    const usage = {
      ...dear,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 0,
      cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
    };
    room.model.plays('Dear', {
      kind: 'reply',
      reply: { usage, content: [toolUse('write', { path: 'value.txt', content: 'dear\n' })] },
    });
    const executor = await room.open();
    const task = await taskReported(executor, 'dear');
    assert.equal(task.status, 'failed');
    assert.match(
      task.reason,
      /^The budget of this run is used up: 0\.80 \$ of 1\.00 \$ spent, and the next request may take /,
    );
    assert.equal(room.model.api.requests.length, 1);
    assert.equal(resultFile(room, 'airlock/dear-1', 'value.txt'), 'dear');
  });

  it('and never comes to an end is stopped at its turns', async () => {
    await room.queues({ id: 'turns', description: 'Turns', context: { ...checked, max_turns: 3 } });
    room.model.plays('Turns', ...[1, 2, 3, 4].map((n) => runs(`echo ${n} >> log.txt`)));
    const executor = await room.open();
    const task = await taskReported(executor, 'turns');
    assert.deepEqual(
      [task.status, task.reason],
      ['failed', 'The agent was not done after 3 turns, which is its limit.'],
    );
    assert.equal(resultFile(room, 'airlock/turns-1', 'log.txt'), '1\n2\n3');
    assert.equal(room.backend.api.get('turns')?.error, 'The agent was not done after 3 turns, which is its limit.');
  });

  it('and takes too long is stopped at its time, in the middle of a command; what was done is a branch', async () => {
    await room.queues({ id: 'slow', description: 'Slow', context: { ...checked, timeout_seconds: 8 } });
    room.model.plays('Slow', runs('echo begun > log.txt; sleep 600'));
    const executor = await room.open();
    const task = await taskReported(executor, 'slow');
    assert.deepEqual([task.status, task.reason], ['failed', 'It took longer than it may.']);
    assert.equal(resultFile(room, 'airlock/slow-1', 'log.txt'), 'begun');
  });

  it('and is away for longer than all tries fails the task only after its run has gone on a few times', async () => {
    await room.queues({ id: 'away', description: 'Away', context: checked });
    room.model.plays('Away', resetBeforeHeaders);
    const executor = await room.open({
      settings: { maxResumptions: 1 },
      engineLimits: { maxAttempts: 2, firstDelayMs: 5 },
    });
    const task = await taskReported(executor, 'away');
    assert.equal(task.status, 'failed');
    assert.match(task.reason, /connection to the model server at .* failed/);
    assert.equal(room.model.api.requests.length, 4);
  });
});
