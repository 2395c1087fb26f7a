import type { Mount } from '../core/jailPolicy';

/** Where package managers keep downloads inside a jail. */
const cacheInJail = '/opt/cache';

/** Downloads that only a package manager has use for. */
const downloads: Readonly<Record<string, string>> = {
  npm_config_cache: 'npm',
  PNPM_HOME: 'pnpm',
  YARN_CACHE_FOLDER: 'yarn',
  BUN_INSTALL_CACHE_DIR: 'bun',
  PIP_CACHE_DIR: 'pip',
  UV_CACHE_DIR: 'uv',
  POETRY_CACHE_DIR: 'poetry',
  COMPOSER_CACHE_DIR: 'composer',
};

/** Where compilers find the dependencies themselves. They can be read where nothing may be written. */
const stores: Readonly<Record<string, string>> = {
  CARGO_HOME: 'cargo',
  GOMODCACHE: 'go',
  NUGET_PACKAGES: 'nuget',
  MIX_HOME: 'mix',
  HEX_HOME: 'hex',
  PUB_CACHE: 'pub',
};

/** A cache in a jail that may write to it. */
export function cacheMount(folder: string): Mount {
  return { from: folder, at: cacheInJail, access: 'write' };
}

export const cacheEnvironment = located({ ...downloads, ...stores });

/** A cache in the jail of a check: for compilers alone, and as the setup left it. */
export function storeMount(folder: string): Mount {
  return { from: folder, at: cacheInJail, access: 'read' };
}

export const storeEnvironment = located(stores);

function located(folders: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(folders).map(([name, folder]) => [name, `${cacheInJail}/${folder}`]));
}
