import assert from 'node:assert/strict';
import { isOnThisMachine } from '../../../src/base/thisMachine';

describe('an address', () => {
  for (const address of [
    'http://localhost:11434',
    'http://LOCALHOST./v1',
    'http://ollama.localhost:11434',
    'http://127.0.0.1:8080',
    'https://127.8.9.10',
    'http://127.1:1234',
    'http://[::1]:8000/v1',
    'http://[::ffff:127.0.0.1]:8000',
  ]) {
    it(`is on this machine: ${address}`, () => assert.equal(isOnThisMachine(address), true));
  }

  for (const address of [
    'https://api.anthropic.com',
    'http://192.168.1.2:11434',
    'http://localhost.evil.org',
    'http://127.0.0.1.evil.org',
    'http://notlocalhost',
    'http://localhost@evil.org',
    'http://[::2]',
    'nonsense',
  ]) {
    it(`is not: ${address}`, () => assert.equal(isOnThisMachine(address), false));
  }
});
