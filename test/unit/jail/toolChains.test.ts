import assert from 'node:assert/strict';
import { link as hardLink, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type DetectedTools, detectToolChains } from '../../../src/jail/toolChains/detection';
import { refusalOf } from '../../../src/jail/toolChains/privatePaths';

const systemPath = ['/usr/local/bin', '/usr/bin', '/bin', '/usr/sbin', '/sbin'];

describe('detectToolChains', () => {
  let home: string;

  beforeEach(async () => {
    home = await realpath(await mkdtemp(join(tmpdir(), 'airlock-tools-')));
  });

  afterEach(() => rm(home, { recursive: true, force: true }));

  const file = async (path: string, text = ''): Promise<void> => {
    await mkdir(dirname(join(home, path)), { recursive: true });
    await writeFile(join(home, path), text, { mode: 0o755 });
  };
  const link = async (path: string, target: string): Promise<void> => {
    await mkdir(dirname(join(home, path)), { recursive: true });
    await symlink(target, join(home, path));
  };
  const detect = (folders: readonly string[], named: readonly string[] = [], more = {}): Promise<DetectedTools> =>
    detectToolChains({ HOME: home, PATH: folders.map((folder) => join(home, folder)).join(':'), ...more }, named);
  /** What jails see of the made-up home, below it, and their `PATH`. */
  const seen = ({ toolChains, searchPath }: DetectedTools): unknown => ({
    chains: toolChains.map(({ name, mounts }) => [name, ...mounts.map(({ at }) => at.slice(home.length + 1))]),
    path: searchPath.filter((folder) => !systemPath.includes(folder)).map((folder) => folder.slice(home.length + 1)),
  });

  it('finds Node behind its links, and shows neither its configuration nor what lies beside it', async () => {
    await file('.nvm/versions/node/v22/bin/node');
    await file('.nvm/versions/node/v22/lib/node_modules/npm/package.json');
    await file('.nvm/versions/node/v22/etc/npmrc', '//registry.example.org/:_authToken=secret');
    await file('.nvm/versions/node/v20/bin/node');
    await link('links/node', join(home, '.nvm/versions/node/v22/bin/node'));
    const found = await detect(['none', 'links']);
    assert.deepEqual(found, {
      toolChains: [
        {
          name: 'node',
          mounts: ['bin', 'lib'].map((name) => {
            const path = join(home, '.nvm/versions/node/v22', name);
            return { from: path, at: path };
          }),
          covered: [],
          programs: [join(home, '.nvm/versions/node/v22/bin')],
          environment: {},
        },
      ],
      searchPath: [join(home, '.nvm/versions/node/v22/bin'), ...systemPath],
    });
  });

  it("keeps the user's order, the system's folders included", async () => {
    for (const version of ['v20', 'v22']) {
      await file(`${version}/bin/node`);
      await file(`${version}/lib/node_modules/npm/package.json`);
    }
    const path = `${home}/v20/bin:relative:/usr/bin:${home}/v22/bin:/usr/bin`;
    const { searchPath } = await detectToolChains({ HOME: home, PATH: path });
    assert.deepEqual(searchPath, [
      ...[`${home}/v20/bin`, '/usr/bin', `${home}/v22/bin`],
      ...['/usr/local/bin', '/bin', '/usr/sbin', '/sbin'],
    ]);
  });

  it('finds Python, Go, Java, Rust and .NET by how they look, and what they need to find their parts', async () => {
    await file('py/bin/python3.12');
    await link('py/bin/python3', 'python3.12');
    await file('py/lib/python3.12/os.py');
    await file('py/pip.conf');
    await file('sdk/go/bin/go');
    await file('sdk/go/src/runtime/proc.go');
    await file('sdk/go/pkg/tool/compile');
    await file('.sdkman/candidates/java/21/bin/java');
    await file('.sdkman/candidates/java/21/lib/modules');
    await file('.sdkman/candidates/java/21/conf/management/jmxremote.password');
    await link('.sdkman/candidates/java/current', '21');
    await file('rust/bin/rustc');
    await file('rust/lib/rustlib/components');
    await file('.dotnet/dotnet');
    await file('.dotnet/shared/Microsoft.NETCore.App/8.0/a.dll');
    const found = await detect(['py/bin', 'sdk/go/bin', '.sdkman/candidates/java/current/bin', 'rust/bin', '.dotnet']);
    assert.deepEqual(seen(found), {
      chains: [
        ['python', 'py/bin', 'py/lib'],
        ['go', 'sdk/go/bin', 'sdk/go/pkg', 'sdk/go/src'],
        ['java', ...['bin', 'lib', 'conf'].map((name) => `.sdkman/candidates/java/21/${name}`)],
        ['rust', 'rust/bin', 'rust/lib'],
        ['dotnet', '.dotnet/dotnet', '.dotnet/shared'],
      ],
      path: ['py/bin', 'sdk/go/bin', '.sdkman/candidates/java/21/bin', 'rust/bin', '.dotnet'],
    });
    const java = found.toolChains.find(({ name }) => name === 'java');
    assert.deepEqual(
      { covered: java?.covered, environment: java?.environment },
      {
        covered: [{ kind: 'file', path: join(home, '.sdkman/candidates/java/21/conf/management/jmxremote.password') }],
        environment: { JAVA_HOME: join(home, '.sdkman/candidates/java/21') },
      },
    );
  });

  it('takes the tool chain that rustup is set to, and not the credentials of cargo', async () => {
    await file('.cargo/bin/rustup', '\x7fELF');
    await link('.cargo/bin/cargo', 'rustup');
    await hardLink(join(home, '.cargo/bin/rustup'), join(home, '.cargo/bin/rustc'));
    await file('.cargo/bin/rg', '\x7fELF of its own');
    await file('.cargo/credentials.toml', 'token = "secret"');
    await file('.rustup/settings.toml', 'version = "12"\ndefault_toolchain = "stable-x86_64"\n');
    await file('.rustup/toolchains/stable-x86_64/bin/cargo', '\x7fELF');
    await file('.rustup/toolchains/stable-x86_64/lib/rustlib/components');
    assert.deepEqual(seen(await detect(['.cargo/bin'])), {
      chains: [
        ['rust', '.rustup/toolchains/stable-x86_64/bin', '.rustup/toolchains/stable-x86_64/lib'],
        ['programs', '.cargo/bin/rg'],
      ],
      path: ['.rustup/toolchains/stable-x86_64/bin', '.cargo/bin'],
    });
  });

  it('takes the version that was chosen in place of what a version manager puts on the path', async () => {
    await file('.pyenv/shims/python');
    await file('.pyenv/version', '3.12.1\nsystem\n../../.ssh\n');
    await file('.pyenv/versions/3.12.1/bin/python3');
    await file('.pyenv/versions/3.12.1/lib/python3.12/os.py');
    await file('.volta/bin/volta-shim', '\x7fELF');
    await file('.volta/tools/user/platform.json', '{"node":{"runtime":"22.1.0","npm":null}}');
    await file('.volta/tools/image/node/22.1.0/bin/node');
    await file('.volta/tools/image/node/22.1.0/lib/node_modules/npm/package.json');
    await file('.asdf/shims/go');
    await file('.tool-versions', 'golang 1.22\nruby ../../x\n');
    await file('.asdf/installs/golang/1.22/bin/go');
    await file('.asdf/installs/golang/1.22/src/runtime/proc.go');
    assert.deepEqual(seen(await detect(['.pyenv/shims', '.volta/bin', '.asdf/shims'])), {
      chains: [
        ['python', '.pyenv/versions/3.12.1/bin', '.pyenv/versions/3.12.1/lib'],
        ['node', '.volta/tools/image/node/22.1.0/bin', '.volta/tools/image/node/22.1.0/lib'],
        ['go', '.asdf/installs/golang/1.22/bin', '.asdf/installs/golang/1.22/src'],
      ],
      path: ['.pyenv/versions/3.12.1/bin', '.volta/tools/image/node/22.1.0/bin', '.asdf/installs/golang/1.22/bin'],
    });
  });

  it("shows compiled programs of a folder of the user's own, and no script", async () => {
    await file('.local/bin/uv', '\x7fELF');
    await file('.local/bin/deploy', '#!/bin/sh\nexport TOKEN=secret');
    await link('.local/bin/python3.12', '../share/uv/python/cpython/bin/python3.12');
    await link('.local/bin/python3', 'python3.12');
    await file('.local/share/uv/python/cpython/bin/python3.12', '#!not compiled');
    await file('.local/share/uv/python/cpython/lib/python3.12/os.py');
    await file('go/bin/gopls', '\x7fELF');
    await mkdir(join(home, 'empty'));
    assert.deepEqual(seen(await detect(['.local/bin', 'go/bin', 'empty'])), {
      chains: [
        ['python', '.local/share/uv/python/cpython/bin', '.local/share/uv/python/cpython/lib'],
        ['programs', '.local/bin/uv'],
        ['programs', 'go/bin'],
      ],
      path: ['.local/share/uv/python/cpython/bin', '.local/bin', 'go/bin'],
    });
  });

  it('shows no folder that only happens to hold a program of that name, nor one that leads elsewhere', async () => {
    await file('bin/node', '#!/bin/sh');
    await file('.local/bin/node', '#!/bin/sh');
    await file('odd/bin/node');
    await file('odd/lib-elsewhere/x');
    await mkdir(join(home, 'odd/lib'));
    await link('odd/include', join(home, '.ssh'));
    await file('.ssh/id_ed25519');
    await file('odd/lib/node_modules/npm/package.json');
    await link('system/node', '/usr/bin/env');
    assert.deepEqual(seen(await detect(['bin', '.local/bin', 'odd/bin', 'system'])), {
      chains: [
        ['node', 'odd/bin', 'odd/lib'],
        ['programs', 'system/node'],
      ],
      path: ['odd/bin', 'system'],
    });
  });

  it('shows what the settings name, but for files that may hold a token', async () => {
    await file('tools/cmake/bin/cmake');
    await file('tools/cmake/.npmrc');
    await file('tools/cmake/etc/npmrc');
    await file('tools/single');
    const found = await detect([], ['~/tools/cmake', join(home, 'tools/single'), '~/not-here']);
    assert.deepEqual(seen(found), {
      chains: [
        ['~/tools/cmake', 'tools/cmake'],
        [join(home, 'tools/single'), 'tools/single'],
      ],
      path: ['tools/cmake/bin', 'tools'],
    });
    assert.deepEqual(found.toolChains[0]?.covered, [
      { kind: 'file', path: join(home, 'tools/cmake/.npmrc') },
      { kind: 'folder', path: join(home, 'tools/cmake/etc') },
    ]);
  });

  it('refuses what would show more than a tool chain, links to it included', async () => {
    await file('.ssh/id_ed25519');
    await file('.cargo/credentials.toml');
    await link('innocent', '.ssh');
    for (const path of [
      '~',
      '~/',
      '/',
      '/etc',
      '/home',
      '~/.ssh',
      '~/.cargo',
      '~/innocent',
      dirname(home),
      'relative',
    ]) {
      await assert.rejects(detect([], [path]), { code: 'tool-chain-unsafe' }, path);
    }
  });
});

describe('refusalOf', () => {
  it('knows what is private in a home, and what only lies beside it', () => {
    const home = '/home/jane';
    const refused = ['/', '/home', home, '/home/john', `${home}/.config/gh`, `${home}/.aws`, `${home}/.m2`, '/etc/ssl'];
    const fine = [
      `${home}/.cargo/bin`,
      `${home}/.config/nvm/versions/node/v22/bin`,
      '/opt/go',
      '/home/linuxbrew/.linuxbrew',
    ];
    assert.deepEqual(
      [refused, fine].map((paths) => paths.map((path) => refusalOf(path, home) !== undefined)),
      [refused.map(() => true), fine.map(() => false)],
    );
  });
});
