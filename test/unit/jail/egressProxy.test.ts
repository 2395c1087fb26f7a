import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { duplexPair } from 'node:stream';
import { connect as tlsConnect } from 'node:tls';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EgressConnection } from '../../../src/core/jail';
import { parseAllowlist } from '../../../src/jail/egress/allowlist';
import {
  defaultEgressLimits,
  type EgressLimits,
  type EgressProxy,
  startEgressProxy,
} from '../../../src/jail/egress/egressProxy';

describe('the egress proxy', () => {
  let folder: string;
  let upstream: Server;
  let proxy: EgressProxy;
  const upstreamSockets: Socket[] = [];
  const clients: Socket[] = [];
  let told: EgressConnection[];

  const start = async (limits: Partial<EgressLimits>): Promise<void> => {
    const address = upstream.address();
    const port = address !== null && typeof address === 'object' ? address.port : assert.fail('no port');
    const ports = {
      resolve: () => Promise.resolve(['93.184.215.14']),
      connect: () => connect(port, '127.0.0.1'),
    };
    const context = {
      allowlist: parseAllowlist(['allowed.test']),
      ports,
      onConnection: (each: EgressConnection) => told.push(each),
    };
    proxy = await startEgressProxy(folder, context, { ...defaultEgressLimits, ...limits });
  };

  const open = (): Socket => {
    const socket = connect(join(folder, 'proxy')).on('error', () => {});
    clients.push(socket);
    return socket;
  };

  const tunnel = async (): Promise<Socket> => {
    const socket = open();
    socket.write('CONNECT allowed.test:443 HTTP/1.1\r\nhost: allowed.test:443\r\n\r\n');
    const [head] = (await once(socket, 'data')) as [Buffer];
    assert.match(head.toString(), /^HTTP\/1.1 200 /);
    return socket;
  };

  const closedAtServer = async (): Promise<void> => {
    const socket = upstreamSockets[0] ?? assert.fail('nothing reached the server');
    if (!socket.closed) await once(socket, 'close');
  };

  beforeEach(async () => {
    told = [];
    folder = await mkdtemp(join(tmpdir(), 'airlock-egress-'));
    upstream = createServer((socket) => {
      upstreamSockets.push(socket.on('error', () => {}));
      socket.resume();
    }).listen(0, '127.0.0.1');
    await once(upstream, 'listening');
  });

  afterEach(async () => {
    for (const socket of [...clients.splice(0), ...upstreamSockets.splice(0)]) socket.destroy();
    await proxy.close();
    upstream.close();
    await rm(folder, { recursive: true });
  });

  it('closes a connection on which nothing moves', async () => {
    await start({ idleMs: 100 });
    const silentClosed = once(open().resume(), 'close');
    const tunnelled = await tunnel();
    await Promise.all([silentClosed, once(tunnelled.resume(), 'close')]);
    assert.equal(upstreamSockets.length, 1);
    await closedAtServer();
  });

  it('closes connections past the limit, and lets others in when there is room', async () => {
    await start({ maxConnections: 1 });
    const first = await tunnel();
    const second = open();
    await once(second.resume(), 'close');
    first.destroy();
    await closedAtServer();
    // The proxy's own end of the first connection may close a moment later.
    while (!(await tunnel().catch(() => undefined)));
    assert.deepEqual(
      told.map(({ kind }) => kind),
      ['allowed', 'allowed'],
    );
  });

  it('ends every connection when it is closed', async () => {
    await start({});
    const socket = await tunnel();
    const closed = once(socket.resume(), 'close');
    await proxy.close();
    await closed;
  });

  /** What TLS says first when it is to reach `servername`. */
  const helloFor = async (servername: string | undefined): Promise<Buffer> => {
    const [near, far] = duplexPair();
    tlsConnect({ socket: near, ...(servername === undefined ? {} : { servername }) }).on('error', () => {});
    const [hello] = (await once(far, 'data')) as [Buffer];
    near.destroy();
    return hello;
  };

  it('lets TLS through that asks for the host that was allowed, however its hello is cut', async () => {
    await start({});
    const got = new Promise<Buffer>((resolve) =>
      upstream.once('connection', (socket: Socket) => {
        let bytes = Buffer.alloc(0);
        socket.on('data', (piece: Buffer) => {
          bytes = Buffer.concat([bytes, piece]);
          if (bytes.length === hello.length) resolve(bytes);
        });
      }),
    );
    const hello = await helloFor('Allowed.test');
    const socket = await tunnel();
    for (let at = 0; at < hello.length; at += 50) socket.write(hello.subarray(at, at + 50));
    assert.deepEqual(await got, hello);
  });

  for (const [what, bytes] of [
    ['another host', () => helloFor('other.test')],
    ['no host', () => helloFor(undefined)],
    ['nothing that could be told', () => Promise.resolve(Buffer.from([0x16, 3, 1, 0, 5, 9, 9, 9, 9, 9]))],
  ] as const) {
    it(`ends a tunnel in which TLS asks for ${what}, before a byte of it has left`, async () => {
      await start({});
      const received: Buffer[] = [];
      upstream.once('connection', (socket: Socket) => socket.on('data', (piece: Buffer) => received.push(piece)));
      const hello = await bytes();
      const socket = await tunnel();
      socket.write(hello);
      await once(socket.resume(), 'close');
      await closedAtServer();
      assert.deepEqual(received, []);
      assert.deepEqual(
        told.map(({ kind, host, port }) => ({ kind, host, port })),
        [
          { kind: 'allowed', host: 'allowed.test', port: 443 },
          { kind: 'refused', host: 'allowed.test', port: 443 },
        ],
      );
    });
  }

  it('answers what it refuses in words, also where a program shows nothing but the first line', async () => {
    await start({});
    const socket = open();
    socket.write('CONNECT other.test:443 HTTP/1.1\r\nhost: other.test:443\r\n\r\n');
    const [head] = (await once(socket, 'data')) as [Buffer];
    assert.match(head.toString(), /^HTTP\/1.1 403 Airlock: the network policy of this jail does not name it\r\n/);
  });

  it('says so when a server cannot be reached', async () => {
    await start({});
    await new Promise((resolve) => upstream.close(resolve));
    const socket = open();
    socket.write('CONNECT allowed.test:443 HTTP/1.1\r\nhost: allowed.test:443\r\n\r\n');
    const [head] = (await once(socket, 'data')) as [Buffer];
    assert.match(head.toString(), /^HTTP\/1.1 502 /);
    assert.deepEqual(
      told.map(({ kind }) => kind),
      ['failed'],
    );
  });
});
