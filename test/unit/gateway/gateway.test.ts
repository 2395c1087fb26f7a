import assert from 'node:assert/strict';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { systemClock } from '../../../src/base/clock';
import { toDisposable } from '../../../src/base/disposable';
import { UserError } from '../../../src/base/errors';
import { silentLogger } from '../../../src/base/logger';
import type { DiagnosticSink } from '../../../src/core/diagnostic';
import type { Executor } from '../../../src/core/executor';
import type { FolderSource } from '../../../src/core/folderSource';
import { toWire } from '../../../src/core/snapshot';
import { connectExecutor } from '../../../src/gateway/gatewayClient';
import { serveExecutor, type GatewayServer } from '../../../src/gateway/gatewayServer';
import { RoamingExecutor } from '../../../src/gateway/roamingExecutor';
import { protocolVersion } from '../../../src/protocol/executorProtocol';
import { FakeClock } from '../../fakes/clock';
import { FakeExecutor } from '../../fakes/executor';
import { itBehavesLikeAnExecutor } from './executorSuite';
import { until } from './until';

const common = { version: '0.1.0', clock: systemClock, logger: silentLogger };

describe('an executor', () => {
  describe('in this process', () => {
    let worker: FakeExecutor;
    beforeEach(() => (worker = new FakeExecutor()));
    itBehavesLikeAnExecutor(() => ({ worker, executor: worker }));
  });

  describe('over its socket', () => {
    const rig = useGateway();
    itBehavesLikeAnExecutor(() => ({ worker: rig.worker, executor: rig.client }));
  });

  describe('that roams, here', () => {
    let worker: FakeExecutor;
    let executor: RoamingExecutor;
    beforeEach(async () => {
      worker = new FakeExecutor();
      executor = await RoamingExecutor.start({
        ...common,
        tryOwn: async () => worker,
        connect: () => Promise.reject(new Error('nobody is there')),
      });
    });
    afterEach(() => executor.dispose());
    itBehavesLikeAnExecutor(() => ({ worker, executor }));
  });

  describe('that roams, elsewhere', () => {
    const rig = useGateway();
    let executor: RoamingExecutor;
    beforeEach(async () => {
      executor = await RoamingExecutor.start({
        ...common,
        tryOwn: async () => undefined,
        connect: () => connectExecutor({ ...common, socketPath: rig.socketPath }),
      });
    });
    afterEach(() => executor.dispose());
    itBehavesLikeAnExecutor(() => ({ worker: rig.worker, executor }));
  });
});

