import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import path from 'node:path';
import { systemClock } from '../../../src/base/clock';
import { silentLogger } from '../../../src/base/logger';
import type { TaskSource } from '../../../src/core/source';
import { startEmbeddedServer } from '../../../src/sources/zmemory/embeddedServer';
import { connectZMemory } from '../../../src/sources/zmemory/zmemorySource';
import { FakeClock, settle } from '../../fakes/clock';
import { BadServer, json } from './badServer';
import { HeardSource } from './heardSource';
import { useTempFolder } from './tempFolder';

describe('the event stream of a ZMemory server', () => {
  const folder = useTempFolder();
  let server: BadServer;
  let clock: FakeClock;
  let source: TaskSource;
  let heard: HeardSource;
  /** Streams that are open at the server. */
  let streams: ServerResponse[];
  /** What the server answers to a request for the stream. */
  let serve: (response: ServerResponse) => void;

  beforeEach(async () => {
    server = new BadServer();
    clock = new FakeClock();
    streams = [];
    serve = (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' }).write(': listening\n\n');
      streams.push(response);
    };
    server.handler = (request, response) => {
      if (request.url === '/tasks/events') serve(response);
      else json(response, { tasks: [] });
    };
    await server.listen();
    heard = new HeardSource();
    source = connectZMemory({
      id: 'zmemory:main',
      url: server.url,
      token: () => Promise.resolve('secret'),
      agent: 'airlock',
      resolveRepository: () => '/repo',
      clock,
      logger: silentLogger,
      random: () => 1,
    });
  });
  afterEach(async () => {
    source.dispose();
    await server.close();
    assert.equal(clock.pendingTimers, 0);
  });

  const lines = (line: string): number => server.requests.filter((request) => request.line === line).length;
  const looks = (): number => lines('GET /tasks/pending?agent=airlock');
  const opened = (): number => lines('GET /tasks/events');

  /** Waits for the network, which knows nothing of the clock. */
  const until = async (fits: () => boolean): Promise<void> => {
    for (let tries = 0; !fits(); tries += 1) {
      assert.ok(tries < 2_000, `it never came: ${server.requests.map(({ line }) => line).join(', ')}`);
      await clock.advance(0);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await settle();
  };

  /** Starts, and lets the looks of the start and of the stream's opening pass. */
  const start = async (): Promise<void> => {
    heard.start(source);
    await until(() => streams.length === 1 && looks() >= 1);
    await clock.advance(2_000);
    await quiet();
  };

  /** Waits until nothing is asked any more. */
  const quiet = async (): Promise<void> => {
    for (let before = -1; before !== server.requests.length;) {
      before = server.requests.length;
      await clock.advance(0);
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  };

  it('is asked for with the token, and makes it look at once', async () => {
    await start();
    const before = looks();
    streams[0]?.write('event: task\ndata: {"id":"one","status":"pending"}\n\n');
    await until(() => looks() === before + 1);
    const asked = server.requests.find(({ line }) => line === 'GET /tasks/events');
    assert.deepEqual([asked?.headers.authorization, asked?.headers.accept], ['Bearer secret', 'text/event-stream']);
  });

  it('is heard in whatever pieces it comes, and its comments are no news', async () => {
    await start();
    const before = looks();
    streams[0]?.write(': alive\n\n');
    await quiet();
    assert.equal(looks(), before);
    streams[0]?.write(': alive\n\nda');
    await quiet();
    streams[0]?.write('ta: {}\n\n');
    await until(() => looks() === before + 1);
  });

  it('makes it look once a second at most, however much is told', async () => {
    await start();
    const before = looks();
    for (let sent = 0; sent < 500; sent += 1) streams[0]?.write(`data: ${sent}\n\n`);
    await until(() => looks() === before + 1);
    await quiet();
    await clock.advance(1_000);
    await until(() => looks() === before + 2);
    await quiet();
    assert.equal(looks(), before + 2);
  });

  it('leaves looking by the clock as a safety net, four times as seldom', async () => {
    await start();
    const before = looks();
    for (const beat of [1, 2, 3]) {
      await clock.advance(30_000);
      streams[0]?.write(`: alive ${beat}\n\n`);
      await quiet();
    }
    assert.equal(looks(), before);
    await clock.advance(30_000);
    await until(() => looks() === before + 1);
  });

  it('is opened again after it broke, later each time, and looked is as ever meanwhile', async () => {
    await start();
    serve = (response) => void response.writeHead(503).end();
    const before = looks();
    streams[0]?.destroy();
    await quiet();
    for (const delayMs of [2_000, 4_000, 8_000]) {
      const tries = opened();
      await clock.advance(delayMs - 1);
      await quiet();
      assert.equal(opened(), tries);
      await clock.advance(1);
      await until(() => opened() === tries + 1);
      await quiet();
    }
    await clock.advance(30_000);
    await until(() => looks() > before);
  });

  it('is opened again when it has been silent for long', async () => {
    await start();
    await clock.advance(90_000);
    await clock.advance(2_000);
    await until(() => streams.length === 2);
  });

  it('is opened anew when the machine wakes up', async () => {
    await start();
    clock.jump(3_600_000);
    await clock.advance(10_000);
    await until(() => streams.length === 2);
  });

  for (const [what, answer] of [
    ['does not know it', (response: ServerResponse) => json(response, { error: 'no' }, 404)],
    ['takes it for a task', (response: ServerResponse) => json(response, { task: { id: 'events' } })],
    ['sends a page', (response: ServerResponse) => response.writeHead(200, { 'content-type': 'text/html' }).end('<p>')],
    ['forbids it', (response: ServerResponse) => json(response, {}, 403)],
  ] as const) {
    it(`is done without where a server ${what}`, async () => {
      serve = answer;
      heard.start(source);
      await until(() => opened() === 1 && looks() === 1);
      for (let look = 2; look < 6; look += 1) {
        await clock.advance(30_000);
        await until(() => looks() === look);
      }
      assert.deepEqual([opened(), heard.health], [1, [{ kind: 'ok' }]]);
    });
  }

  it('brings a task of the embedded server at once', async () => {
    const embedded = await startEmbeddedServer({
      storage: path.join(folder.path, 'zmemory'),
      port: 0,
      clock: systemClock,
      logger: silentLogger,
    });
    const follower = connectZMemory({
      id: 'zmemory:embedded',
      url: embedded.url,
      token: embedded.token,
      agent: 'airlock',
      resolveRepository: () => '/repo',
      clock,
      logger: silentLogger,
    });
    try {
      heard.start(follower);
      await until(() => heard.offers.length > 0);
      await clock.advance(2_000);
      await embedded.api.create([{ id: 'one', description: 'Fix it' }]);
      await until(() => heard.ids.includes('one'));
    } finally {
      follower.dispose();
      await embedded.close();
    }
  });
});
