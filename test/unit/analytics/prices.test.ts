import assert from 'node:assert/strict';
import { costOf, pricesWith } from '../../../src/analytics/prices';
import { noUsage } from '../../../src/core/usage';

const million = 1_000_000;

describe('the price of a request', () => {
  it('counts each class of tokens at its own rate', () => {
    const classes = [
      'inputTokens',
      'outputTokens',
      'cacheWrite5mTokens',
      'cacheWrite1hTokens',
      'cacheReadTokens',
    ] as const;
    const costs = classes.map((name) => costOf('claude-opus-5-5', { ...noUsage, [name]: million }));
    assert.deepEqual(costs, [4, 20, 5, 8, 0.2]);
    const all = Object.fromEntries(classes.map((name) => [name, million]));
    assert.equal(costOf('claude-opus-5-5', { ...noUsage, ...all }), 37.2);
  });

  for (const [model, input, output, cacheRead] of [
    ['claude-fable-5-1', 10, 50, 0.25],
    ['claude-opus-4-5-20251101', 5, 25, 0.5],
    ['claude-opus-4-20250514', 15, 75, 1.5],
    ['claude-sonnet-5-5[1m]', 2, 10, 0.1],
    ['claude-sonnet-4-5-20250929', 3, 15, 0.3],
    ['claude-haiku-4-5', 1, 5, 0.1],
    ['claude-3-5-haiku-latest', 0.8, 4, 0.08],
    ['airlock-scripted', 0, 0, 0],
  ] as const) {
    it(`knows ${model}`, () => {
      const cost = (usage: object) => costOf(model, { ...noUsage, ...usage });
      assert.deepEqual(
        [cost({ inputTokens: million }), cost({ outputTokens: million }), cost({ cacheReadTokens: million })],
        [input, output, cacheRead],
      );
    });
  }

  it('is higher for all of a request with a long prompt, where a model has it so', () => {
    const short = { ...noUsage, inputTokens: 50_000, cacheReadTokens: 50_000, outputTokens: 1000 };
    assert.equal(costOf('claude-haiku-5-5', short)?.toFixed(6), '0.006000');
    const long = { ...short, cacheReadTokens: 50_001 };
    assert.equal(costOf('claude-haiku-5-5', long)?.toFixed(6), '0.030000');
  });

  for (const model of [
    '',
    'claude-opus-9',
    'claude-fable-5-2',
    'my-claude-opus-5',
    'claude-opus-5-mini',
    'qwen3-coder',
    'constructor',
  ]) {
    it(`is not known for ${JSON.stringify(model)}`, () => {
      assert.equal(costOf(model, { ...noUsage, inputTokens: 1 }), null);
    });
  }
});

describe('prices with a server on this machine', () => {
  const used = { ...noUsage, inputTokens: million };
  const prices = pricesWith({ 'dear-*': { input: 3, output: 9 } }, true);

  it('are nothing for what has none, and what the user and the public list say elsewhere', () => {
    const costs = ['qwen3:8b', 'dear-model', 'claude-sonnet-5-5'].map((model) => prices.costOf(model, used));
    assert.deepEqual(costs, [0, 3, 2]);
    assert.equal(pricesWith({}).costOf('qwen3:8b', used), null);
  });

  it('have a name of their own', () => {
    assert.match(prices.version, /free on this machine$/);
    assert.notEqual(pricesWith({}, true).version, pricesWith({}).version);
  });
});
