import assert from 'node:assert/strict';
import { type JailPolicyInput, jailPolicySchema } from '../../../src/core/jailPolicy';
import { type BwrapInvocation, bwrapInvocation } from '../../../src/jail/argv';
import type { HostFacts } from '../../../src/jail/hostFacts';
import { syscallNumber } from '../../../src/jail/seccomp/syscalls';
import { runFilter } from './bpfMachine';

const unlimited = Number.POSITIVE_INFINITY;
const facts: HostFacts = {
  bwrapPath: '/usr/bin/bwrap',
  bwrapVersion: '0.8.0',
  prlimitPath: '/usr/bin/prlimit',
  setprivPath: '/usr/bin/setpriv',
  envPath: '/usr/bin/env',
  perlPath: '/usr/bin/perl',
  architecture: 'x64',
  mode: { kind: 'user' },
  disableUserns: true,
  systemFolders: [
    { kind: 'folder', path: '/usr' },
    { kind: 'link', path: '/bin', target: 'usr/bin' },
  ],
  etcFolder: '/tmp/made/etc',
  systemCovers: [],
  toolChains: [],
  searchPath: ['/usr/local/bin', '/usr/bin', '/bin', '/usr/sbin', '/sbin'],
  hostSockets: [],
  scope: null,
  hardLimits: {
    processes: unlimited,
    dataBytes: unlimited,
    fileBytes: unlimited,
    openFiles: 1024,
    cpuSeconds: unlimited,
  },
};
const privileged: HostFacts = { ...facts, mode: { kind: 'privileged', ids: { first: 0x70000000, count: 1 } } };

function build(policy: Partial<JailPolicyInput>, host = facts, newSession = true): BwrapInvocation {
  const complete = jailPolicySchema.parse({ account: 'run-1', ...policy });
  return bwrapInvocation(complete, host, ['/usr/bin/make', 'test'], { newSession });
}

/** What bwrap reads from its `--args` descriptor. */
function setUp({ inputs }: BwrapInvocation): string[] {
  return Buffer.from(inputs[0]?.bytes ?? [])
    .toString()
    .split('\0')
    .slice(0, -1);
}

/** The words from `from` on, as many as asked for. */
function after(words: readonly string[], from: string, count: number): string[] {
  const at = words.indexOf(from);
  assert.notEqual(at, -1, `${from} is among the arguments`);
  return words.slice(at, at + count);
}

