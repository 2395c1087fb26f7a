import { dirname, join } from 'node:path';
import { isWithin } from '../../base/pathWithin';

/** Where programs keep keys, tokens, passwords and histories, below the home folder. */
const privateInHome = [
  '.ssh',
  '.gnupg',
  '.pki',
  '.aws',
  '.azure',
  '.config',
  '.docker',
  '.kube',
  '.netrc',
  '.npmrc',
  '.yarnrc',
  '.yarnrc.yml',
  '.pypirc',
  '.gitconfig',
  '.git-credentials',
  '.password-store',
  '.vault-token',
  '.terraform.d',
  '.local/share/keyrings',
  '.local/state/airlock',
  '.mozilla',
  '.thunderbird',
  '.cargo/credentials',
  '.cargo/credentials.toml',
  '.cargo/config.toml',
  '.m2/settings.xml',
  '.m2/settings-security.xml',
  '.gradle/gradle.properties',
  '.gem/credentials',
  '.bundle/config',
  '.nuget/NuGet',
  '.claude',
  '.claude.json',
  '.vscode',
  '.vscode-server',
  '.bash_history',
  '.zsh_history',
] as const;

/** nvm puts its versions there when `XDG_CONFIG_HOME` is set. */
const publicInHome = ['.config/nvm/versions'] as const;

/** The system's own: shown by every jail already, or not to be shown at all. */
const systemFolders = ['/etc', '/proc', '/sys', '/dev', '/run', '/var', '/boot'] as const;
const sharedFolders = ['/', '/home', '/root', '/tmp', '/opt', '/srv', '/mnt', '/media', '/usr'] as const;

/**
 * Why a jail must not see all of `path`, in words that follow it: it is, holds or lies in something private.
 * @param path a real path.
 * @param home the real path of the user's home.
 * @returns `undefined` when nothing is known against it.
 */
export function refusalOf(path: string, home: string): string | undefined {
  if (sharedFolders.some((folder) => folder === path)) return 'holds more than a tool chain';
  if (systemFolders.some((folder) => isWithin(path, folder))) return 'belongs to the system';
  if (dirname(path) === '/home') return 'is a home folder';
  if (isWithin(home, path)) return 'is your home folder, or holds it';
  if (publicInHome.some((name) => isWithin(path, join(home, name)))) return undefined;
  const name = privateInHome.find((each) => {
    const secret = join(home, each);
    return isWithin(path, secret) || isWithin(secret, path);
  });
  return name === undefined ? undefined : `is, holds or lies in ~/${name}, which is private`;
}
