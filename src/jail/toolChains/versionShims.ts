import { access, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';

const voltaPlatformSchema = z.object({ node: z.object({ runtime: z.string() }) });

/** What may stand in a path: a version is chosen by a file, and must not lead anywhere else. */
const plainName = /^[\w][\w.+-]*$/;

/**
 * Version managers put small programs on the `PATH` that look for the right version when they are run, with the manager's
 * files at hand. In a jail the version that the user has chosen takes their place.
 * @param folder a folder of the `PATH`.
 * @returns the folders with the programs that it stands for; `undefined` when it is no folder of such programs.
 */
export async function versionsBehind(
  folder: string,
  home: string,
  environment: NodeJS.ProcessEnv,
): Promise<string[] | undefined> {
  const root = dirname(folder);
  if (basename(folder) === 'shims') {
    if (await exists(join(root, 'versions'))) return present(await globalVersions(root));
    if (await exists(join(root, 'installs'))) return present(await toolVersions(root, home));
  }
  if (await exists(join(folder, 'rustup'))) {
    return present(await rustVersions(environment['RUSTUP_HOME'] ?? join(home, '.rustup')));
  }
  if (await exists(join(folder, 'volta-shim'))) return present(await voltaVersions(root));
  return undefined;
}

/** pyenv, rbenv, nodenv, goenv: names in a file. */
async function globalVersions(root: string): Promise<string[]> {
  const names = (await textOf(join(root, 'version'))).split(/\s+/).filter((name) => plainName.test(name));
  return names.map((name) => join(root, 'versions', name, 'bin'));
}

/** asdf and mise: lines of a tool and its versions. */
async function toolVersions(root: string, home: string): Promise<string[]> {
  const lines = (await textOf(join(home, '.tool-versions'))).split('\n').map((line) => line.trim().split(/\s+/));
  return lines.flatMap(([tool = '', version = '']) =>
    plainName.test(tool) && plainName.test(version) ? [join(root, 'installs', tool, version, 'bin')] : [],
  );
}

/** rustup: the default of its settings. `cargo` and `rustc` of rustup themselves want to write to its folder. */
async function rustVersions(root: string): Promise<string[]> {
  const settings = await textOf(join(root, 'settings.toml'));
  const name = /^default_toolchain\s*=\s*"([^"]*)"/m.exec(settings)?.[1] ?? '';
  return plainName.test(name) ? [join(root, 'toolchains', name, 'bin')] : [];
}

async function voltaVersions(root: string): Promise<string[]> {
  try {
    const text = await readFile(join(root, 'tools/user/platform.json'), 'utf8');
    const { runtime } = voltaPlatformSchema.parse(JSON.parse(text)).node;
    return plainName.test(runtime) ? [join(root, 'tools/image/node', runtime, 'bin')] : [];
  } catch {
    // Volta without a default, or one that is kept otherwise: then there is no Node of its own to show.
    return [];
  }
}

async function present(folders: readonly string[]): Promise<string[]> {
  const found = await Promise.all(folders.map(exists));
  return folders.filter((_, index) => found[index]);
}

function textOf(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
