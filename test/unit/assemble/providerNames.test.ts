import assert from 'node:assert/strict';
import type { EngineChoice } from '../../../src/assemble';
import { providersOf } from '../../../src/assemble/providerNames';

const credential = { kind: 'apiKey' as const, read: () => Promise.resolve('sk-test-key') };
const claude = (baseUrl: string | null): EngineChoice => ({ kind: 'anthropic', credential, baseUrl, model: null });
const claudeCode = (baseUrl: string | null): EngineChoice => ({
  kind: 'claude-code',
  credential,
  baseUrl,
  model: null,
  path: null,
  process: 'perRun',
});

describe('the provider in telemetry', () => {
  const servers: [string | null, string][] = [
    [null, 'anthropic'],
    ['', 'anthropic'],
    ['https://api.anthropic.com/', 'anthropic'],
    ['https://api.deepseek.com/anthropic', 'deepseek'],
    ['https://api.moonshot.ai/anthropic', 'moonshot_ai'],
    ['https://team.services.ai.azure.com/anthropic', 'azure.ai.inference'],
    ['https://bedrock-runtime.eu-central-1.amazonaws.com', 'aws.bedrock'],
    ['https://europe-west1-aiplatform.googleapis.com/v1', 'gcp.vertex_ai'],
    ['http://127.0.0.1:11434', 'anthropic_compatible'],
    ['https://models.example.com', 'anthropic_compatible'],
    ['https://notanthropic.com', 'anthropic_compatible'],
    ['https://anthropic.com.example.net', 'anthropic_compatible'],
    ['no address', 'anthropic_compatible'],
  ];
  for (const [baseUrl, word] of servers) {
    it(`of ${baseUrl ?? 'the server that nobody named'} is ${word}`, () => {
      assert.equal(providersOf({ engine: claude(baseUrl) })('anthropic'), word);
      assert.equal(providersOf({ engine: claudeCode(baseUrl) })('claude-code'), word);
    });
  }

  it('is that of the engine by which the run goes', () => {
    const providerOf = providersOf({
      engine: claude('http://127.0.0.1:11434'),
      otherEngines: [claudeCode(null), { kind: 'scripted', baseUrl: 'http://127.0.0.1:1', token: 'token' }],
    });
    assert.deepEqual(['anthropic', 'claude-code', 'scripted', 'gone'].map(providerOf), [
      'anthropic_compatible',
      'anthropic',
      'airlock',
      'anthropic_compatible',
    ]);
  });
});
