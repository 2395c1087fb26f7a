import { lstat, readdir, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Cover, ToolChain, ToolMount } from '../hostFacts';
import { isWithin } from '../../base/pathWithin';

/** How the installation of a tool chain looks, so that no folder is taken for one that only happens to hold such a program. */
export interface ToolChainKind {
  readonly name: string;
  /** Programs by which it is found on the `PATH`; the first that is there decides. */
  readonly programs: readonly string[];
  /** Where the programs lie in it. */
  readonly programFolder: 'bin' | '.';
  /** Every one of these expressions matches the path of something in the installation, relative to its root. */
  readonly marks: readonly Mark[];
  /**
   * What of it a jail sees. Never the root itself, nor `etc`: there lies configuration (`etc/npmrc`, `.condarc`, `pip.conf`,
   * Maven's `settings.xml`) that may hold a token.
   */
  readonly shows: readonly string[];
  /** Files in what is shown that may hold a password. */
  readonly covers?: readonly string[];
  /** The variable that names the root. */
  readonly rootVariable?: string;
}

/** An entry of `folder` whose name matches, and `inside` it a path. */
interface Mark {
  readonly folder: string;
  readonly name: RegExp;
  readonly inside?: string;
}

export const toolChainKinds: readonly ToolChainKind[] = [
  {
    name: 'node',
    programs: ['node'],
    programFolder: 'bin',
    marks: [{ folder: 'lib/node_modules', name: /^npm$/ }],
    shows: ['bin', 'lib', 'include'],
  },
  {
    name: 'python',
    programs: ['python3', 'python'],
    programFolder: 'bin',
    marks: [{ folder: 'lib', name: /^python\d[\d.]*t?$/, inside: 'os.py' }],
    shows: ['bin', 'lib', 'include'],
  },
  {
    name: 'rust',
    programs: ['rustc', 'cargo'],
    programFolder: 'bin',
    marks: [{ folder: 'lib', name: /^rustlib$/ }],
    shows: ['bin', 'lib', 'libexec', 'share'],
  },
  {
    name: 'go',
    programs: ['go'],
    programFolder: 'bin',
    marks: [{ folder: 'src', name: /^runtime$/ }],
    shows: ['bin', 'lib', 'pkg', 'src', 'misc', 'api', 'VERSION', 'go.env'],
  },
  {
    name: 'java',
    programs: ['javac', 'java'],
    programFolder: 'bin',
    marks: [{ folder: 'lib', name: /^(modules|jrt-fs\.jar|rt\.jar|tools\.jar)$/ }],
    shows: ['bin', 'lib', 'conf', 'jmods', 'include', 'jre', 'legal', 'release'],
    covers: ['conf', 'lib', 'jre/lib'].flatMap((folder) =>
      ['password', 'access'].map((name) => `${folder}/management/jmxremote.${name}`),
    ),
    rootVariable: 'JAVA_HOME',
  },
  {
    name: 'maven',
    programs: ['mvn'],
    programFolder: 'bin',
    marks: [{ folder: 'lib', name: /^maven-core-.*\.jar$/ }],
    shows: ['bin', 'boot', 'lib', 'conf/logging'],
  },
  {
    name: 'gradle',
    programs: ['gradle'],
    programFolder: 'bin',
    marks: [{ folder: 'lib', name: /^gradle-.*\.jar$/ }],
    shows: ['bin', 'lib'],
  },
  {
    name: 'ruby',
    programs: ['ruby'],
    programFolder: 'bin',
    marks: [{ folder: 'lib', name: /^ruby$/ }],
    shows: ['bin', 'lib', 'include'],
  },
  {
    name: 'dotnet',
    programs: ['dotnet'],
    programFolder: '.',
    marks: [{ folder: 'shared', name: /^Microsoft\.NETCore\.App$/ }],
    shows: ['dotnet', 'host', 'shared', 'sdk', 'sdk-manifests', 'packs', 'templates'],
    rootVariable: 'DOTNET_ROOT',
  },
  {
    name: 'zig',
    programs: ['zig'],
    programFolder: '.',
    marks: [{ folder: 'lib', name: /^std$/ }],
    shows: ['zig', 'lib'],
  },
];

/**
 * The installation of that kind that `program` belongs to.
 * @param program a real path.
 * @returns `undefined` when it belongs to none.
 */
export async function installationOf(program: string, kind: ToolChainKind): Promise<ToolChain | undefined> {
  const folder = dirname(program);
  const root = kind.programFolder === '.' ? folder : dirname(folder);
  if (kind.programFolder === 'bin' && folder !== join(root, 'bin')) return undefined;
  const marked = await Promise.all(kind.marks.map((mark) => hasMark(root, mark)));
  if (marked.includes(false)) return undefined;
  const shown = await Promise.all(kind.shows.map((name) => ownPath(root, name)));
  const covered = await coversAt((kind.covers ?? []).map((name) => join(root, name)));
  return {
    name: kind.name,
    mounts: shown.flat().map(mountOf),
    covered,
    programs: [folder],
    environment: kind.rootVariable === undefined ? {} : { [kind.rootVariable]: root },
  };
}

/** A path of the host at the same place in the jail: shebangs and compiled-in paths of tool chains name it. */
export function mountOf(path: string): ToolMount {
  return { from: path, at: path };
}

/** Covers for those of the paths where there is a file or a folder. bwrap would follow a link. */
export async function coversAt(paths: readonly string[]): Promise<Cover[]> {
  const found = paths.map(async (path): Promise<Cover[]> => {
    const stats = await lstat(path).catch(() => undefined);
    if (stats?.isDirectory()) return [{ kind: 'folder', path }];
    return stats?.isFile() ? [{ kind: 'file', path }] : [];
  });
  return (await Promise.all(found)).flat();
}

async function hasMark(root: string, { folder, name, inside = '.' }: Mark): Promise<boolean> {
  const names = await readdir(join(root, folder)).catch(() => []);
  const found = names.filter((each) => name.test(each)).map((each) => lstat(join(root, folder, each, inside)));
  return (await Promise.allSettled(found)).some(({ status }) => status === 'fulfilled');
}

/** Nothing when it is not there, or leads out of the installation. */
async function ownPath(root: string, name: string): Promise<string[]> {
  const path = join(root, name);
  const real = await realpath(path).catch(() => undefined);
  return real === path || (real !== undefined && isWithin(real, root)) ? [path] : [];
}
