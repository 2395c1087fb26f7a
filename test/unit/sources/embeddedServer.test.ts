import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmod, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import http from 'node:http';
import { connect } from 'node:net';
import path from 'node:path';
import { systemClock } from '../../../src/base/clock';
import { silentLogger } from '../../../src/base/logger';
import { startEmbeddedServer, type EmbeddedServer } from '../../../src/sources/zmemory/embeddedServer';
import { useTempFolder } from './tempFolder';

interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: { readonly [key: string]: unknown };
}

describe('the embedded ZMemory server', () => {
  const folder = useTempFolder();
  let server: EmbeddedServer;

  beforeEach(async () => (server = await begin()));
  afterEach(() => server.close());

  const begin = (): Promise<EmbeddedServer> =>
    startEmbeddedServer({
      storage: path.join(folder.path, 'zmemory'),
      port: 0,
      clock: systemClock,
      logger: silentLogger,
    });

  const ask = (
    line: string,
    options: { body?: string | Buffer; headers?: http.OutgoingHttpHeaders; token?: string | null } = {},
  ): Promise<Answer> => {
    const [method, target] = line.split(' ');
    const { body, headers = {}, token = server.token } = options;
    return new Promise((resolve, reject) => {
      const request = http.request(
        { host: '127.0.0.1', port: server.port, method, path: target, agent: false },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('end', () => {
            const text = Buffer.concat(chunks).toString('utf8');
            const parsed = text === '' ? {} : (JSON.parse(text) as Answer['body']);
            resolve({ status: response.statusCode ?? 0, headers: response.headers, body: parsed });
          });
        },
      );
      request.on('error', reject);
      if (token !== null) request.setHeader('authorization', `Bearer ${token}`);
      for (const [name, value] of Object.entries(headers)) if (value !== undefined) request.setHeader(name, value);
      request.end(body);
    });
  };

  const post = (target: string, value: unknown): Promise<Answer> =>
    ask(`POST ${target}`, { body: JSON.stringify(value) });

  it('leads a task from its making to its end, call by call', async () => {
    const created = await post('/tasks', { description: 'Fix it', context: { priority: 'P1' } });
    assert.equal(created.status, 201);
    const { id } = created.body['task'] as { id: string };
    const pending = await ask('GET /tasks/pending?agent=me');
    assert.deepEqual(pending.body, { tasks: [created.body['task']] });
    assert.equal((await post(`/tasks/${id}/accept`, { agent: 'me' })).status, 200);
    assert.equal(
      (await ask(`PATCH /tasks/${id}/status`, { body: '{"status":"in_progress","progress":10}' })).status,
      200,
    );
    assert.equal((await post(`/tasks/${id}/artifacts`, { name: 'log', content: 'text' })).status, 200);
    const failed = await post(`/tasks/${id}/fail`, { error: 'no', failed_at: '2026-01-05T12:00:00Z' });
    assert.deepEqual([failed.status, failed.body['success']], [200, true]);
    const all = await ask('GET /tasks');
    assert.deepEqual(
      (all.body['tasks'] as { status: string }[]).map(({ status }) => status),
      ['failed'],
    );
    assert.equal(((await ask(`GET /tasks/${id}`)).body['task'] as { error: string }).error, 'no');
  });

  it('tells its health to anybody on this machine', async () => {
    const answer = await ask('GET /health', { token: null });
    assert.equal(answer.body['status'], 'ok');
    assert.ok(!Number.isNaN(Date.parse(String(answer.body['timestamp']))));
  });

  it('says unchanged by ETag until the offer changes', async () => {
    const first = await ask('GET /tasks/pending?agent=me');
    const etag = first.headers.etag ?? '';
    assert.equal((await ask('GET /tasks/pending?agent=me', { headers: { 'if-none-match': etag } })).status, 304);
    await post('/tasks', { description: 'New' });
    assert.equal((await ask('GET /tasks/pending?agent=me', { headers: { 'if-none-match': etag } })).status, 200);
  });

  describe('keeps out', () => {
    for (const [what, headers, token, status] of [
      ['a call without a token', {}, null, 401],
      ['a call with a wrong token', {}, 'wrong', 401],
      ['a name that was rebound to loopback', { host: 'evil.example' }, undefined, 403],
      ['another port in Host', { host: '127.0.0.1:1' }, undefined, 403],
      ['a web page', { origin: 'https://evil.example' }, undefined, 403],
      ['a page of loopback', { origin: 'http://localhost:3000' }, undefined, 403],
      ['a page without an origin', { origin: 'null' }, undefined, 403],
    ] as const) {
      it(what, async () => {
        const answer = await ask('POST /tasks', {
          body: '{"description":"x"}',
          headers,
          ...(token === undefined ? {} : { token }),
        });
        assert.deepEqual([answer.status, answer.body['success']], [status, false]);
        assert.deepEqual(server.api.list(), []);
      });
    }

    it('every address but loopback', () => {
      assert.match(server.url, /^http:\/\/127\.0\.0\.1:\d+$/);
    });
  });

  describe('answers in clear words', () => {
    for (const [line, body, status, words] of [
      ['POST /tasks', '{"description":', 400, /not JSON/],
      ['POST /tasks', '', 400, /empty/],
      ['POST /tasks', Buffer.from([0x22, 0xff, 0x22]), 400, /not UTF-8/],
      ['POST /tasks', '[]', 400, /not what this call wants/],
      ['POST /tasks', '{"description":""}', 400, /description/],
      ['POST /tasks/none/accept', '{"agent":"me"}', 404, /no such task/],
      ['POST /tasks/none/accept', '{}', 400, /agent/],
      ['PATCH /tasks/none/status', '{"status":"in_progress","progress":101}', 400, /progress/],
      ['POST /tasks/%zz/accept', '{"agent":"me"}', 400, /path/],
      ['DELETE /tasks', undefined, 405, /GET, POST/],
      ['GET /', undefined, 404, /no such call/],
      ['GET /tasks/none', undefined, 404, /no such task/],
      ['GET //evil.example/tasks', undefined, 404, /no such call/],
    ] as const) {
      it(`${line} with ${String(body).slice(0, 40)}`, async () => {
        const answer = await ask(line, body === undefined ? {} : { body });
        assert.equal(answer.status, status);
        assert.match(String(answer.body['error']), words);
      });
    }

    it('a task that is not in a state for it', async () => {
      const created = await post('/tasks', { description: 'x' });
      const { id } = created.body['task'] as { id: string };
      const answer = await post(`/tasks/${id}/fail`, { error: 'x', failed_at: 'now' });
      assert.deepEqual([answer.status, answer.body['error']], [409, 'The task cannot be changed so: it is pending.']);
    });

    it('a body that is too long, whether it says so before or not', async () => {
      const body = Buffer.alloc(17 * 1024 * 1024, 'x');
      assert.equal((await ask('POST /tasks', { body })).status, 413);
      assert.equal((await ask('POST /tasks', { body, headers: { 'transfer-encoding': 'chunked' } })).status, 413);
    });
  });

  it('survives what is no HTTP, and clients that hang up', async () => {
    for (const bytes of [
      'nonsense\r\n\r\n',
      'GET /tasks HTTP/1.1\r\nHost: x\r\n',
      'POST /tasks HTTP/1.1\r\nContent-Length: 10\r\n\r\nab',
    ]) {
      const socket = connect(server.port, '127.0.0.1');
      await once(socket, 'connect');
      socket.write(bytes);
      socket.resume().end();
      await new Promise((resolve) => socket.once('close', resolve));
    }
    assert.equal((await ask('GET /tasks')).status, 200);
  });

  it('tells of every change as it happens', async () => {
    const events = await listen();
    const [task] = await server.api.create([{ description: 'x' }]);
    await server.api.accept(task?.id ?? '', 'me');
    assert.deepEqual(
      [await events.next(), await events.next()].map((event) => [event.id, event.status, event.agent]),
      [
        [task?.id, 'pending', null],
        [task?.id, 'accepted', 'me'],
      ],
    );
    events.close();
  });

  it('ends its streams when it closes', async () => {
    const events = await listen();
    await server.close();
    await events.ended;
    server = await begin();
  });

  it('makes a token that its user alone can read, and keeps it', async () => {
    const file = path.join(folder.path, 'zmemory', 'token');
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.equal((await readFile(file, 'utf8')).trim(), server.token);
    assert.ok(server.token.length >= 40);
    const before = server.token;
    await server.close();
    server = await begin();
    assert.equal(server.token, before);
  });

  it('does not start on a token that others can read', async () => {
    await server.close();
    const file = path.join(folder.path, 'zmemory', 'token');
    await chmod(file, 0o644);
    await assert.rejects(begin(), { code: 'zmemory-token-exposed' });
    await writeFile(file, '');
    await chmod(file, 0o600);
    server = await begin();
    assert.ok(server.token.length >= 40);
  });

  it('says that a port is taken', async () => {
    const options = {
      storage: path.join(folder.path, 'second'),
      port: server.port,
      clock: systemClock,
      logger: silentLogger,
    };
    await assert.rejects(startEmbeddedServer(options), { code: 'port-in-use' });
    // What it had opened by then it has let go of.
    await (await startEmbeddedServer({ ...options, port: 0 })).close();
  });

  interface Events {
    next(): Promise<{ id: string; status: string; agent: string | null }>;
    close(): void;
    readonly ended: Promise<unknown>;
  }

  async function listen(): Promise<Events> {
    const request = http.get(`${server.url}/tasks/events`, {
      agent: false,
      headers: { authorization: `Bearer ${server.token}` },
    });
    request.on('error', () => {});
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    assert.equal(response.headers['content-type'], 'text/event-stream; charset=utf-8');
    response.on('error', () => {});
    const ended = new Promise((resolve) => response.once('close', resolve));
    const lines: string[] = [];
    let wake = (): void => {};
    let rest = '';
    response.on('data', (chunk: Buffer) => {
      const parts = (rest + chunk.toString()).split('\n');
      rest = parts.pop() ?? '';
      lines.push(...parts.filter((part) => part.startsWith('data: ')));
      wake();
    });
    return {
      async next() {
        while (lines.length === 0) await new Promise<void>((resolve) => (wake = resolve));
        return JSON.parse((lines.shift() ?? '').slice(6)) as { id: string; status: string; agent: string | null };
      },
      close: () => request.destroy(),
      ended,
    };
  }

  it('forgets the texts of tasks that are over, and not that there were such tasks', async () => {
    const result = {
      ...{ response: 'secret', model: 'm', execution_time_seconds: 1, artifacts: [], execution_mode: 'x' },
      usage: { input_tokens: 1, output_tokens: 1, total_tokens: 2 },
    };
    await server.api.create([
      { id: 'over', description: 'secret', context: { a: 'secret' } },
      { id: 'open', description: 'open' },
    ]);
    for (const id of ['over', 'open']) await server.api.accept(id, 'me');
    await server.api.addArtifact('over', { name: 'log', content: 'secret' });
    await server.api.complete('over', { result, completed_at: '2026-01-01T00:00:00Z' });
    await server.api.forget(Date.parse('2025-12-31T23:59:59Z'));
    assert.equal(server.api.get('over')?.description, 'secret');
    await server.api.forget(Date.parse('2026-01-01T00:00:00Z'));
    await server.close();
    const files = path.join(folder.path, 'zmemory');
    assert.ok(!(await readFile(path.join(files, 'tasks.jsonl'), 'utf8')).includes('secret'));
    assert.deepEqual(await readdir(path.join(files, 'artifacts')), []);
    server = await begin();
    assert.deepEqual(
      server.api.list().map(({ id, description, status }) => [id, description, status]),
      [
        ['over', '', 'completed'],
        ['open', 'open', 'accepted'],
      ],
    );
  });

  describe('forgets the artifacts of tasks that are over', () => {
    const over = Date.parse('2026-01-01T00:00:00Z');
    const artifacts = (): string => path.join(folder.path, 'zmemory', 'artifacts');

    beforeEach(async () => {
      await server.api.create([{ id: 'over', description: 'secret' }]);
      await server.api.accept('over', 'me');
      await server.api.addArtifact('over', { name: 'log', content: 'secret' });
    });

    const end = (): Promise<unknown> => server.api.fail('over', { error: 'no', failed_at: '2026-01-01T00:00:00Z' });

    it('at a second try, where the first one ended at a file', async () => {
      await end();
      const [digest = ''] = await readdir(artifacts());
      // What is no file cannot be removed like one.
      await rename(path.join(artifacts(), digest), path.join(folder.path, 'aside'));
      await mkdir(path.join(artifacts(), digest));
      await assert.rejects(server.api.forget(over));
      await rm(path.join(artifacts(), digest), { recursive: true });
      await rename(path.join(folder.path, 'aside'), path.join(artifacts(), digest));
      await server.api.forget(over);
      assert.deepEqual(await readdir(artifacts()), []);
      assert.equal(server.api.get('over')?.description, '');
    });

    it('with those that others of their name have replaced', async () => {
      await server.api.addArtifact('over', { name: 'log', content: 'another secret' });
      await end();
      await server.api.forget(over);
      assert.deepEqual(await readdir(artifacts()), []);
    });

    it('and leaves those of tasks that go on', async () => {
      await server.api.forget(over);
      assert.equal((await readdir(artifacts())).length, 1);
    });
  });
});