describe('the gateway', () => {
  const rig = useGateway();

  it('says where the executor is, and that it is nowhere once the connection ends', async () => {
    assert.deepEqual(rig.client.place, { kind: 'elsewhere', pid: process.pid });
    const taskId = await rig.client.add({ title: 'Kept', prompt: 'x' });
    let resets = 0;
    rig.client.onDidReset(() => (resets += 1));
    await rig.server.close();
    await until(() => resets === 1);
    assert.deepEqual(rig.client.place, { kind: 'nowhere' });
    assert.equal(rig.client.state.tasks.get(taskId)?.spec.title, 'Kept');
    await assert.rejects(rig.client.startQueue(), { code: 'executor-unreachable' });
  });

  it('rejects the commands that wait when the connection ends', async () => {
    const release = rig.worker.hold('refreshSources');
    const waiting = assert.rejects(rig.client.refreshSources(), { code: 'executor-unreachable' });
    await until(() => rig.worker.calls.length === 1);
    await rig.server.close();
    await waiting;
    release();
  });

  it('rejects a command that is not answered in time', async () => {
    const clock = new FakeClock();
    const client = await connectExecutor({ ...common, clock, socketPath: rig.socketPath });
    const release = rig.worker.hold('refreshSources');
    const late = assert.rejects(client.refreshSources(), { code: 'executor-timeout' });
    await until(() => rig.worker.calls.length === 1);
    await clock.advance(60_000);
    await late;
    release();
    await client.startQueue();
    client.dispose();
    assert.equal(clock.pendingTimers, 0);
  });

  it('gives every client the same state, those that come late too', async () => {
    await rig.client.add({ title: 'One', prompt: 'x' });
    const late = await connectExecutor({ ...common, socketPath: rig.socketPath });
    await rig.client.add({ title: 'Two', prompt: 'x' });
    await until(() => late.state.seq === rig.worker.state.seq);
    assert.deepEqual(toWire(late.state), toWire(rig.worker.state));
    late.dispose();
    await until(() => rig.server.clients === 1);
  });

  it('follows the folders that a client lends for as long as it is connected, and tells it what is wrong there', async () => {
    const lent: FolderSource[] = [{ kind: 'taskDefinitions', repo: '/shop', environment: ['STAGE'] }];
    const problem = { path: '/shop/x.yaml', line: 1, column: 2, severity: 'error', message: 'no' } as const;
    const loans: { folders: readonly FolderSource[]; tell: DiagnosticSink; ended: boolean }[] = [];
    await rig.server.close();
    const server = await serveExecutor({
      ...common,
      executor: rig.worker,
      socketPath: rig.socketPath,
      lend: (folders, tell) => {
        const loan = { folders, tell, ended: false };
        loans.push(loan);
        return Promise.resolve(toDisposable(() => (loan.ended = true)));
      },
    });
    const told: unknown[] = [];
    const onDiagnostics: DiagnosticSink = (...what) => told.push(what);
    const client = await connectExecutor({ ...common, socketPath: rig.socketPath, lent, onDiagnostics });
    assert.deepEqual(
      loans.map(({ folders, ended }) => [folders, ended]),
      [[lent, false]],
    );
    loans[0]?.tell('definitions:/shop', [problem]);
    await until(() => told.length === 1);
    assert.deepEqual(told, [['definitions:/shop', [problem]]]);
    client.dispose();
    await until(() => loans[0]?.ended === true);
    await server.close();
  });

  it('is followed all the same by a client whose folders cannot be', async () => {
    await rig.server.close();
    const lend = () => Promise.reject(new UserError('task-file-outside', 'It lies elsewhere.'));
    const server = await serveExecutor({ ...common, executor: rig.worker, socketPath: rig.socketPath, lend });
    const lent: FolderSource[] = [{ kind: 'taskDefinitions', repo: '/shop', environment: [] }];
    const client = await connectExecutor({ ...common, socketPath: rig.socketPath, lent });
    await client.startQueue();
    client.dispose();
    await server.close();
  });

  it('lets its user alone reach the socket', async () => {
    assert.equal((await stat(rig.socketPath)).mode & 0o777, 0o600);
  });

  it('takes the place of a socket that a dead owner left', async () => {
    await rig.server.close();
    const stale = createServer();
    await new Promise<void>((resolve) => stale.listen(rig.socketPath, resolve));
    const second = await serveExecutor({ ...common, executor: rig.worker, socketPath: rig.socketPath });
    const client = await connectExecutor({ ...common, socketPath: rig.socketPath });
    await client.startQueue();
    client.dispose();
    await second.close();
    await assert.rejects(stat(rig.socketPath), { code: 'ENOENT' });
    await new Promise((resolve) => stale.close(resolve));
  });

  it('leaves the socket of its successor alone', async () => {
    const successor = await serveExecutor({ ...common, executor: rig.worker, socketPath: rig.socketPath });
    await rig.server.close();
    const client = await connectExecutor({ ...common, socketPath: rig.socketPath });
    client.dispose();
    await successor.close();
  });

  it('refuses a path that no socket can have', async () => {
    const socketPath = path.join(tmpdir(), 'x'.repeat(110));
    await assert.rejects(serveExecutor({ ...common, executor: rig.worker, socketPath }), {
      code: 'socket-path-too-long',
    });
  });

  it('says that nobody is there', async () => {
    await assert.rejects(connectExecutor({ ...common, socketPath: `${rig.socketPath}x` }), {
      code: 'executor-unreachable',
    });
  });

  it('refuses a client of another protocol in words that the user understands', async () => {
    const socket = await open({ hello: { kind: 'hello', protocol: 999, version: '9.0.0', pid: 1 } });
    const [line] = await readUntilClosed(socket);
    assert.deepEqual(JSON.parse(line ?? ''), {
      kind: 'refused',
      error: {
        kind: 'user',
        code: 'executor-version',
        message:
          'Another version of Airlock (0.1.0) is at work, and this one (9.0.0) cannot talk to it. Close the older one, or update it.',
        facts: { theirs: '0.1.0', ours: '9.0.0' },
      },
    });
  });

  it('answers a request that it does not understand, and goes on', async () => {
    const socket = await open();
    const lines = collect(socket);
    await until(() => lines.length === 1);
    socket.write('{"kind":"request","id":7,"call":{"method":"deleteEverything"}}\n');
    socket.write('{"kind":"request","id":8,"call":{"method":"startQueue"}}\n');
    await until(() => lines.length === 4);
    const [failure, , reply] = lines
      .slice(1)
      .map((line) => JSON.parse(line) as { kind: string; id?: number; error?: { code: string } });
    assert.deepEqual([failure?.kind, failure?.id, failure?.error?.code], ['failure', 7, 'bad-request']);
    assert.deepEqual(reply, { kind: 'reply', id: 8, result: null });
    socket.destroy();
  });

  for (const [what, bytes] of [
    ['garbage', 'hello there\n'],
    ['JSON that is no hello', '{"kind":"request","id":1,"call":{"method":"startQueue"}}\n'],
    ['bytes that are no text', '\xff\xfe\x00\n'],
  ] as const) {
    it(`hangs up on a client that begins with ${what}, and serves the others`, async () => {
      const socket = await open({ hello: null });
      socket.write(bytes, 'latin1');
      assert.deepEqual(await readUntilClosed(socket), []);
      await rig.client.startQueue();
      assert.equal(rig.server.clients, 1);
    });
  }

  it('hangs up on a line that never ends', async () => {
    const socket = await open();
    socket.on('error', () => {});
    const closed = new Promise((resolve) => socket.once('close', resolve));
    const chunk = Buffer.alloc(1024 * 1024, 'x');
    const feed = (): void => {
      while (!socket.destroyed && socket.write(chunk));
    };
    socket.on('drain', feed);
    socket.resume();
    feed();
    await closed;
    await rig.client.startQueue();
  });

  it('lets go of a client that says nothing', async () => {
    const clock = new FakeClock();
    const socketPath = `${rig.socketPath}2`;
    const server = await serveExecutor({ ...common, clock, executor: rig.worker, socketPath });
    const socket = await open({ hello: null, socketPath });
    await until(() => server.clients === 1);
    await clock.advance(5_000);
    await readUntilClosed(socket);
    assert.deepEqual([server.clients, clock.pendingTimers], [0, 0]);
    await server.close();
  });

  it('lets go of a client that reads nothing, while the others get every event', async () => {
    const socket = await open();
    socket.pause();
    await until(() => rig.server.clients === 2);
    const reason = 'x'.repeat(1024 * 1024);
    for (let count = 0; count < 40 && rig.server.clients === 2; count += 1) {
      rig.worker.append({ kind: 'source.changed', sourceId: 'zmemory:main', healthy: false, message: reason });
      await until(() => rig.client.state.seq === rig.worker.state.seq);
    }
    assert.equal(rig.server.clients, 1);
    assert.equal(rig.client.state.seq, rig.worker.state.seq);
    socket.destroy();
  });

  it('skips output for a client that does not keep up, says so, and keeps the client', async () => {
    const socket = await open();
    const lines = collect(socket);
    socket.write('{"kind":"request","id":1,"call":{"method":"watchSession","sessionId":"session-1","watch":"w"}}\n');
    await until(() => lines.length === 2);
    socket.pause();
    const text = 'y'.repeat(256 * 1024);
    for (let count = 0; count < 200; count += 1) rig.worker.show('session-1', text);
    socket.resume();
    await until(() => lines.length > 2 && rig.worker.calls.length === 1);
    const shownBefore = lines.length;
    assert.ok(shownBefore < 60, `${shownBefore} lines`);
    await until(() => {
      rig.worker.show('session-1', 'z');
      return lines.some((line) => line.includes('[output skipped]'));
    });
    assert.equal(rig.server.clients, 2);
    socket.destroy();
  });

  it('ends the watching of a client that goes away', async () => {
    const client = await connectExecutor({ ...common, socketPath: rig.socketPath });
    await client.watchSession('session-1', () => {});
    assert.equal(rig.worker.watchers.get('session-1')?.size, 1);
    await client.shutdown();
    await until(() => rig.worker.watchers.get('session-1')?.size === 0);
  });

  it('gives the keyboard back of a client that goes away, while it is being taken too', async () => {
    const size = { columns: 80, rows: 24 };
    const client = await connectExecutor({ ...common, socketPath: rig.socketPath });
    await client.takeOver('session-1', size);
    await client.shutdown();
    const again = await connectExecutor({ ...common, socketPath: rig.socketPath });
    const release = rig.worker.hold('takeOver');
    const taking = assert.rejects(again.takeOver('session-2', size));
    await until(() => rig.worker.calls.length === 2);
    const returned: string[] = [];
    rig.worker.onDidAppend((events) => {
      for (const event of events) if (event.kind === 'session.givenBack') returned.push(event.sessionId);
    });
    again.dispose();
    await taking;
    await until(() => rig.server.clients === 1);
    release();
    await until(() => returned.includes('session-2'));
    assert.equal(rig.worker.keyboards.length, 2);
  });

  it('ends a keyboard for its user when the connection is lost', async () => {
    const keyboard = await rig.client.takeOver('session-1', { columns: 80, rows: 24 });
    let ended = 0;
    keyboard.onDidEnd(() => (ended += 1));
    await rig.server.close();
    await until(() => ended === 1);
    keyboard.write('nowhere');
    await keyboard.giveBack();
  });

  it('fetches the state anew rather than go on after a gap in the events', async () => {
    // The worker's numbering jumps, as it would if a line had been lost on the way.
    rig.worker.state.seq += 5;
    rig.worker.append({ kind: 'queue.changed', mode: 'running', by: 'user' });
    await until(() => rig.client.place.kind === 'nowhere');
    const again = await connectExecutor({ ...common, socketPath: rig.socketPath });
    assert.equal(again.state.queueMode, 'running');
    again.dispose();
  });

  async function open(options: { hello?: object | null; socketPath?: string } = {}): Promise<Socket> {
    const socket = connect(options.socketPath ?? rig.socketPath);
    await once(socket, 'connect');
    const { hello = { kind: 'hello', protocol: protocolVersion, version: '0.1.0', pid: 1 } } = options;
    if (hello) socket.write(`${JSON.stringify(hello)}\n`);
    return socket;
  }
});

