import assert from 'node:assert/strict';
import fc from 'fast-check';
import { readMessage } from '../../../src/engines/claudeCode/wire';

const type = fc.oneof(
  fc.constantFrom('assistant', 'user', 'result', 'system', 'control_request', 'control_response', 'stream_event'),
  fc.string(),
);
const line = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.jsonValue().map((value) => JSON.stringify(value)),
  fc
    .record({
      type,
      more: fc.dictionary(fc.string(), fc.jsonValue()),
      message: fc.jsonValue(),
      request: fc.jsonValue(),
    })
    .map(({ more, ...rest }) => JSON.stringify({ ...more, ...rest })),
);

describe('a line of Claude Code, whatever stands in it', () => {
  it('is a message or none', () => {
    fc.assert(
      fc.property(line, (text) => {
        const message = readMessage(text);
        assert.ok(message === undefined || typeof message.kind === 'string');
      }),
      { numRuns: 500 },
    );
  });
});
