import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { UserError } from '../../../src/base/errors';
import type { EngineEnd } from '../../../src/core/engine';
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
  stopsWith,
  text,
  toolUse,
  toolUseRaw,
} from '../../fakes/messagesApiTurns';
import { EngineHarness } from './harness';

const begun = { usage: { ...noUsage, inputTokens: 100, outputTokens: 1 }, model: 'claude-test' };

/** What the run does. The documentation says it in the words of `wordsOf`. */
type Outcome =
  /** The request is made again. `counted`: what the broken answer used is kept. `lane`: all runs of that lane wait. */
  | { readonly kind: 'again'; readonly delayMs: number; readonly counted?: true; readonly lane?: true }
  /** No request more is made. */
  | { readonly kind: 'ends'; readonly code: string }
  /** The answer is kept, and the run goes on or comes to that end. */
  | { readonly kind: 'kept'; readonly words: string; readonly end: EngineEnd };

const again: Outcome = { kind: 'again', delayMs: 1000 };
const againCounted: Outcome = { kind: 'again', delayMs: 1000, counted: true };
const againInLane = (delayMs: number): Outcome => ({ kind: 'again', delayMs, lane: true });
const ends = (code: string): Outcome => ({ kind: 'ends', code });
const kept = (words: string, end: EngineEnd = { kind: 'done', text: 'Here I am.' }): Outcome => ({
  kind: 'kept',
  words,
  end,
});

function sse(data: string): FakeTurn {
  return broken({ kind: 'raw', text: `event: content_block_delta\ndata: ${data}\n\n` });
}

const html = { 'content-type': 'text/html' };
const secondStart = '{"type":"message_start","message":{"id":"x","model":"y"}}';

const rows: readonly (readonly [fault: string, turn: FakeTurn, outcome: Outcome])[] = [
  ['429 without `retry-after`', rateLimited(), againInLane(1000)],
  ['429 with `retry-after: 7`', rateLimited({ 'retry-after': '7' }), againInLane(8000)],
  ['429 with an absurd `retry-after` (a day)', rateLimited({ 'retry-after': '86400' }), againInLane(300_000)],
  ['429 with a nonsensical `retry-after`', rateLimited({ 'retry-after': 'soon' }), againInLane(1000)],
  ['429 with `x-should-retry: false`', rateLimited({ 'x-should-retry': 'false' }), ends('model-request-refused')],
  ['529', overloaded(), againInLane(1000)],
  ['500', status(500, 'api_error', 'oops'), again],
  ['502 with a web page of a gateway', { kind: 'status', status: 502, body: '<html>Bad</html>' }, again],
  ['408', status(408, 'timeout_error', 'slow'), again],
  ['400', badRequest(), ends('model-request-refused')],
  ['401', keyRefused(), ends('model-key-refused')],
  ['402', status(402, 'billing_error', 'pay'), ends('model-unpaid')],
  ['403', status(403, 'permission_error', 'no'), ends('model-key-refused')],
  ['404', status(404, 'not_found_error', 'model: x'), ends('model-not-found')],
  [
    '404 with a web page: no Messages API',
    { kind: 'status', status: 404, body: '<html>', headers: html },
    againInLane(1000),
  ],
  ['307', { kind: 'status', status: 307, body: '', headers: { location: '/x' } }, ends('model-request-refused')],
  ['a web page instead of a stream', { kind: 'status', status: 200, body: '<html>', headers: html }, againInLane(1000)],
  ['a reset before any header', resetBeforeHeaders, again],
  ['a reset in the middle of the stream', broken({ kind: 'reset' }), againCounted],
  ['a clean end without `message_stop`', broken({ kind: 'end' }), againCounted],
  ['a clean end before `message_start`', broken({ kind: 'end' }, 0), again],
  [
    '`message_stop` before `message_start`',
    broken({ kind: 'raw', text: 'event: message_stop\ndata: {"type":"message_stop"}\n\n' }, 0),
    again,
  ],
  [
    'an `error` event: overloaded',
    broken({ kind: 'errorEvent', type: 'overloaded_error', message: 'Overloaded' }),
    { kind: 'again', delayMs: 1000, counted: true, lane: true },
  ],
  [
    'an `error` event: the key has expired',
    broken({ kind: 'errorEvent', type: 'authentication_error', message: 'expired' }, 0),
    ends('model-key-refused'),
  ],
  ['broken JSON in an event', sse('{"type": "content_bl'), againCounted],
  ['an event of the wrong shape', sse('{"type": "content_block_delta"}'), againCounted],
  ['a second `message_start`', sse(secondStart), againCounted],
  [
    'comments, unknown events and garbage lines',
    broken({ kind: 'raw', text: ': x\n\nevent: news\ndata: {"type":"news"}\n\nnonsense\n\ndata: 5\n\n' }, 1, [
      text('Here I am.'),
    ]),
    kept('passes over them'),
  ],
  ['a stall before any header (290 s)', broken({ kind: 'stall' }, 0), again],
  ['a stall in the middle of the stream (120 s)', broken({ kind: 'stall' }), againCounted],
  [
    'a connection that stays open after `message_stop`',
    broken({ kind: 'stall' }, 99, [text('Here I am.')]),
    kept('takes the answer'),
  ],
  [
    'broken JSON in the input of a tool',
    { kind: 'reply', reply: { content: [toolUseRaw('bash', '{"command": ')] } },
    kept('does no call, tells the model, goes on'),
  ],
  [
    'a refusal',
    stopsWith('refusal', text('No.')),
    kept('ends with the model’s words', { kind: 'refused', text: 'No.' }),
  ],
  [
    '`max_tokens`',
    stopsWith('max_tokens', text('Half ')),
    kept('lets the model go on, twice in a row at most', { kind: 'done', text: 'Half Here I am.' }),
  ],
  [
    '`max_tokens` in the input of a tool',
    stopsWith('max_tokens', toolUse('bash', {})),
    kept('does no call, tells the model, goes on'),
  ],
  ['`pause_turn`', stopsWith('pause_turn', text('Wait. ')), kept('asks it to go on')],
  [
    '`model_context_window_exceeded`',
    stopsWith('model_context_window_exceeded', text('Half ')),
    kept('makes room in the conversation, goes on'),
  ],
  [
    'the task alone is too long: `prompt is too long`',
    badRequest('prompt is too long: 210000 tokens > 200000 maximum'),
    ends('context-full'),
  ],
  ['the task alone is too large: 413', status(413, 'request_too_large', 'too large'), ends('context-full')],
];

