import assert from 'node:assert/strict';
import { headersFor, laneOf, parseEndpoint, readAuthorization } from '../../../src/engines/anthropic/endpoint';

const anthropic = parseEndpoint(undefined);
const local = parseEndpoint('http://localhost:11434');

describe('an endpoint', () => {
  it('is Anthropic’s own when none is named', () => {
    assert.deepEqual(anthropic, { baseUrl: 'https://api.anthropic.com', isAnthropic: true });
  });

  for (const [given, baseUrl] of [
    ['http://localhost:11434', 'http://localhost:11434'],
    ['http://localhost:11434/', 'http://localhost:11434'],
    ['http://localhost:11434/v1', 'http://localhost:11434'],
    ['http://localhost:11434/v1/messages', 'http://localhost:11434'],
    ['https://example.org/proxy/v1/', 'https://example.org/proxy'],
    [' https://api.anthropic.com/v1 ', 'https://api.anthropic.com'],
  ] as const) {
    it(`reads ${JSON.stringify(given)} as ${baseUrl}`, () => {
      assert.equal(parseEndpoint(given).baseUrl, baseUrl);
    });
  }

  for (const given of [
    'localhost:11434',
    'ftp://example.org',
    'https://me:secret@example.org',
    'https://x.org/?key=1',
    '/v1',
  ]) {
    it(`refuses ${given}, without repeating it`, () => {
      assert.throws(
        () => parseEndpoint(given),
        (error: Error & { code?: string }) => error.code === 'model-url-invalid' && !error.message.includes('secret'),
      );
    });
  }

  it('takes another host for no Anthropic', () => {
    assert.equal(parseEndpoint('https://api.anthropic.com.evil.org').isAnthropic, false);
    assert.equal(parseEndpoint('http://api.anthropic.com').isAnthropic, false);
  });

  it('sends Anthropic what the SDK sends', () => {
    assert.deepEqual(headersFor(anthropic, { kind: 'apiKey', secret: 'sk-1' }), {});
  });

  it('needs a key at Anthropic, and none elsewhere', async () => {
    const none = { kind: 'apiKey', read: async () => ' ' } as const;
    await assert.rejects(readAuthorization(none, anthropic), { code: 'model-key-missing' });
    assert.deepEqual(await readAuthorization(none, local), { kind: 'none' });
  });

  it('refuses a key that no header can carry, without showing it', async () => {
    const broken = { kind: 'apiKey', read: async () => 'sk-secret\nsk-secret' } as const;
    await assert.rejects(readAuthorization(broken, anthropic), (error: Error & { code?: string }) => {
      return error.code === 'model-key-malformed' && !error.message.includes('secret');
    });
  });

  it('names a lane by server and key, and shows no key', () => {
    const lanes = ['sk-1', 'sk-2'].map((secret) => laneOf(anthropic, { kind: 'apiKey', secret }));
    assert.equal(new Set(lanes).size, 2);
    for (const lane of lanes) assert.match(lane, /^api\.anthropic\.com#[0-9a-f]{8}$/);
    assert.equal(laneOf(local, { kind: 'none' }), 'localhost:11434');
  });
});
