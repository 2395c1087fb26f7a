import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { UserError } from '../../../src/base/errors';
import { noUsage } from '../../../src/core/usage';
import type { FakeTurn } from '../../fakes/messagesApi';
import {
  badRequest,
  broken,
  keyRefused,
  overloaded,
  rateLimited,
  resetBeforeHeaders,
  says,
  status,
  text,
} from '../../fakes/messagesApiTurns';
import { EngineHarness, MemoryHost, testKey } from './harness';

const begun = { usage: { ...noUsage, inputTokens: 100, outputTokens: 1 }, model: 'claude-test' };

/** Faults that pass: the request is made again and the answer comes. `lost` is what the broken answer had used. */
const transient: readonly { name: string; turn: FakeTurn; reason: RegExp; lost: readonly unknown[] }[] = [
  { name: 'too many requests (429)', turn: rateLimited(), reason: /less often \(429\)\.$/, lost: [] },
  { name: 'an overloaded server (529)', turn: overloaded(), reason: /overloaded \(529\)\.$/, lost: [] },
  { name: 'a server error (500)', turn: status(500, 'api_error', 'oops'), reason: /failed \(500\): oops\.$/, lost: [] },
  {
    name: 'a bad gateway’s HTML (502)',
    turn: { kind: 'status', status: 502, body: '<html>Bad</html>' },
    reason: /502/,
    lost: [],
  },
  { name: 'a request timeout (408)', turn: status(408, 'timeout_error', 'slow'), reason: /408/, lost: [] },
  { name: 'a reset before any header', turn: resetBeforeHeaders, reason: /connection .* failed/, lost: [] },
  { name: 'a reset in the middle', turn: broken({ kind: 'reset' }), reason: /connection .* failed/, lost: [begun] },
  { name: 'an answer without its end', turn: broken({ kind: 'end' }), reason: /broke off/, lost: [begun] },
  { name: 'an answer without its beginning', turn: broken({ kind: 'end' }, 0), reason: /broke off/, lost: [] },
  {
    name: 'an error event',
    turn: broken({ kind: 'errorEvent', type: 'overloaded_error', message: 'Overloaded' }),
    reason: /overloaded \(529\)/,
    lost: [begun],
  },
  {
    name: 'broken JSON in an event',
    turn: broken({ kind: 'raw', text: 'event: content_block_delta\ndata: {"type": "content_bl\n\n' }),
    reason: /broken JSON/,
    lost: [begun],
  },
  {
    name: 'an event of the wrong shape',
    turn: broken({ kind: 'raw', text: 'event: content_block_delta\ndata: {"type": "content_block_delta"}\n\n' }),
    reason: /malformed/,
    lost: [begun],
  },
  {
    name: 'a second beginning',
    turn: broken({
      kind: 'raw',
      text: 'event: message_start\ndata: {"type":"message_start","message":{"id":"x","model":"y"}}\n\n',
    }),
    reason: /second answer/,
    lost: [begun],
  },
  {
    name: 'a stall before any header',
    turn: broken({ kind: 'stall' }, 0),
    reason: /began no answer for 290 s/,
    lost: [],
  },
  { name: 'a stall in the middle', turn: broken({ kind: 'stall' }), reason: /silent .* for 120 s/, lost: [begun] },
  {
    name: 'a web page instead of a stream',
    turn: { kind: 'status', status: 200, body: '<html>Log in</html>', headers: { 'content-type': 'text/html' } },
    reason: /text\/html instead of an event stream/,
    lost: [],
  },
];

/** Faults that another try does not mend. */
const final: readonly { name: string; turn: FakeTurn; code: string }[] = [
  { name: 'a refused key (401)', turn: keyRefused(), code: 'model-key-refused' },
  { name: 'a forbidden model (403)', turn: status(403, 'permission_error', 'no'), code: 'model-key-refused' },
  { name: 'an unpaid account (402)', turn: status(402, 'billing_error', 'pay'), code: 'model-unpaid' },
  { name: 'an unknown model (404)', turn: status(404, 'not_found_error', 'model: x'), code: 'model-not-found' },
  { name: 'a bad request (400)', turn: badRequest(), code: 'model-request-refused' },
  {
    name: 'a redirect (307)',
    turn: { kind: 'status', status: 307, body: '', headers: { location: '/x' } },
    code: 'model-request-refused',
  },
  {
    name: 'a prompt that is too long',
    turn: badRequest('prompt is too long: 210000 tokens > 200000 maximum'),
    code: 'context-full',
  },
  {
    name: 'a request that is too large (413)',
    turn: status(413, 'request_too_large', 'too large'),
    code: 'context-full',
  },
  {
    name: 'a 429 that says not to try again',
    turn: rateLimited({ 'x-should-retry': 'false' }),
    code: 'model-request-refused',
  },
  {
    name: 'an error event about the key',
    turn: broken({ kind: 'errorEvent', type: 'authentication_error', message: 'expired' }, 0),
    code: 'model-key-refused',
  },
];

describe('the Anthropic engine survives', () => {
  let harness: EngineHarness;
  afterEach(() => harness.close());

  for (const { name, turn, reason, lost } of transient) {
    it(`${name}: it asks again, and says so`, async () => {
      harness = await EngineHarness.start([turn, says('Here I am.')]);
      const { host, api } = harness;
      const end = await harness.withTime((await harness.open()).send('Hi'));
      assert.deepEqual(end, { kind: 'done', text: 'Here I am.' });
      assert.equal(api.requests.length, 2);
      assert.equal(host.requests, 2);
      assert.deepEqual(host.lost, lost);
      assert.deepEqual(api.paidTwice(), []);
      const [told, ...more] = host.noticesOf('retrying');
      assert.match(told?.reason ?? '', reason);
      assert.deepEqual([told?.attempt, told?.delayMs, more], [1, 1000, []]);
      assert.equal(host.messages.length, 2);
      assert.equal(harness.clock.pendingTimers, 0);
    });
  }

  for (const { name, turn, code } of final) {
    it(`${name}: it says what is wrong and asks no more`, async () => {
      harness = await EngineHarness.start([turn]);
      const error = await (await harness.open()).send('Hi').catch((caught: unknown) => caught);
      assert.ok(error instanceof UserError, String(error));
      assert.equal(error.code, code);
      assert.equal(error.facts.retryable, false);
      assert.equal(harness.api.requests.length, 1);
    });
  }

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
