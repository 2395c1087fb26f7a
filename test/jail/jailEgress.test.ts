import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EgressConnection } from '../../src/core/jail';
import { assertSucceeded, type JailRoom, needProgram, openJailRoom, type Ran } from './jailRoom';

const publicAddress = '93.184.215.14';

/** Names of an internet of our own. Each public address is a server on the host's loopback. */
const names: Record<string, string[]> = {
  'allowed.test': [publicAddress],
  'www.sub.test': ['10.0.0.1', publicAddress],
  'other.test': [publicAddress],
  'private.sub.test': ['10.0.0.1'],
  'loopback.sub.test': ['127.0.0.1'],
  'metadata.sub.test': ['169.254.169.254'],
  'mapped.sub.test': ['::ffff:127.0.0.1'],
  'nat64.sub.test': ['64:ff9b::7f00:1'],
};

describe('the network of a jail', function () {
  this.timeout(60_000);
  let room: JailRoom;
  let http: Server;
  let echo: Server;
  let resolved: string[] = [];
  let connected: string[] = [];
  let told: EgressConnection[] = [];
  let requests: { path: string | undefined; host: string | undefined; extra: unknown; body: string }[] = [];

  before(async function () {
    needProgram(this, '/usr/bin/perl');
    needProgram(this, '/usr/bin/curl');
    http = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (piece: string) => (body += piece));
      request.on('end', () => {
        const { host, 'proxy-authorization': extra } = request.headers;
        requests.push({ path: request.url, host, extra, body });
        response.end(`hello from ${host}`);
      });
    }).listen(0, '127.0.0.1');
    echo = createTcpServer((socket) => socket.on('error', () => {}).pipe(socket)).listen(0, '127.0.0.1');
    await Promise.all([once(http, 'listening'), once(echo, 'listening')]);
    room = await openJailRoom({
      resolve: (host) => {
        resolved.push(host);
        const found = names[host];
        // A name that means something else the second time.
        if (host === 'www.sub.test') names[host] = ['127.0.0.1'];
        return found ? Promise.resolve(found) : Promise.reject(new Error('no such name'));
      },
      connect: (address, port): Socket => {
        connected.push(`${address}:${port}`);
        return connect(portOf(port === 443 ? echo : http), '127.0.0.1');
      },
    });
  });

  beforeEach(() => {
    [resolved, connected, told, requests] = [[], [], [], []];
    names['www.sub.test'] = ['10.0.0.1', publicAddress];
  });

  after(async () => {
    await room?.close();
    for (const server of [http, echo]) server?.close();
  });

  const portOf = (server: Server): number => {
    const address = server.address();
    return address !== null && typeof address === 'object' ? address.port : assert.fail('no port');
  };

  const sh = (script: string): Promise<Ran> =>
    room.sh(script, {
      policy: room.policy({ network: { kind: 'allowlist', domains: ['allowed.test', '*.sub.test'] } }),
      onConnection: (connection) => told.push(connection),
    });

  const code = (url: string): string => `curl -s -o /dev/null -w '%{http_code} ' --max-time 10 ${url};`;

  it('leads curl to what the policy names, each connection told', async () => {
    const ran = await sh(
      'curl -sS http://allowed.test/path?x=1 -d body -H "Proxy-Authorization: Basic eA=="; echo; curl -sS http://www.sub.test/',
    );
    assertSucceeded(ran);
    assert.equal(ran.stdout, 'hello from allowed.test\nhello from www.sub.test');
    assert.deepEqual(requests, [
      { path: '/path?x=1', host: 'allowed.test', extra: undefined, body: 'body' },
      { path: '/', host: 'www.sub.test', extra: undefined, body: '' },
    ]);
    assert.deepEqual(told, [
      { kind: 'allowed', host: 'allowed.test', port: 80, address: publicAddress },
      { kind: 'allowed', host: 'www.sub.test', port: 80, address: publicAddress },
    ]);
    assert.deepEqual(resolved, ['allowed.test', 'www.sub.test'], 'each name is resolved once');
    assert.deepEqual(connected, [`${publicAddress}:80`, `${publicAddress}:80`]);
  });

  it('is a tunnel for what is encrypted, both ways at once', async () => {
    const script = `
      const socket = require('node:net').connect(3128, '127.0.0.1');
      const bytes = Buffer.alloc(3_000_000, 'x');
      let got = 0;
      socket.write('CONNECT allowed.test:443 HTTP/1.1\\r\\nhost: allowed.test:443\\r\\n\\r\\n');
      socket.once('data', (head) => {
        console.log(head.toString().split('\\r\\n')[0]);
        socket.on('data', (piece) => { got += piece.length; if (got === bytes.length) socket.end(); });
        socket.on('close', () => console.log(got));
        socket.write(bytes);
      });`;
    const ran = await sh(`node -e "${script.replaceAll('"', '\\"')}"`);
    assertSucceeded(ran);
    assert.equal(ran.stdout, 'HTTP/1.1 200 Connection established\n3000000\n');
  });

  it('leads nowhere else: other names and ports, addresses, and names that mean something of this machine', async () => {
    const urls = [
      ...['http://other.test', 'http://allowed.test:8080', 'http://sub.test', 'http://unknown.sub.test'],
      ...['http://private.sub.test', 'http://loopback.sub.test', 'http://metadata.sub.test'],
      ...['http://mapped.sub.test', 'http://nat64.sub.test', 'http://allowed.test.evil.test'],
      ...['http://169.254.169.254', 'http://93.184.215.14', "'http://[::ffff:127.0.0.1]'"],
    ];
    const ran = await sh(urls.map(code).join('\n'));
    assert.equal(ran.stdout.trim(), urls.map((url) => (url.includes('unknown') ? '502' : '403')).join(' '));
    const tunnels = urls.map((url) => url.replace('http', 'https'));
    const tunnelled = await sh(
      tunnels.map((url) => `curl -s -o /dev/null -w '%{http_connect} ' --max-time 10 ${url};`).join('\n'),
    );
    assert.equal(tunnelled.stdout.trim(), urls.map((url) => (url.includes('unknown') ? '502' : '403')).join(' '));
    assert.deepEqual({ connected, requests }, { connected: [], requests: [] });
    assert.equal(told.filter(({ kind }) => kind === 'allowed').length, 0);
    assert.equal(told.length, 2 * urls.length);
  });

  it('leads nowhere past the proxy, and to no other socket', async () => {
    const direct = await sh(
      `for address in 127.0.0.1 ${publicAddress}; do (echo x >/dev/tcp/$address/${portOf(http)}) 2>/dev/null && echo reached; done
      curl -sS --noproxy '*' --max-time 5 http://allowed.test 2>/dev/null; ls /.egress; rm -f /.egress/proxy; echo x >/.egress/new`,
    );
    assert.equal(direct.stdout, 'proxy\n');
    assert.deepEqual(requests, []);
  });

  it('refuses what is no request of a proxy', async () => {
    const raw = (text: string): string =>
      `exec 5<>/dev/tcp/127.0.0.1/3128; printf '${text}' >&5; head -c 12 <&5; echo; exec 5>&-`;
    const long = 'x'.repeat(20_000);
    const ran = await sh(
      [
        raw('GET / HTTP/1.1\\r\\nhost: allowed.test\\r\\n\\r\\n'),
        raw('GET file:///etc/passwd HTTP/1.1\\r\\nhost: x\\r\\n\\r\\n'),
        raw('nonsense\\r\\n\\r\\n'),
        raw(`GET http://allowed.test/ HTTP/1.1\\r\\nhost: x\\r\\nlong: ${long}\\r\\n\\r\\n`),
      ].join('\n'),
    );
    assert.equal(ran.stdout, 'HTTP/1.1 403\nHTTP/1.1 403\nHTTP/1.1 400\nHTTP/1.1 431\n');
    assert.deepEqual(requests, []);
  });

  it('changes nothing about the proof', async () => {
    const proof = await room.jails.prove(room.policy({ network: { kind: 'allowlist', domains: ['allowed.test'] } }));
    assert.equal(proof.proven, true, JSON.stringify(proof, null, 2));
  });

  it('is gone with the jail, and takes nothing away from the command', async () => {
    const ran = await sh('ls /proc/self/fd; echo "$HTTPS_PROXY"; cat; exit 9');
    assert.deepEqual([ran.exitCode, ran.stdout], [9, '0\n1\n2\n3\nhttp://127.0.0.1:3128\n']);
    const left = readdirSync(tmpdir())
      .filter((name) => name.startsWith('airlock-jails-') && name.includes(`-${process.pid}-`))
      .flatMap((name) => readdirSync(join(tmpdir(), name)))
      .filter((name) => name.startsWith('egress-'));
    assert.deepEqual(left, []);
  });

  it('is refused where it would open a socket of the host, and where the policy is wrong', async () => {
    const socket = createTcpServer().listen(join(room.root, 'workspace/socket'));
    await once(socket, 'listening');
    await assert.rejects(sh('true'), { code: 'network-unavailable' });
    await new Promise((resolve) => socket.close(resolve));
    const policy = room.policy({ network: { kind: 'allowlist', domains: ['127.0.0.1'] } });
    await assert.rejects(room.sh('true', { policy }), { code: 'network-domain-invalid' });
  });
});
