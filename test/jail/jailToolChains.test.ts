import assert from 'node:assert/strict';
import { chmod, copyFile, link, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { jailPolicySchema } from '../../src/core/jailPolicy';
import { createJails } from '../../src/jail/jails';

const policy = jailPolicySchema.parse({ account: 'tool-chains', workingDirectory: '/tmp' });
const token = 'token-5a1e';

describe("tool chains of the user's own", () => {
  let home: string;
  const before = { HOME: process.env['HOME'], PATH: process.env['PATH'] };

  beforeEach(async () => {
    home = await realpath(await mkdtemp(join(tmpdir(), 'airlock-home-')));
    await chmod(home, 0o755);
  });

  afterEach(async () => {
    Object.assign(process.env, before);
    await rm(home, { recursive: true, force: true });
  });

  const file = async (path: string, text: string, mode = 0o755): Promise<void> => {
    await mkdir(dirname(join(home, path)), { recursive: true });
    await writeFile(join(home, path), text, { mode });
  };

  /** Runs a script in a jail of a user whose home and `PATH` are made up. */
  const sh = async (folders: readonly string[], script: string, toolChains: readonly string[] = []) => {
    process.env['HOME'] = home;
    process.env['PATH'] = `${folders.map((folder) => join(home, folder)).join(':')}:${before.PATH}`;
    const jails = createJails({ toolChains });
    try {
      const { stdout, stderr, exitCode } = await jails.run({ policy, argv: ['/bin/bash', '-c', script] });
      const proof = await jails.prove(policy);
      const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString().replaceAll(home, '~');
      return { out: text(stdout).split('\n').slice(0, -1), err: text(stderr), exitCode, proven: proof.proven };
    } finally {
      await jails.shutdown();
    }
  };

  it('run a check that needs them, and show nothing of what lies beside them', async () => {
    const version = '.nvm/versions/node/v0.0.1';
    await mkdir(join(home, version, 'bin'), { recursive: true });
    const node = join(home, version, 'bin/node');
    await link(process.execPath, node).catch(() => copyFile(process.execPath, node));
    await file(`${version}/lib/node_modules/npm/index.js`, '');
    await file(`${version}/lib/node_modules/checker/index.js`, "console.log('checked by', process.execPath)");
    await symlink('../lib/node_modules/checker/index.js', join(home, version, 'bin/checker'));
    await file(`${version}/etc/npmrc`, token);
    for (const path of ['.npmrc', '.ssh/id_ed25519', '.cargo/credentials.toml']) await file(path, token, 0o644);
    const script = `command -v node; node $(command -v checker); grep -r ${token} "${home}" 2>/dev/null
      (echo x >"${node}" || touch "${home}/${version}/lib/x") 2>/dev/null && echo wrote
      cd "${home}" && find . -maxdepth 5 | sort`;
    assert.deepEqual(await sh([`${version}/bin`], script), {
      out: [
        ...[`~/${version}/bin/node`, `checked by ~/${version}/bin/node`, '.', './.nvm', './.nvm/versions'],
        ...['./.nvm/versions/node', `./${version}`, `./${version}/bin`, `./${version}/lib`],
      ],
      err: '',
      exitCode: 0,
      proven: true,
    });
  });

  it('find their parts, come in the order of the user, and cover what may hold a token', async () => {
    await file('jdk/bin/java', '#!/bin/sh\necho "java of $JAVA_HOME"');
    await file('jdk/lib/modules', '');
    await file('jdk/conf/management/jmxremote.password', token);
    await file('tools/bin/checker', '#!/bin/sh\necho named');
    await file('tools/etc/npmrc', token);
    await file('tools/.npmrc', token);
    await file('.cargo/bin/rustup', '\x7fELF');
    await file('.rustup/settings.toml', 'default_toolchain = "stable"\n');
    await file('.rustup/toolchains/stable/bin/cargo', '#!/bin/sh\necho built');
    await mkdir(join(home, '.rustup/toolchains/stable/lib/rustlib'), { recursive: true });
    const script = `java; checker; cargo; cat "${home}"/tools/.npmrc "${home}"/tools/etc/npmrc \
      "${home}"/jdk/conf/management/* 2>/dev/null; echo "$PATH" | tr : '\\n' | head -3`;
    assert.deepEqual(await sh(['jdk/bin', '.cargo/bin'], script, ['~/tools']), {
      out: ['java of ~/jdk', 'named', 'built', '~/tools/bin', '~/jdk/bin', '~/.rustup/toolchains/stable/bin'],
      err: '',
      exitCode: 0,
      proven: true,
    });
  });

  it('that would show more than a tool chain keep every jail from being built', async () => {
    await assert.rejects(sh([], 'true', ['~']), (error: Error) => {
      assert.match(error.message, /The tool chain ~, .* is your home folder/);
      return true;
    });
  });
});
