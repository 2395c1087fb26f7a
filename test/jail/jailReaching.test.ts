import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmod } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { syscallNumber } from '../../src/jail/seccomp/syscalls';
import { type JailRoom, needProgram, openJailRoom } from './jailRoom';

describe('reaching out of a jail', () => {
  let room: JailRoom;
  const servers: Server[] = [];
  let connections = 0;

  const listen = async (where: { port?: number; host?: string; path?: string }): Promise<Server> => {
    const server = createServer((socket: Socket) => {
      connections += 1;
      socket.on('error', () => {}).end('reached');
    });
    servers.push(server);
    server.listen(where);
    await once(server, 'listening');
    return server;
  };

  const portOf = (server: Server): number => {
    const address = server.address();
    return address !== null && typeof address === 'object' ? address.port : assert.fail('no port');
  };

  beforeEach(async () => {
    room = await openJailRoom();
    connections = 0;
  });

  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
    await room.close();
  });

  it("does not reach the host's loopback or its addresses", async () => {
    const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
    const hosts = addresses.filter(({ scopeid }) => !scopeid).map(({ address }) => address);
    const ports = await Promise.all(hosts.map(async (host) => portOf(await listen({ port: 0, host }))));
    const tries = hosts.map((host, index) => `(echo x >/dev/tcp/${host}/${ports[index]}) 2>/dev/null && echo reached`);
    const { stdout } = await room.sh(`${tries.join('\n')}\ntrue`);
    assert.deepEqual({ stdout, connections }, { stdout: '', connections: 0 });
  });

  it('has no interface but its own loopback, and no route', async () => {
    const { stdout } = await room.sh(
      'tail -n +3 /proc/net/dev | cut -d: -f1; tail -n +2 /proc/net/route; (echo x >/dev/tcp/169.254.169.254/80) 2>&1',
    );
    const [first, ...rest] = stdout.trim().split('\n');
    assert.equal(first?.trim(), 'lo');
    assert.ok(
      rest.every((line) => line.includes('Network is unreachable') || /^\s*\w+$/.test(line)),
      stdout,
    );
  });

  it('resolves no name', async () => {
    const { stdout, exitCode } = await room.run(['/usr/bin/getent', 'hosts', 'example.org']);
    assert.deepEqual({ stdout, exitCode }, { stdout: '', exitCode: 2 });
  });

  it('reaches no Unix socket of the host, neither abstract nor in a folder that it sees', async function () {
    needProgram(this, '/usr/bin/perl');
    const path = join(room.workspace, 'socket');
    const abstract = `airlock-test-${process.pid}`;
    await listen({ path });
    await chmod(path, 0o777);
    await listen({ path: `\0${abstract}` });
    const script = `use Socket; for my $path ("/workspace/socket", "\\0${abstract}") {
      socket(my $s, AF_UNIX, SOCK_STREAM, 0) or do { print $!+0, " "; next };
      print connect($s, pack_sockaddr_un($path)) ? "reached" : "no", " " }`;
    const ran = await room.run(['/usr/bin/perl', '-e', script]);
    assert.deepEqual(
      { stdout: ran.stdout, stderr: ran.stderr, connections },
      { stdout: '97 97 ', stderr: '', connections: 0 },
    );
  });

  it('reaches no abstract Unix socket of the host where it may have its own', async function () {
    needProgram(this, '/usr/bin/perl');
    const abstract = `airlock-test-${process.pid}`;
    await listen({ path: `\0${abstract}` });
    const script = `use Socket; use IO::Socket::UNIX; socket(my $s, AF_UNIX, SOCK_STREAM, 0) or die "$!";
      print connect($s, pack_sockaddr_un("\\0${abstract}")) ? "reached" : "no", " ";
      my $server = IO::Socket::UNIX->new(Local => "/tmp/own", Listen => 1) or die "$!";
      print IO::Socket::UNIX->new(Peer => "/tmp/own") ? "its own" : "$!"`;
    const ran = await room.run(['/usr/bin/perl', '-e', script]);
    assert.deepEqual(
      { stdout: ran.stdout, stderr: ran.stderr, connections },
      { stdout: 'no its own', stderr: '', connections: 0 },
    );
  });

  it('opens no raw, packet, vsock or netlink socket that could leave it', async function () {
    needProgram(this, '/usr/bin/perl');
    const socket = syscallNumber('socket', (await room.jails.facts()).architecture);
    const families = {
      raw: [2, 3, 1],
      packet: [17, 3, 3],
      vsock: [40, 1, 0],
      audit: [16, 3, 9],
      bluetooth: [31, 3, 0],
    };
    const script = Object.values(families)
      .map((args) => `print syscall(${socket}, ${args.join(', ')}) == -1 ? $!+0 : "open", " ";`)
      .join('\n');
    const ran = await room.run(['/usr/bin/perl', '-e', script]);
    assert.equal(ran.stdout, '1 97 97 97 97 ');
  });

  it('may talk to itself over its own loopback', async function () {
    needProgram(this, '/usr/bin/perl');
    const script = `use IO::Socket::INET;
      my $server = IO::Socket::INET->new(LocalAddr => "127.0.0.1", Listen => 1) or die "$!";
      my $client = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $server->sockport) or die "$!"; print "talked"`;
    const ran = await room.run(['/usr/bin/perl', '-e', script]);
    assert.deepEqual({ stdout: ran.stdout, stderr: ran.stderr }, { stdout: 'talked', stderr: '' });
  });
});
