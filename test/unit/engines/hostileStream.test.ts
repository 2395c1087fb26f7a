import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isUserError } from '../../../src/base/errors';
import { conversationMessageSchema } from '../../../src/core/engine';
import { says } from '../../fakes/messagesApiTurns';
import type { FakeTurn } from '../../fakes/messagesApi';
import { EngineHarness } from './harness';

const eventNames = [
  'message_start',
  'content_block_start',
  'content_block_delta',
  'content_block_stop',
  'message_delta',
  'message_stop',
  'ping',
  'error',
  'news',
];

/** Fields that the real events have, with values that they never have. */
const field = fc.constantFrom(
  'type',
  'index',
  'delta',
  'content_block',
  'message',
  'usage',
  'error',
  'text',
  'partial_json',
);
const wireEvent = fc
  .record({ name: fc.constantFrom(...eventNames), fields: fc.dictionary(field, fc.jsonValue(), { maxKeys: 4 }) })
  .map(({ name, fields }) => `event: ${name}\ndata: ${JSON.stringify({ type: name, ...fields })}\n\n`);
const garbage = fc.string({ unit: 'binary', maxLength: 100 }).map((text) => `${text}\n\n`);

const turn: fc.Arbitrary<FakeTurn> = fc
  .record({
    texts: fc.array(fc.oneof(wireEvent, garbage), { minLength: 1, maxLength: 4 }),
    afterEvents: fc.integer({ min: 0, max: 7 }),
    calls: fc.boolean(),
    inputJson: fc.oneof(fc.json(), fc.string({ maxLength: 40 })),
  })
  .map(({ texts, afterEvents, calls, inputJson }) => ({
    kind: 'broken',
    reply: calls
      ? { content: [{ type: 'tool_use', id: 'call-1', name: 'bash', inputJson }], stopReason: 'tool_use' }
      : { content: [{ type: 'text', text: 'Hello.' }] },
    afterEvents,
    then: { kind: 'raw', text: texts.join('') },
  }));

describe('a model whose stream is nonsense', () => {
  it('ends the exchange, or fails it in clear words, and only whole messages are kept', async function () {
    this.timeout(60_000);
    await fc.assert(
      fc.asyncProperty(fc.array(turn, { minLength: 1, maxLength: 4 }), async (turns) => {
        let at = 0;
        const harness = await EngineHarness.start(() => turns[at++] ?? says('Done.'));
        try {
          const conversation = await harness.open();
          const end = await harness.withTime(conversation.send('Hi')).catch((error: unknown) => {
            assert.ok(isUserError(error), String(error));
            return { kind: error.code };
          });
          assert.notEqual(end.kind, '');
          for (const message of harness.host.messages) conversationMessageSchema.parse(message);
          const roles = harness.host.messages.map(({ role }) => role);
          assert.deepEqual(
            roles,
            roles.map((_, place) => (place % 2 === 0 ? 'user' : 'assistant')),
          );
        } finally {
          await harness.close();
        }
      }),
      { numRuns: 60 },
    );
  });
});