describe('a client of a server that is not ours', () => {
  for (const [what, answer] of [
    ['talks nonsense', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
    ['hangs up', null],
    ['greets with a state that is none', '{"kind":"welcome","protocol":1,"version":"1","pid":1,"state":{}}\n'],
  ] as const) {
    it(`gives up when it ${what}`, async () => {
      const folder = await mkdtemp(path.join(tmpdir(), 'airlock-gateway-'));
      const server = createServer((socket) => {
        socket.resume();
        if (answer === null) socket.destroy();
        else socket.write(answer);
      });
      const socketPath = path.join(folder, 's');
      await new Promise<void>((resolve) => server.listen(socketPath, resolve));
      await assert.rejects(connectExecutor({ ...common, socketPath }), { code: 'executor-unreachable' });
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true });
    });
  }

  it('gives up when it says nothing', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'airlock-gateway-'));
    const sockets: Socket[] = [];
    const server = createServer((socket) => sockets.push(socket));
    const socketPath = path.join(folder, 's');
    await new Promise<void>((resolve) => server.listen(socketPath, resolve));
    const clock = new FakeClock();
    const refused = assert.rejects(connectExecutor({ ...common, clock, socketPath }), { code: 'executor-unreachable' });
    await until(() => sockets.length === 1);
    await clock.advance(10_000);
    await refused;
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
    await rm(folder, { recursive: true });
  });
});

interface Rig {
  worker: FakeExecutor;
  server: GatewayServer;
  client: Executor;
  socketPath: string;
}

/** A server and a client for each test; both are gone after it. */
function useGateway(): Rig {
  const rig = {} as Rig;
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'airlock-gateway-'));
    rig.socketPath = path.join(folder, 'executor.sock');
    rig.worker = new FakeExecutor();
    rig.server = await serveExecutor({ ...common, executor: rig.worker, socketPath: rig.socketPath });
    rig.client = await connectExecutor({ ...common, socketPath: rig.socketPath });
  });
  afterEach(async () => {
    rig.client.dispose();
    await rig.server.close();
    rig.worker.dispose();
    await rm(folder, { recursive: true });
  });
  return rig;
}

function collect(socket: Socket): string[] {
  const lines: string[] = [];
  let rest = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
  });
  return lines;
}

async function readUntilClosed(socket: Socket): Promise<string[]> {
  const lines = collect(socket);
  socket.on('error', () => {});
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
  return lines;
}
