import assert from 'node:assert/strict';
import type { OfferedTask } from '../../../src/core/source';
import { dependenciesFirst } from '../../../src/core/offerOrder';

function offered(externalId: string, ...dependsOnExternal: string[]): OfferedTask {
  return { externalId, task: { title: externalId, prompt: externalId }, dependsOnExternal };
}

function order(...tasks: OfferedTask[]): string {
  return dependenciesFirst(tasks)
    .map(({ externalId }) => externalId)
    .join(' ');
}

describe('the order in which an offer is taken in', () => {
  it('is the offer’s own where nothing depends on anything', () => {
    assert.equal(order(offered('b'), offered('a'), offered('c')), 'b a c');
  });

  it('puts a task behind everything that it depends on, over several steps', () => {
    assert.equal(order(offered('c', 'b'), offered('d', 'a', 'c'), offered('b', 'a'), offered('a')), 'a b c d');
  });

  it('has every task of a ring once', () => {
    assert.equal(order(offered('a', 'b'), offered('b', 'c'), offered('c', 'a')), 'c b a');
  });

  it('does not mind a dependency that nobody knows, or one on itself', () => {
    assert.equal(order(offered('a', 'elsewhere', 'a'), offered('b')), 'a b');
  });

  it('takes a chain of 20,000', () => {
    const chain = Array.from({ length: 20_000 }, (_, n) => offered(String(n), String(n + 1)));
    assert.equal(dependenciesFirst(chain)[0]?.externalId, '19999');
  });
});
