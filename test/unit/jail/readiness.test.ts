import assert from 'node:assert/strict';
import { UserError } from '../../../src/base/errors';
import type { JailReadiness, JailResult } from '../../../src/core/jail';
import { isOlder, missing, parseHardLimits } from '../../../src/jail/detectHost';
import type { HostFacts } from '../../../src/jail/hostFacts';
import { type ProbePorts, probeHost } from '../../../src/jail/readiness';

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
  systemFolders: [],
  etcFolder: '/tmp/etc',
  systemCovers: [],
  toolChains: [],
  searchPath: ['/usr/local/bin', '/usr/bin', '/bin', '/usr/sbin', '/sbin'],
  hostSockets: [],
  scope: null,
  hardLimits: { processes: 1, dataBytes: 1, fileBytes: 1, openFiles: 1, cpuSeconds: 1 },
};

const tight = ['CapEff:\t0000000000000000', 'CapBnd:\t0000000000000000', 'NoNewPrivs:\t1', 'Seccomp:\t2'];

function printed(lines: readonly string[]): JailResult {
  const stdout = Buffer.from(lines.join('\n'));
  const nothing = new Uint8Array();
  return {
    exitCode: 0,
    signal: null,
    stdout,
    stderr: nothing,
    output: stdout,
    droppedBytes: 0,
    durationMs: 1,
    breach: null,
  };
}

function broken(detail: string): UserError {
  return new UserError('jail-unavailable', `The jail could not be built: ${detail}`, { detail });
}

const probe = (ports: Partial<ProbePorts>): Promise<JailReadiness> =>
  probeHost({
    detect: () => Promise.resolve(facts),
    tryJail: () => Promise.resolve(printed(tight)),
    readProc: () => undefined,
    ...ports,
  }).then(({ readiness }) => readiness);

/** The readiness of a machine whose trial jail fails with `detail` and whose settings are `settings`. */
const probeBroken = (detail: string, settings: Record<string, string> = {}): Promise<JailReadiness> =>
  probe({ tryJail: () => Promise.reject(broken(detail)), readProc: (path) => settings[path] });

function unavailable(readiness: JailReadiness): { code: string; fix: string; reason: string } {
  if (readiness.kind !== 'unavailable') return assert.fail('it is ready');
  return readiness;
}

describe('readiness', () => {
  it('is there when a trial jail comes out without any privilege', async () => {
    assert.deepEqual(await probe({}), { kind: 'ready', bwrapVersion: '0.8.0', bwrapPath: '/usr/bin/bwrap' });
  });

  for (const [index, line] of ['CapEff:\t00000000a80425fb', 'CapBnd:\t1', 'NoNewPrivs:\t0', 'Seccomp:\t0'].entries()) {
    it(`is not there when a trial jail has ${line.replace('\t', ' ')}`, async () => {
      const status = tight.with(index, line);
      const found = unavailable(await probe({ tryJail: () => Promise.resolve(printed(status)) }));
      assert.equal(found.code, 'probe-failed');
      assert.ok(found.reason.includes(line.split(':')[0] ?? '?'), found.reason);
    });
  }

  it('passes on what is missing on this machine, with its fix', async () => {
    for (const code of ['not-linux', 'no-bwrap', 'bwrap-too-old', 'unknown-architecture', 'probe-failed']) {
      const readiness = await probe({ detect: () => Promise.reject(missing(code, 'The reason.', 'The fix.')) });
      assert.deepEqual(readiness, { kind: 'unavailable', code, reason: 'The reason.', fix: 'The fix.' });
    }
  });

  const uidMap = 'bwrap: setting up uid map: Permission denied';
  const noNamespace = 'bwrap: No permissions to create new namespace, likely because the kernel does not allow it';
  const cases = [
    {
      detail: uidMap,
      setting: 'sys/kernel/apparmor_restrict_unprivileged_userns',
      value: '1\n',
      fix: /apparmor\.d\/bwrap/,
    },
    {
      detail: noNamespace,
      setting: 'sys/kernel/unprivileged_userns_clone',
      value: '0\n',
      fix: /unprivileged_userns_clone=1/,
    },
    { detail: noNamespace, setting: 'sys/user/max_user_namespaces', value: '0\n', fix: /max_user_namespaces=/ },
    { detail: noNamespace, setting: 'none', value: '', fix: /Docker/ },
  ];
  for (const { detail, setting, value, fix } of cases) {
    it(`says how to get user namespaces (${setting})`, async () => {
      const found = unavailable(await probeBroken(detail, { [setting]: value }));
      assert.equal(found.code, 'no-user-namespaces');
      assert.match(found.fix, fix);
    });
  }

  it('says what a container must allow when /proc cannot be mounted', async () => {
    const found = unavailable(await probeBroken("bwrap: Can't mount proc on /newroot/proc: Operation not permitted"));
    assert.equal(found.code, 'probe-failed');
    assert.match(found.fix, /systempaths=unconfined/);
  });

  it('does without --disable-userns where bwrap cannot do it', async () => {
    const tried: boolean[] = [];
    const readiness = await probe({
      tryJail({ disableUserns }) {
        tried.push(disableUserns);
        const detail = 'bwrap: cannot open /proc/sys/user/max_user_namespaces: Read-only file system';
        return disableUserns ? Promise.reject(broken(detail)) : Promise.resolve(printed(tight));
      },
    });
    assert.deepEqual({ kind: readiness.kind, tried }, { kind: 'ready', tried: [true, false] });
  });
});

describe('what is read of the machine', () => {
  it('orders versions of bwrap by number', () => {
    const versions = [
      [0, 7, 9],
      [0, 8, 0],
      [0, 10, 0],
      [1, 0, 0],
      [0, 8, 1],
    ];
    assert.deepEqual(
      versions.map((version) => isOlder(version, [0, 8, 0])),
      [true, false, false, false, false],
    );
  });

  it('reads the hard limits', () => {
    const text = [
      'Limit                     Soft Limit           Hard Limit           Units',
      'Max file size             unlimited            unlimited            bytes',
      'Max data size             unlimited            1048576              bytes',
      'Max processes             96365                96366                processes',
      'Max open files            1024                 524288               files',
      'Max cpu time              unlimited            unlimited            seconds',
    ].join('\n');
    const unlimited = Number.POSITIVE_INFINITY;
    const limits = {
      processes: 96366,
      dataBytes: 1048576,
      fileBytes: unlimited,
      openFiles: 524288,
      cpuSeconds: unlimited,
    };
    assert.deepEqual(parseHardLimits(text), limits);
  });
});
