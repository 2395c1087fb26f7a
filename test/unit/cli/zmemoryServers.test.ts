import assert from 'node:assert/strict';
import { zmemoryServers } from '../../../src/cli/zmemoryServers';

describe('the servers of the command line', () => {
  const environment = { ZMEMORY_TOKEN: 'plain', ZMEMORY_TOKEN_SHOP_2: 'shop' };
  const found = (...given: string[]) =>
    Promise.all(
      zmemoryServers(given, { agent: 'me', artifacts: true }, environment).map(async (choice) =>
        choice.kind === 'server'
          ? [choice.name, choice.url, choice.agent, (await choice.token()) ?? null]
          : [choice.kind],
      ),
    );

  it('are the embedded one when none is named', async () => {
    assert.deepEqual(await found(), [['embedded']]);
  });

  it('are one without a name as ever, with its token', async () => {
    assert.deepEqual(await found('http://a.example/x?y=z'), [['zmemory', 'http://a.example/x?y=z', 'me', 'plain']]);
  });

  it('are several with names, none of which gets the token of another', async () => {
    assert.deepEqual(await found('shop-2=https://a.example', 'site=https://b.example', 'https://c.example'), [
      ['shop-2', 'https://a.example', 'me', 'shop'],
      ['site', 'https://b.example', 'me', null],
      ['zmemory', 'https://c.example', 'me', 'plain'],
    ]);
  });

  for (const given of [
    ['http://a.example', 'http://b.example'],
    ['a=http://a.example', 'a=http://b.example'],
    ['a b=http://a.example'],
    ['=http://a.example'],
    // Both would get the token of `ZMEMORY_TOKEN_SHOP_2`.
    ['shop-2=http://a.example', 'shop_2=http://b.example'],
    ['shop-2=http://a.example', 'SHOP-2=http://b.example'],
    // One server, whose tasks would be done twice.
    ['a=https://a.example', 'b=https://A.example:443/'],
    ['a=https://a.example/api', 'https://a.example/api/'],
  ]) {
    it(`are refused as ${given.join(' and ')}`, () => {
      assert.throws(() => zmemoryServers(given, { agent: 'me', artifacts: true }, environment), {
        code: 'source-name-invalid',
      });
    });
  }
});