function wordsOf(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'again': {
      const counted = outcome.counted ? 'counts what was used, ' : '';
      const lane = outcome.lane ? '; all runs of that key and model wait' : '';
      return `${counted}asks again after ${outcome.delayMs / 1000} s at most${lane}`;
    }
    case 'ends':
      return `ends with \`${outcome.code}\``;
    case 'kept':
      return outcome.words;
  }
}

describe('the fault table', () => {
  let harness: EngineHarness | undefined;
  afterEach(() => harness?.close());

  for (const [fault, turn, outcome] of rows) {
    it(`${fault}: ${wordsOf(outcome)}`, async () => {
      let played = false;
      harness = await EngineHarness.start(() => {
        if (played) return says('Here I am.');
        played = true;
        return turn;
      });
      const { host, api, clock } = harness;
      const work = (await harness.open()).send('Hi');
      // A stall is waited out in large steps, a connection that lingers in small ones.
      const end = await harness.withTime(work, 100).catch((error: unknown) => error);
      assert.deepEqual(api.paidTwice(), []);
      assert.equal(clock.pendingTimers, 0);
      switch (outcome.kind) {
        case 'again': {
          assert.deepEqual(end, { kind: 'done', text: 'Here I am.' });
          const [told, ...more] = host.noticesOf('retrying');
          assert.deepEqual([told?.attempt, told?.delayMs, more], [1, outcome.delayMs, []]);
          assert.deepEqual(host.lost, outcome.counted ? [begun] : []);
          assert.equal(host.pauses.length, outcome.lane ? 1 : 0);
          return;
        }
        case 'ends':
          assert.ok(end instanceof UserError, String(end));
          assert.deepEqual([end.code, end.facts['retryable'], api.requests.length], [outcome.code, false, 1]);
          return;
        case 'kept':
          assert.deepEqual(end, outcome.end);
          assert.deepEqual([host.noticesOf('retrying'), host.lost], [[], []]);
          assert.deepEqual(
            host.log.filter((line) => line.startsWith('begin')),
            [],
          );
      }
    });
  }

  it('is the one of the documentation', () => {
    const page = readFileSync(path.join(import.meta.dirname, '../../../docs/engines.md'), 'utf8');
    const [, section = ''] = page.split('### Every fault of a server\n');
    const table = [...(section.split('\n#')[0] ?? '').matchAll(/^\| (.+?) +\| (.+?) +\|$/gm)].map(([, a, b]) => [a, b]);
    assert.deepEqual(
      table.slice(1).filter(([fault]) => !/^-+$/.test(fault ?? '')),
      rows.map(([fault, , outcome]) => [fault, wordsOf(outcome)]),
    );
  });
});
