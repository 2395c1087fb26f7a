import assert from 'node:assert/strict';
import { serverKey } from '../../../src/base/serverAddress';

describe('two addresses', () => {
  for (const [one, other] of [
    ['https://a.example', 'https://A.example:443/'],
    ['https://a.example/api', ' https://a.example/api//?x=y#z'],
    ['no address', 'no address'],
  ] as const)
    it(`are of one server: ${one} and ${other}`, () => assert.equal(serverKey(one), serverKey(other)));

  for (const [one, other] of [
    ['https://a.example', 'http://a.example'],
    ['https://a.example', 'https://a.example:8443'],
    ['https://a.example/api', 'https://a.example/API'],
  ] as const)
    it(`are of two: ${one} and ${other}`, () => assert.notEqual(serverKey(one), serverKey(other)));
});
