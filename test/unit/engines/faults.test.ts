import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { UserError } from '../../../src/base/errors';
import { noUsage } from '../../../src/core/usage';
import {
  badRequest,
  broken,
  overloaded,
  rateLimited,
  resetBeforeHeaders,
  says,
  status,
  text,
} from '../../fakes/messagesApiTurns';
import { EngineHarness, MemoryHost, testKey } from './harness';

describe('the Anthropic engine survives', () => {
  let harness: EngineHarness;
  afterEach(() => harness.close());

  it('nothing between the lines: unknown events, comments and garbage are passed over', async () => {
    const noise = ': comment\n\nevent: news\ndata: {"type":"news"}\n\nnonsense\n\ndata: 5\n\n';
    harness = await EngineHarness.start([broken({ kind: 'raw', text: noise }, 1, [text('Fine.')])]);
    const end = await (await harness.open()).send('Hi');
    assert.deepEqual(end, { kind: 'done', text: 'Fine.' });
  });

  it('a connection that stays open after the last event', async () => {
    harness = await EngineHarness.start([broken({ kind: 'stall' }, 99, [text('Fine.')])]);
    const end = await harness.withTime((await harness.open()).send('Hi'), 100);
    assert.deepEqual(end, { kind: 'done', text: 'Fine.' });
    assert.deepEqual(harness.host.lost, []);
  });

  it('an answer without any figures: what is not told is counted as nothing', async () => {
    const events = [
      { type: 'message_start', message: { id: 'm', model: '' } },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: 'Fine.' } },
      { type: 'message_delta', delta: { stop_reason: 'end_turn' } },
      { type: 'message_stop' },
    ];
    const wire = events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('');
    const headers = { 'content-type': 'text/event-stream' };
    harness = await EngineHarness.start([{ kind: 'status', status: 200, body: wire, headers }]);
    await (await harness.open()).send('Hi');
    assert.deepEqual(harness.host.messages[1], {
      role: 'assistant',
      content: [{ type: 'text', text: 'Fine.' }],
      firstTokenMs: 0,
      messageId: 'm',
      stopReason: 'end_turn',
      model: 'claude-test',
      usage: noUsage,
    });
  });

  it('an answer without end: it is cut at the cap of bytes', async () => {
    const endless = broken({ kind: 'raw', text: `: ${'x'.repeat(3_000_000)}\n\n` });
    harness = await EngineHarness.start([endless, says('Here I am.')]);
    const conversation = await harness.open({}, { limits: { maxResponseBytes: 1_000_000 } });
    assert.deepEqual(await harness.withTime(conversation.send('Hi')), { kind: 'done', text: 'Here I am.' });
    assert.match(harness.host.noticesOf('retrying')[0]?.reason ?? '', /far too long/);
  });

  it('a server that never gets better: it gives up, and says that another try makes sense', async () => {
    harness = await EngineHarness.start(() => overloaded());
    const work = (await harness.open({}, { limits: { maxAttempts: 4 } })).send('Hi');
    const error = await harness.withTime(work).catch((caught: unknown) => caught);
    assert.ok(error instanceof UserError);
    assert.deepEqual([error.code, error.facts], ['model-overloaded', { retryable: true, attempts: 4 }]);
    const delays = harness.host.noticesOf('retrying').map((notice) => notice.delayMs);
    assert.deepEqual(delays, [1000, 2000, 4000]);
  });

  it('a server that is not there', async () => {
    harness = await EngineHarness.start([]);
    const gone = createServer();
    await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve));
    const address = gone.address();
    assert.ok(address !== null && typeof address === 'object');
    await new Promise((resolve) => gone.close(resolve));
    const baseUrl = `http://127.0.0.1:${address.port}`;
    const conversation = await harness.open({}, { baseUrl, limits: { maxUnreachedMs: 300_000 } });
    const error = await harness.withTime(conversation.send('Hi')).catch((caught: unknown) => caught);
    assert.ok(error instanceof UserError);
    assert.deepEqual([error.code, error.facts], ['model-unreachable', { retryable: false }]);
    assert.equal(
      error.message,
      `The model server at ${baseUrl} is not reachable (ECONNREFUSED). It was tried for 5 minutes. See to the server or its address, then retry the task.`,
    );
    const tries = harness.host.noticesOf('retrying');
    assert.deepEqual(
      tries.map(({ unreached, delayMs }) => [unreached, delayMs]),
      [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000, 60_000].map((delayMs) => [true, delayMs]),
    );
    assert.equal(harness.host.pauses.length, tries.length, 'the others on the lane wait with it');
  });

  it('a web page with an error status: somebody else is at the address', async () => {
    const page = { kind: 'status', status: 404, body: '<html>', headers: { 'content-type': 'text/html' } } as const;
    harness = await EngineHarness.start([page, says('Here I am.')]);
    const end = await harness.withTime((await harness.open()).send('Hi'));
    assert.deepEqual(end, { kind: 'done', text: 'Here I am.' });
    const [told] = harness.host.noticesOf('retrying');
    assert.deepEqual([told?.unreached, told?.reason.includes('a web page (404)')], [true, true]);
  });

  it('a port that belongs to another kind of service: it asks no more', async () => {
    harness = await EngineHarness.start([]);
    const error = await (
      await harness.open({}, { baseUrl: 'http://127.0.0.1:6000' })
    )
      .send('Hi')
      .catch((caught: unknown) => caught);
    assert.ok(error instanceof UserError);
    assert.deepEqual([error.code, harness.host.noticesOf('retrying')], ['model-url-invalid', []]);
  });

  describe('rate limits', () => {
    for (const [headers, delayMs] of [
      [{ 'retry-after': '7' }, 8000],
      [{ 'retry-after-ms': '2500' }, 3500],
      [{ 'retry-after': new Date(Date.UTC(2026, 0, 5, 12, 0, 30)).toUTCString() }, 31_000],
      [{ 'retry-after': '86400' }, 300_000],
      [{ 'retry-after': 'soon' }, 1000],
      [{ 'retry-after': '-5' }, 1000],
    ] as const) {
      it(`waits ${delayMs} ms after ${JSON.stringify(headers)}, and has the lane left alone`, async () => {
        harness = await EngineHarness.start([rateLimited(headers), says('Here I am.')]);
        const { host, clock } = harness;
        const conversation = await harness.open();
        const startMs = clock.nowMs();
        await harness.withTime(conversation.send('Hi'), 100);
        const [pause, ...more] = host.pauses;
        assert.deepEqual(more, []);
        assert.match(pause?.reason ?? '', /429/);
        // The fake clock may have moved a little before the answer was read.
        assert.ok(Math.abs((pause?.untilMs ?? 0) - startMs - delayMs) <= 500, String(pause?.untilMs));
        assert.equal(Math.round((host.noticesOf('retrying')[0]?.delayMs ?? 0) / 500) * 500, delayMs);
      });
    }

    it('leaves the lane alone for no other fault', async () => {
      harness = await EngineHarness.start([resetBeforeHeaders, says('Here I am.')]);
      await harness.withTime((await harness.open()).send('Hi'));
      assert.deepEqual(harness.host.pauses, []);
    });

    it('stops waiting when it is cancelled', async () => {
      harness = await EngineHarness.start([rateLimited({ 'retry-after': '60' })]);
      const told = harness.host.noticed('retrying');
      const work = (await harness.open()).send('Hi');
      await told;
      harness.abort.abort();
      await assert.rejects(work, { name: 'CancelledError' });
      assert.equal(harness.clock.pendingTimers, 0);
    });
  });

  describe('secrets', () => {
    it('never shows the key, even where a server repeats it', async () => {
      harness = await EngineHarness.start([
        status(500, 'api_error', `no good: ${testKey}`),
        status(401, 'authentication_error', `no good: ${testKey}`),
      ]);
      const { host } = harness;
      const error = await harness.withTime((await harness.open()).send('Hi')).catch((caught: unknown) => caught);
      assert.ok(error instanceof UserError);
      assert.match(error.message, /no good: \(the key\)/);
      assert.equal(JSON.stringify([error, error.message, error.cause, host.notices]).includes(testKey), false);
    });

    it('shows what a server hides in its words', async () => {
      harness = await EngineHarness.start([badRequest('wrong\u202e\u001b]0;title\u0007')]);
      const error = await (await harness.open()).send('Hi').catch((caught: unknown) => caught);
      assert.ok(error instanceof UserError);
      assert.match(error.message, /wrong<U\+202E><U\+001B>\]0;title<U\+0007>/);
    });
  });

  describe('the host', () => {
    it('stops when the host forbids the request', async () => {
      const host = new MemoryHost();
      host.beforeRequest = async () => {
        throw new UserError('budget-spent', 'No more money.');
      };
      harness = await EngineHarness.start([], host);
      await assert.rejects((await harness.open()).send('Hi'), { code: 'budget-spent' });
      assert.equal(harness.api.requests.length, 0);
    });

    it('asks nothing when a message could not be kept', async () => {
      const host = new MemoryHost();
      host.record = async () => {
        throw new UserError('disk-full', 'No room.');
      };
      harness = await EngineHarness.start([], host);
      await assert.rejects((await harness.open()).send('Hi'), { code: 'disk-full' });
      assert.equal(harness.api.requests.length, 0);
    });

    it('passes on what a tool call is ended by, when nothing of the answer runs any more', async () => {
      const host = new MemoryHost(({ name }) => {
        if (name === 'read') throw new UserError('session-closed', 'The jail is gone.');
        return { ok: true, text: 'fine' };
      });
      const content = [
        { type: 'tool_use', id: 'a', name: 'read', inputJson: '{}' },
        { type: 'tool_use', id: 'b', name: 'grep', inputJson: '{}' },
        { type: 'tool_use', id: 'c', name: 'bash', inputJson: '{}' },
      ] as const;
      harness = await EngineHarness.start([{ kind: 'reply', reply: { content } }], host);
      await assert.rejects((await harness.open()).send('Hi'), { code: 'session-closed' });
      assert.deepEqual(host.log.slice(3), ['begin read', 'begin grep', 'end grep']);
    });
  });
});
