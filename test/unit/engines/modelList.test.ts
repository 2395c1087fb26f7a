import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { systemClock } from '../../../src/base/clock';
import { CancelledError, UserError } from '../../../src/base/errors';
import { listModels, type ModelListOptions } from '../../../src/engines/anthropic/modelList';
import { FakeClock } from '../../fakes/clock';
import { type ModelListServer, startModelListServer, writeJson } from '../../fakes/modelListServer';
import { testKey } from './harness';

const credential = { kind: 'apiKey', read: async () => testKey } as const;

describe('the list of models', () => {
  let server: ModelListServer;
  afterEach(() => server.close());

  async function answering(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<void> {
    server = await startModelListServer(answer);
  }

  function list(changes: Partial<ModelListOptions> = {}): ReturnType<typeof listModels> {
    return listModels({ credential, baseUrl: server.baseUrl, clock: systemClock, ...changes });
  }

  async function errorOf(work: Promise<unknown>): Promise<UserError> {
    const error = await work.then(
      () => undefined,
      (caught: unknown) => caught,
    );
    assert.ok(error instanceof UserError, String(error));
    assert.ok(!error.message.includes(testKey), error.message);
    return error;
  }

  it('is asked for with the key, page by page, each model once and in the server’s order', async () => {
    const pages: Record<string, unknown> = {
      '/v1/models?limit=1000': {
        data: [
          { id: 'claude-new', display_name: 'Claude New', max_input_tokens: 1_000_000, lifecycle: 'active' },
          { id: 'claude-old', display_name: 'Claude Old', max_input_tokens: 200_000, lifecycle: 'deprecated' },
        ],
        has_more: true,
        last_id: 'claude-old',
      },
      '/v1/models?limit=1000&after_id=claude-old': {
        data: [{ id: 'claude-new' }, { id: 'claude-odd', display_name: 7, max_input_tokens: -1 }],
        has_more: false,
        last_id: 'claude-odd',
      },
    };
    await answering((request, response) => writeJson(response, 200, pages[request.url ?? '']));
    assert.deepEqual(await list(), [
      { id: 'claude-new', name: 'claude-new', contextTokens: null, isDeprecated: false },
      { id: 'claude-old', name: 'Claude Old', contextTokens: 200_000, isDeprecated: true },
      { id: 'claude-odd', name: 'claude-odd', contextTokens: null, isDeprecated: false },
    ]);
    assert.deepEqual(
      server.requests,
      Object.keys(pages).map((url) => ({ what: `GET ${url}`, key: `Bearer ${testKey}`, betas: undefined })),
    );
  });

  it('is read where a local server writes it as OpenAI does, and no key is sent where there is none', async () => {
    await answering((_, response) =>
      writeJson(response, 200, { object: 'list', data: [{ id: 'qwen3:8b', object: 'model', owned_by: 'library' }] }),
    );
    const none = { kind: 'authToken', read: async () => undefined } as const;
    assert.deepEqual(await list({ credential: none }), [
      { id: 'qwen3:8b', name: 'qwen3:8b', contextTokens: null, isDeprecated: false },
    ]);
    assert.deepEqual(
      server.requests.map(({ key }) => key),
      [''],
    );
  });

  it('ends at some page, though the server’s has no end', async () => {
    let models = 0;
    await answering((_, response) => {
      models += 1;
      writeJson(response, 200, { data: [{ id: `m${models}` }], has_more: true, last_id: `m${models}` });
    });
    assert.equal((await list()).length, 20);
  });

  const noList = { type: 'error', error: { type: 'not_found_error', message: 'no such route' } };
  const refused = { type: 'error', error: { type: 'authentication_error', message: `invalid x-api-key ${testKey}` } };
  for (const [what, status, body, code, words] of [
    ['a server without such a route', 404, noList, 'model-list-missing', /has no list of its models\. Name the model/],
    ['a server that knows the route for something else', 405, noList, 'model-list-missing', /has no list/],
    ['a refused key, without showing it', 401, refused, 'model-key-refused', /refuses the key.*\(the key\)/],
    ['a server that fails', 500, noList, 'model-unreachable', /The model server failed \(500\)/],
    ['a list that is none', 200, { data: [{ name: 'x' }] }, 'model-unreachable', /list of models is malformed/],
    ['models that are no list', 200, { data: 'many' }, 'model-unreachable', /list of models is malformed/],
    ['a list that is far too long', 200, 'x'.repeat(9_000_000), 'model-unreachable', /far too long/],
  ] as const) {
    it(`says it of ${what}`, async () => {
      await answering((_, response) => writeJson(response, status, body));
      const error = await errorOf(list());
      assert.equal(error.code, code);
      assert.match(error.message, words);
      assert.equal(server.requests.length, 1);
    });
  }

  it('says it of a server that answers with a web page', async () => {
    await answering((_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'));
    assert.match((await errorOf(list())).message, /answered with text\/html instead of a list of models/);
  });

  it('says it of a server that is not there', async () => {
    await answering(() => {});
    await server.close();
    const error = await errorOf(list());
    assert.deepEqual([error.code, /ECONNREFUSED/.test(error.message)], ['model-unreachable', true]);
  });

  it('carries the key nowhere that a server sends it', async () => {
    await answering((request, response) =>
      request.url === '/elsewhere'
        ? writeJson(response, 200, {})
        : response.writeHead(307, { location: '/elsewhere' }).end(),
    );
    assert.match((await errorOf(list())).message, /sends us elsewhere \(307\)/);
    assert.equal(server.requests.length, 1);
  });

  it('is waited for 20 s in all', async () => {
    const clock = new FakeClock();
    await answering(() => void clock.advance(20_000));
    const error = await errorOf(list({ clock }));
    assert.match(error.message, /gave no list of its models for 20 s/);
    assert.equal(clock.pendingTimers, 0);
  });

  it('is no longer waited for by somebody who gave up', async () => {
    const abort = new AbortController();
    await answering(() => abort.abort());
    await assert.rejects(list({ signal: abort.signal }), CancelledError);
  });

  it('needs a key at Anthropic, and asks nobody without one', async () => {
    await answering(() => {});
    const none = { kind: 'apiKey', read: async () => undefined } as const;
    const work = listModels({ credential: none, clock: systemClock });
    assert.equal((await errorOf(work)).code, 'model-key-missing');
  });
});
