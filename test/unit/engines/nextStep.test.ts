import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isAtRest, type ConversationMessage } from '../../../src/core/engine';
import { nextStep } from '../../../src/engines/anthropic/nextStep';

const message = fc.record<ConversationMessage>({
  role: fc.constantFrom('user', 'assistant'),
  content: fc.array(
    fc.oneof(
      fc.constant({ type: 'text', text: 'words' }),
      fc.constant({ type: 'tool_use', id: 'a', name: 'bash', input: {} }),
      fc.constant({ type: 'tool_use', id: 'b', name: 'bash', input: {}, airlock_invalid_input: '{' }),
    ),
  ),
  messageId: fc.constant(null),
  stopReason: fc.constantFrom(null, 'end_turn', 'tool_use', 'max_tokens', 'pause_turn', 'refusal', 'unheard_of'),
  model: fc.constant(null),
  usage: fc.constant(null),
});

describe('the next step of a conversation', () => {
  it('is the end exactly when it is at rest, or when the end was none of the agent’s own', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 6 }), (history) => {
        const step = nextStep(history, 2);
        const isDone = step.kind === 'end' && step.end.kind === 'done';
        assert.equal(isDone, isAtRest(history));
      }),
    );
  });

  it('leaves no call without an answer', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 6 }), (history) => {
        const last = history.at(-1);
        const step = nextStep(history, 2);
        const calls = last?.role === 'assistant' ? last.content.filter((block) => block.type === 'tool_use') : [];
        if (calls.length > 0 && step.kind !== 'end') {
          assert.equal(step.kind === 'answerCalls' && step.calls.length, calls.length);
        }
      }),
    );
  });
});
