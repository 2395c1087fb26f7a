import assert from 'node:assert/strict';
import { createServer, type AddressInfo } from 'node:net';
import { systemClock } from '../../../src/base/clock';
import { CancelledError, UserError } from '../../../src/base/errors';
import { silentLogger, type Logger } from '../../../src/base/logger';
import { SourceUnreachableError } from '../../../src/core/source';
import { ZMemoryClient, type ZMemoryClientOptions } from '../../../src/sources/zmemory/client';
import { FakeClock } from '../../fakes/clock';
import { BadServer, json, type Handler } from './badServer';

const token = 'secret-token-1234567890';

describe('the ZMemory client', () => {
  let server: BadServer;
  let clients: ZMemoryClient[];

  beforeEach(async () => {
    server = new BadServer();
    clients = [];
    await server.listen();
  });
  afterEach(async () => {
    for (const client of clients) client.dispose();
    await server.close();
  });

  const clientOf = (options: Partial<ZMemoryClientOptions> = {}): ZMemoryClient => {
    const client = new ZMemoryClient({
      url: options.url ?? server.url,
      token,
      clock: systemClock,
      logger: silentLogger,
      ...options,
    });
    clients.push(client);
    return client;
  };

  describe('on the wire', () => {
    it('sends each call as the table says', async () => {
      server.handler = (_request, response) => json(response, { success: true, task: {}, tasks: [] });
      const client = clientOf();
      const complete = {
        result: {
          response: 'Done',
          usage: { input_tokens: 1, output_tokens: 2, total_tokens: 3 },
          model: 'm',
          execution_time_seconds: 4,
          artifacts: [],
          execution_mode: 'airlock',
        },
        completed_at: '2026-01-05T12:00:00.000Z',
      };
      await client.pending('my agent', null);
      await client.accept('a/b?c#d', 'my agent');
      await client.setStatus('1', { status: 'in_progress', progress: 50 });
      await client.complete('1', complete, { idempotencyKey: 'report-1' });
      await client.fail('1', { error: 'no', failed_at: '2026-01-05T12:00:00.000Z' });
      await client.addArtifact('1', { name: 'patch', content: 'x' });
      await client.stateOf('1');
      assert.deepEqual(
        server.requests.map(({ line, body }) => [line, body === '' ? null : (JSON.parse(body) as unknown)]),
        [
          ['GET /tasks/pending?agent=my%20agent', null],
          ['POST /tasks/a%2Fb%3Fc%23d/accept', { agent: 'my agent' }],
          ['PATCH /tasks/1/status', { status: 'in_progress', progress: 50 }],
          ['POST /tasks/1/complete', complete],
          ['POST /tasks/1/fail', { error: 'no', failed_at: '2026-01-05T12:00:00.000Z' }],
          ['POST /tasks/1/artifacts', { name: 'patch', content: 'x' }],
          ['GET /tasks', null],
        ],
      );
      assert.ok(server.requests.every(({ headers }) => headers.authorization === `Bearer ${token}`));
      assert.deepEqual(
        [server.requests[3]?.headers['idempotency-key'], server.requests[3]?.headers['content-type']],
        ['report-1', 'application/json'],
      );
    });

    it('keeps a path prefix, with and without a slash at its end', async () => {
      server.handler = (_request, response) => json(response, { tasks: [] });
      await clientOf({ url: `${server.url}/api/v1` }).pending('a', null);
      await clientOf({ url: `${server.url}/api/v1//` }).pending('a', null);
      assert.deepEqual(
        server.requests.map(({ line }) => line),
        ['GET /api/v1/tasks/pending?agent=a', 'GET /api/v1/tasks/pending?agent=a'],
      );
    });

    it('sends no token where there is none', async () => {
      server.handler = (_request, response) => json(response, { tasks: [] });
      await clientOf({ token: null }).pending('a', null);
      assert.equal(server.requests[0]?.headers.authorization, undefined);
    });

    it('looks again over the same connection', async () => {
      server.handler = (_request, response) => json(response, { tasks: [] });
      const client = clientOf();
      for (let look = 0; look < 5; look += 1) await client.pending('a', null);
      assert.equal(server.connections, 1);
    });

    it('asks for news alone by the ETag of the last answer', async () => {
      server.handler = (request, response) =>
        request.headers['if-none-match'] === '"7"'
          ? response.writeHead(304).end()
          : json(response, { tasks: [] }, 200, { etag: '"7"' });
      const client = clientOf();
      assert.deepEqual(await client.pending('a', null), { kind: 'tasks', entries: [], tag: '"7"' });
      assert.deepEqual(await client.pending('a', '"7"'), { kind: 'unchanged' });
    });

    it('sees by itself that an answer without an ETag is the same', async () => {
      server.handler = (_request, response) => json(response, { tasks: [{ id: 1 }] });
      const client = clientOf();
      const first = await client.pending('a', null);
      assert.equal(first.kind, 'tasks');
      assert.deepEqual(await client.pending('a', first.tag), { kind: 'unchanged' });
      assert.equal(server.requests[1]?.headers['if-none-match'], undefined);
    });

    for (const status of [400, 404, 409, 410, 422]) {
      it(`takes ${status} on a change for a refusal, with the server's words`, async () => {
        server.handler = (_request, response) => json(response, { detail: 'already\n taken' }, status);
        assert.deepEqual(await clientOf().accept('1', 'a'), { kind: 'refused', reason: 'already taken' });
      });
    }

    it('takes "success: false" for a refusal and an empty answer for success', async () => {
      server.handler = (_request, response) => json(response, { success: false, error: 'no' });
      assert.deepEqual(await clientOf().accept('1', 'a'), { kind: 'refused', reason: 'no' });
      server.handler = (_request, response) => response.writeHead(204).end();
      assert.deepEqual(await clientOf().accept('1', 'a'), { kind: 'done' });
    });

    it('finds a task among all of them, numbers as ids and odd entries between', async () => {
      server.handler = (_request, response) =>
        json(response, { tasks: [null, 'x', { id: {} }, { id: 7, status: 'accepted', agent: 'a', more: 1 }] });
      assert.deepEqual(await clientOf().stateOf('7'), { id: '7', status: 'accepted', agent: 'a', more: 1 });
      assert.equal(await clientOf().stateOf('8'), undefined);
    });

    it('knows no state where the server lists no tasks', async () => {
      assert.equal(await clientOf().stateOf('7'), undefined);
    });
  });

  describe('with a server that misbehaves', () => {
    const passing: [string, Handler, RegExp][] = [
      ['answers 500', (_q, response) => json(response, { error: 'boom' }, 500), /answers 500\. It says: boom$/],
      [
        'answers 502 with a page',
        (_q, response) => response.writeHead(502).end('<html>Bad gateway</html>'),
        /answers 502\.$/,
      ],
      [
        'answers a page',
        (_q, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
        /not JSON \(text\/html\)/,
      ],
      ['answers nothing at all', (_q, response) => response.writeHead(200).end(), /not JSON/],
      ['answers half of its JSON', (_q, response) => response.end('{"tasks":[{"id":'), /not JSON/],
      ['answers JSON of another shape', (_q, response) => json(response, { tasks: 'none' }), /another shape/],
      ['answers an array', (_q, response) => json(response, []), /another shape/],
      ['answers null', (_q, response) => json(response, null), /another shape/],
      ['hangs up at once', (_q, response) => response.destroy(), /cannot be reached: ECONNRESET/],
      [
        'hangs up in the middle',
        (_q, response) => {
          response.writeHead(200, { 'content-length': '1000' });
          response.write('{"tasks":');
          setImmediate(() => response.destroy());
        },
        /broke off|cannot be reached/,
      ],
    ];
    for (const [what, handler, words] of passing) {
      it(`takes it for something that may pass when it ${what}`, async () => {
        server.handler = handler;
        const error = await rejection(clientOf().pending('a', null));
        assert.ok(error instanceof SourceUnreachableError, String(error));
        assert.match(error.message, words);
      });
    }

    it('says where nobody listens', async () => {
      const { url } = server;
      await server.close();
      const error = await rejection(clientOf({ url }).pending('a', null));
      assert.ok(error instanceof SourceUnreachableError);
      assert.match(
        error.message,
        /^ZMemory at http:\/\/127\.0\.0\.1:\d+\/tasks\/pending cannot be reached: ECONNREFUSED\.$/,
      );
      await server.listen();
    });

    it('gives up on an answer that does not come', async () => {
      const clock = new FakeClock();
      const arrived = new Promise<void>((resolve) => (server.handler = () => resolve()));
      const failed = rejection(clientOf({ clock }).pending('a', null));
      await arrived;
      await clock.advance(30_000);
      assert.match(String(await failed), /did not answer in 30000 ms/);
      assert.equal(clock.pendingTimers, 0);
    });

    it('gives up on an answer that comes drop by drop', async () => {
      const dripping: NodeJS.Timeout[] = [];
      server.handler = (_request, response) => {
        response.writeHead(200);
        dripping.push(setInterval(() => response.write(' '), 5));
      };
      const error = await rejection(clientOf({ limits: { timeoutMs: 100 } }).pending('a', null));
      dripping.forEach(clearInterval);
      assert.ok(error instanceof SourceUnreachableError);
    });

    it('reads no more of an answer than is allowed', async () => {
      server.handler = (_request, response) => {
        const chunk = Buffer.alloc(64 * 1024, ' ');
        const feed = (): void => {
          while (!response.destroyed && response.write(chunk));
        };
        response.on('drain', feed);
        feed();
      };
      const error = await rejection(clientOf({ limits: { maxAnswerBytes: 1_000_000 } }).pending('a', null));
      assert.ok(error instanceof UserError);
      assert.deepEqual([error.code, error.facts], ['source-answer-too-large', { maxBytes: 1_000_000 }]);
    });

    it('reads an answer of 50 MB', async () => {
      server.handler = (_request, response) =>
        json(response, { tasks: [{ id: '1', description: 'x'.repeat(50_000_000) }] });
      const answer = await clientOf().pending('a', null);
      assert.equal(answer.kind === 'tasks' && answer.entries.length, 1);
    });

    it('passes on how long it wants to be left alone, as seconds and as a date, within reason', async () => {
      const clock = new FakeClock();
      const asked: (number | null)[] = [];
      for (const value of ['7', new Date(clock.nowMs() + 5_000).toUTCString(), '99999999', '-5', 'soon', '']) {
        server.handler = (_request, response) => json(response, {}, 429, { 'retry-after': value });
        const error = await rejection(clientOf({ clock }).pending('a', null));
        assert.ok(error instanceof SourceUnreachableError);
        asked.push(error.retryAfterMs);
      }
      assert.deepEqual(asked, [7_000, 5_000, 3_600_000, null, null, null]);
    });

    for (const status of [401, 403]) {
      it(`says that the token is refused on ${status}, and that another try makes sense later`, async () => {
        server.handler = (_request, response) => json(response, { error: `bad token ${token}` }, status);
        const error = await rejection(clientOf().accept('1', 'a'));
        assert.ok(error instanceof UserError);
        assert.deepEqual([error.code, error.facts], ['source-key-refused', { status, retryable: true }]);
      });
    }

    it('asks whether the address is right when there is no such call', async () => {
      const error = await rejection(clientOf().pending('a', null));
      assert.ok(error instanceof UserError);
      assert.equal(error.code, 'source-request-refused');
    });

    it('looks again when a kept connection was closed under it', async () => {
      server.handler = (_request, response) => json(response, { tasks: [] });
      const client = clientOf();
      await client.pending('a', null);
      // The server closes the connection as soon as the next request comes over it, as one does whose time is up.
      let hungUp = false;
      server.handler = (_request, response) => {
        if (hungUp) return json(response, { tasks: [] });
        hungUp = true;
        server.hangUp();
      };
      assert.equal((await client.pending('a', null)).kind, 'tasks');
      assert.equal(server.requests.length, 3);
    });

    it('never sends a change twice by itself', async () => {
      server.handler = (_request, response) => json(response, { success: true });
      const client = clientOf();
      await client.accept('1', 'a');
      server.handler = () => server.hangUp();
      assert.ok((await rejection(client.accept('2', 'a'))) instanceof SourceUnreachableError);
      assert.equal(server.requests.length, 2);
    });

    it('survives a server that does not speak HTTP', async () => {
      const nonsense = createServer((socket) =>
        socket
          .on('error', () => {})
          .resume()
          .end('SSH-2.0-OpenSSH_9.2\r\n'),
      );
      await new Promise<void>((resolve) => nonsense.listen(0, '127.0.0.1', resolve));
      const url = `http://127.0.0.1:${(nonsense.address() as AddressInfo).port}`;
      assert.ok((await rejection(clientOf({ url }).pending('a', null))) instanceof SourceUnreachableError);
      await new Promise((resolve) => nonsense.close(resolve));
    });
  });

  describe('with its token', () => {
    it('follows a redirect on the same server, and keeps the method', async () => {
      server.handler = (request, response) =>
        request.url?.endsWith('/accept')
          ? response.writeHead(307, { location: '/elsewhere' }).end()
          : json(response, { success: true });
      assert.deepEqual(await clientOf().accept('1', 'a'), { kind: 'done' });
      assert.deepEqual(
        server.requests.map(({ line, body }) => [line, body]),
        [
          ['POST /tasks/1/accept', '{"agent":"a"}'],
          ['POST /elsewhere', '{"agent":"a"}'],
        ],
      );
    });

    for (const status of [301, 302, 307, 308]) {
      it(`goes to no other server on ${status}`, async () => {
        const other = new BadServer();
        await other.listen();
        server.handler = (_request, response) =>
          response.writeHead(status, { location: `${other.url}/x?y=${token}` }).end();
        const error = await rejection(clientOf().pending('a', null));
        assert.ok(error instanceof UserError);
        assert.equal(error.code, 'source-moved');
        assert.ok(error.message.includes(other.url) && !error.message.includes(token));
        assert.deepEqual(other.requests, []);
        await other.close();
      });
    }

    it('does not turn a change into a question on 302, nor follow for ever', async () => {
      server.handler = (_request, response) => response.writeHead(302, { location: '/x' }).end();
      assert.ok((await rejection(clientOf().accept('1', 'a'))) instanceof UserError);
      assert.equal(server.requests.length, 1);
      assert.ok((await rejection(clientOf().pending('a', null))) instanceof UserError);
      assert.equal(server.requests.length, 5);
    });

    it('shows it in no error and no log, even when the server echoes it', async () => {
      const written: unknown[] = [];
      const note = (...words: unknown[]): unknown => written.push(words);
      const logger = { debug: note, info: note, warn: note, error: note } as Logger;
      for (const status of [302, 400, 401, 403, 404, 418, 429, 500]) {
        server.handler = (_request, response) =>
          json(response, { error: `no: ${token}` }, status, { location: `http://x/${token}`.slice(0, 9) });
        for (const call of [
          () => clientOf({ logger }).pending('a', null),
          () => clientOf({ logger }).accept('1', 'a'),
        ]) {
          const outcome: unknown = await call().catch((error: unknown) => error);
          written.push(outcome instanceof Error ? [outcome.message, outcome.stack, { ...outcome }] : outcome);
        }
      }
      assert.ok(!JSON.stringify(written).includes(token));
    });

    it('refuses one that cannot stand in a header, without repeating it', () => {
      assert.throws(
        () => clientOf({ token: 'abc\r\nX-Evil: 1' }),
        (error) => {
          assert.ok(
            error instanceof UserError && error.code === 'source-key-malformed' && !error.message.includes('abc'),
          );
          return true;
        },
      );
    });

    it('asks for it anew each time where it may change', async () => {
      let current: string | undefined;
      server.handler = (request, response) =>
        request.headers.authorization === `Bearer ${token}` ? json(response, { tasks: [] }) : json(response, {}, 401);
      const client = clientOf({ token: () => Promise.resolve(current) });
      assert.ok((await rejection(client.pending('a', null))) instanceof UserError);
      current = token;
      assert.equal((await client.pending('a', null)).kind, 'tasks');
      current = 'with a blank';
      assert.ok((await rejection(client.pending('a', null))) instanceof UserError);
      assert.equal(server.requests.length, 2);
    });

    it('warns once when it goes over the network unencrypted', async () => {
      const warnings: unknown[] = [];
      const logger = { ...silentLogger, warn: (...words: unknown[]) => warnings.push(words) } as Logger;
      // Names under .invalid never resolve: nothing leaves this machine.
      const limits = { timeoutMs: 50 };
      for (const [url, given] of [
        ['http://zmemory.invalid', token],
        ['http://zmemory.invalid', () => Promise.resolve(undefined)],
        ['https://zmemory.invalid', token],
        [server.url, token],
      ] as const) {
        const client = clientOf({ logger, url, token: given, limits });
        await client.pending('a', null).catch(() => {});
        await client.pending('a', null).catch(() => {});
      }
      assert.deepEqual(warnings, [
        ['The ZMemory token goes over the network unencrypted', { origin: 'http://zmemory.invalid' }],
      ]);
    });
  });

  for (const url of ['', 'zmemory', 'ftp://x', 'file:///etc/passwd', 'http://user:password@host/', 'http://']) {
    it(`refuses ${JSON.stringify(url)} as an address`, () => {
      assert.throws(
        () => clientOf({ url }),
        (error) => {
          assert.ok(
            error instanceof UserError && error.code === 'source-url-invalid' && !error.message.includes('password@'),
          );
          return true;
        },
      );
    });
  }

  it('gives up what is under way when it is disposed of', async () => {
    const arrived = new Promise<void>((resolve) => (server.handler = () => resolve()));
    const client = clientOf();
    const failed = rejection(client.pending('a', null));
    await arrived;
    client.dispose();
    assert.ok((await failed) instanceof CancelledError);
    assert.ok((await rejection(client.pending('a', null))) instanceof CancelledError);
  });
});

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('It did not reject.');
}
