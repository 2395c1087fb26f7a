import assert from 'node:assert/strict';
import fc from 'fast-check';
import { readAgentFile } from '../../../src/personas/agentFile';
import { readPersonaFile } from '../../../src/personas/personaFile';

const key = fc.oneof(
  fc.constantFrom('name', 'description', 'model', 'tools', 'network', 'limits', 'engine', 'prompt'),
  fc.string({ maxLength: 10 }),
);
/** JSON is YAML: keys that there are, with values of every kind. */
const header = fc.dictionary(key, fc.jsonValue()).map((value) => JSON.stringify(value));
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.tuple(header, fc.string({ unit: 'grapheme' })).map(([yaml, body]) => `---\n${yaml}\n---\n${body}`),
  fc.tuple(fc.string({ unit: 'binary' }), fc.string()).map(([yaml, body]) => `---\n${yaml}\n---\n${body}`),
);

describe('a persona file, whatever stands in it', () => {
  it('gives a persona, or says what is wrong with it, and never both nor neither', () => {
    fc.assert(
      fc.property(text, (content) => {
        for (const read of [
          readPersonaFile(content, 'own', '/p/own.md'),
          readAgentFile(content, 'own', '/p/own.md', {}),
        ]) {
          const { persona, diagnostics } = read;
          assert.ok(persona !== undefined || diagnostics.length > 0);
          for (const { message } of diagnostics) assert.ok(message.length > 0);
        }
      }),
      { numRuns: 300 },
    );
  });
});
