import assert from 'node:assert/strict';
import type { Engine } from '../../../src/core/engine';
import { personaSchema } from '../../../src/core/persona';
import { engineOf } from '../../../src/executor/runEngine';

function engine(kind: string): Engine {
  return { kind, lane: kind, defaultModel: 'a-model', open: () => Promise.reject(new Error('not opened')) };
}

describe('the engine of a persona', () => {
  const ports = { engine: engine('anthropic'), engines: [engine('claude-code')] };
  const persona = (named: string | null) => personaSchema.parse({ name: 'scribe', engine: named });

  it('is the one that it names, or that of the settings', () => {
    assert.equal(engineOf(ports, persona(null)).kind, 'anthropic');
    assert.equal(engineOf(ports, persona('claude-code')).kind, 'claude-code');
    assert.equal(engineOf(ports, persona('anthropic')).kind, 'anthropic');
  });

  it('is missed in words that say what there is', () => {
    assert.throws(() => engineOf({ engine: engine('scripted') }, persona('claude-code')), {
      code: 'engine-unavailable',
      message:
        'The persona “scribe” wants the engine “claude-code”, and this executor has only “scripted”. Set it up, or take it out of the persona.',
    });
  });
});