describe('bwrapInvocation', () => {
  it('builds the whole jail of an ordinary user', () => {
    const invocation = build({ mounts: [{ from: '/srv/run/workspace', at: '/workspace', access: 'write' }] });
    assert.deepEqual(setUp(invocation), [
      ...['--unshare-user', '--disable-userns', '--uid', '1000', '--gid', '1000'],
      ...['--unshare-ipc', '--unshare-pid', '--unshare-net', '--unshare-uts', '--unshare-cgroup-try'],
      ...['--cap-drop', 'ALL', '--die-with-parent', '--hostname', 'airlock', '--clearenv', '--new-session'],
      ...['--ro-bind', '/usr', '/usr', '--symlink', 'usr/bin', '/bin'],
      ...['--ro-bind', '/tmp/made/etc', '/etc', '--perms', '0755', '--dir', '/.account'],
      ...['--perms', '0444', '--file', '5', '/.account/passwd', '--perms', '0444', '--file', '6', '/.account/group'],
      ...['--proc', '/proc', '--dev', '/dev'],
      ...['--perms', '1777', '--size', '268435456', '--tmpfs', '/dev/shm'],
      ...['--perms', '1777', '--size', '1073741824', '--tmpfs', '/tmp'],
      ...['--perms', '0755', '--dir', '/home', '--perms', '0777', '--size', '1073741824', '--tmpfs', '/home/agent'],
      ...['--bind', '/srv/run/workspace', '/workspace'],
      ...['--remount-ro', '/dev', '--remount-ro', '/'],
      ...['--setenv', 'PATH', '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin', '--setenv', 'HOME', '/home/agent'],
      ...['--setenv', 'LANG', 'C.UTF-8', '--setenv', 'TMPDIR', '/tmp', '--setenv', 'TERM', 'dumb'],
      ...['--setenv', 'USER', 'agent', '--chdir', '/workspace'],
    ]);
    assert.deepEqual(
      {
        argv: invocation.argv,
        env: invocation.env,
        fds: invocation.inputs.map(({ fd }) => fd),
        status: invocation.statusFd,
      },
      {
        argv: [
          ...['--args', '3', '--seccomp', '4', '--json-status-fd', '7', '--', '/usr/bin/prlimit', '--nproc=512:512'],
          ...[
            '--data=8589934592:8589934592',
            '--fsize=1073741824:1073741824',
            '--nofile=1024:1024',
            '--cpu=28802:28802',
            '--core=0:0',
            '--',
          ],
          ...['/usr/bin/make', 'test'],
        ],
        env: {},
        fds: [3, 4, 5, 6],
        status: 7,
      },
    );
  });

  it('takes a privileged host without a user namespace, and the root away inside', () => {
    const invocation = build({}, privileged);
    assert.deepEqual(setUp(invocation).slice(0, 15), [
      ...[
        '--unshare-ipc',
        '--unshare-pid',
        '--unshare-net',
        '--unshare-uts',
        '--unshare-cgroup-try',
        '--cap-drop',
        'ALL',
      ],
      ...[
        '--cap-add',
        'CAP_SETUID',
        '--cap-add',
        'CAP_SETGID',
        '--cap-add',
        'CAP_SETPCAP',
        '--cap-add',
        'CAP_DAC_READ_SEARCH',
      ],
    ]);
    assert.deepEqual(after(invocation.argv, '/usr/bin/setpriv', 13), [
      ...[
        '/usr/bin/setpriv',
        '--reuid',
        '1879048192',
        '--regid',
        '1879048192',
        '--clear-groups',
        '--bounding-set=-all',
      ],
      ...['--inh-caps=-all', '--ambient-caps=-all', '--no-new-privs', '--', '/usr/bin/make', 'test'],
    ]);
    assert.equal(invocation.hostId, 0x70000000);
  });

  it('shows no path of the host on the command line, which the jail can read', () => {
    const { argv } = build({ mounts: [{ from: '/home/jane/secret-project', at: '/workspace', access: 'write' }] });
    assert.equal(argv.join(' ').includes('jane'), false);
  });

  it("sets the policy's variables only once the account has been taken on", () => {
    const invocation = build({ environment: { LD_PRELOAD: '/workspace/evil.so' } }, privileged);
    assert.deepEqual(invocation.argv.slice(-6), [
      ...['--', '/usr/bin/env', '--', 'LD_PRELOAD=/workspace/evil.so', '/usr/bin/make', 'test'],
    ]);
    assert.equal(setUp(invocation).includes('LD_PRELOAD'), false);
  });

  it('mounts in the order of the policy and makes folders that the account may enter', () => {
    const words = setUp(
      build({
        mounts: [
          { from: '/a', at: '/data/one', access: 'write' },
          { from: '/b', at: '/data/one/inner/two', access: 'read' },
        ],
      }),
    );
    assert.deepEqual(after(words, '/data', 7), [
      '/data',
      '--bind',
      '/a',
      '/data/one',
      '--ro-bind',
      '/b',
      '/data/one/inner/two',
    ]);
  });

  it('starts what lives long in a cgroup of its own where there can be one, and bwrap with an empty environment', () => {
    const scope = { systemdRunPath: '/usr/bin/systemd-run', envPath: '/usr/bin/env', runtimeFolder: '/run/user/1000' };
    const start = (longLived: boolean, host: HostFacts): string[] => {
      const { bwrapPath, argv } = bwrapInvocation(
        jailPolicySchema.parse({ account: 'run-1', limits: { memoryBytes: 1000, tmpBytes: 100, processes: 50 } }),
        host,
        ['/bin/true'],
        { newSession: true, longLived },
      );
      return [bwrapPath, ...argv].slice(0, [bwrapPath, ...argv].indexOf('--args'));
    };
    assert.deepEqual(start(true, { ...facts, scope }), [
      ...['/usr/bin/env', 'XDG_RUNTIME_DIR=/run/user/1000', '/usr/bin/systemd-run', '--user', '--scope', '--quiet'],
      ...['--collect', '--property=MemoryMax=1300', '--property=MemorySwapMax=0', '--property=TasksMax=66', '--'],
      ...['/usr/bin/env', '-i', '/usr/bin/bwrap'],
    ]);
    assert.deepEqual(start(true, { ...facts, scope: { ...scope, runtimeFolder: null } }).slice(0, 3), [
      ...['/usr/bin/systemd-run', '--scope', '--quiet'],
    ]);
    assert.deepEqual(start(false, { ...facts, scope }), ['/usr/bin/bwrap']);
    assert.deepEqual(start(true, facts), ['/usr/bin/bwrap']);
  });

  it('leaves a session on a terminal its terminal', () => {
    assert.equal(setUp(build({}, facts, false)).includes('--new-session'), false);
  });

  it('shows tool chains where they are on the host, but for what they are not to show', () => {
    const root = '/home/jane/.jdk';
    const toolChain = {
      name: 'java',
      mounts: [{ from: `${root}/bin`, at: `${root}/bin` }],
      covered: [
        { kind: 'file' as const, path: `${root}/bin/password` },
        { kind: 'folder' as const, path: `${root}/bin/etc` },
      ],
      programs: [`${root}/bin`],
      environment: { JAVA_HOME: root },
    };
    const words = setUp(build({}, { ...facts, toolChains: [toolChain], searchPath: ['/usr/bin', `${root}/bin`] }));
    assert.deepEqual(after(words, `${root}/bin`, 11), [
      ...[`${root}/bin`, `${root}/bin`, '--ro-bind', '/dev/null', `${root}/bin/password`],
      ...['--perms', '0555', '--size', '4096', '--tmpfs', `${root}/bin/etc`],
    ]);
    assert.equal(after(words, 'PATH', 2)[1], `/usr/bin:${root}/bin`);
    assert.equal(after(words, 'JAVA_HOME', 2)[1], root);
  });

  it('allows Unix sockets, unless one of the host lies where the jail can see it', () => {
    const shared = {
      mounts: [{ from: '/home/jane/app/node_modules', at: '/workspace/node_modules', access: 'read' as const }],
    };
    const allowedWith = (hostSockets: string[]): boolean => {
      const filter = build(shared, { ...facts, hostSockets }).inputs[1]?.bytes ?? new Uint8Array();
      const socket = syscallNumber('socket', 'x64') ?? -1;
      return runFilter(filter, { number: socket, architecture: 0xc000003e, args: [1n, 1n, 0n] }) === 'allow';
    };
    assert.deepEqual(
      [[], ['/run/dbus', '/home/jane/app/node_modules-x/s'], ['/home/jane/app/node_modules/.cache/nx/d.sock']].map(
        allowedWith,
      ),
      [true, true, false],
    );
  });

  describe('with a network', () => {
    const network = { kind: 'allowlist' as const, domains: ['example.org'] };
    const invoke = (host: HostFacts, egressFolder?: string): BwrapInvocation => {
      const policy = jailPolicySchema.parse({
        account: 'run-1',
        network,
        environment: { MODE: 'x' },
        mounts: [{ from: '/srv/app', at: '/workspace', access: 'read' }],
      });
      return bwrapInvocation(policy, host, ['/bin/true'], { newSession: true, ...(egressFolder && { egressFolder }) });
    };

    it('shows the folder with the proxy, names it, and forwards to it as the account', () => {
      const invocation = invoke(privileged, '/tmp/egress');
      assert.deepEqual(after(setUp(invocation), '/.egress', 4), ['/.egress', '--ro-bind', '/tmp/egress', '/.egress']);
      assert.deepEqual(after(setUp(invocation), 'HTTPS_PROXY', 2), ['HTTPS_PROXY', 'http://127.0.0.1:3128']);
      assert.deepEqual(
        invocation.argv.slice(-9).map((word) => (word.includes('IO::Socket') ? 'script' : word)),
        [
          ...['--', '/usr/bin/perl', '-e', 'script', '/.egress/proxy', '3128'],
          ...['/usr/bin/env', '--', 'MODE=x', '/bin/true'],
        ].slice(-9),
      );
      assert.equal(invocation.argv.join(' ').includes('/tmp/egress'), false);
    });

    it('refuses it where it cannot be given, or would give more', () => {
      const unavailable = { code: 'network-unavailable' };
      assert.throws(() => invoke(facts), unavailable, 'no proxy');
      assert.throws(() => invoke({ ...facts, perlPath: null }, '/tmp/egress'), unavailable, 'nothing to forward with');
      assert.throws(() => invoke({ ...facts, hostSockets: ['/srv/app/socket'] }, '/tmp/egress'), unavailable);
    });
  });
});
