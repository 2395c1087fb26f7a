import { constants } from 'node:fs';
import { access, realpath } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { isWithin } from './pathInJail';
import type { ToolChain } from './hostFacts';

/** Where tool chains from outside the system folders appear in a jail. */
const toolChainsInJail = '/opt/tools';

const systemFolders = ['/usr', '/bin', '/sbin', '/lib'];

/**
 * Finds Node when the user has it outside the system folders (nvm, `/opt`, …). Only its `bin` and `lib` are shown: beside
 * them lies `etc/npmrc`, which may hold a token.
 * @param searchPath the user's `PATH`.
 */
export async function detectToolChains(searchPath: string): Promise<ToolChain[]> {
  const node = await findProgram('node', searchPath);
  if (node === undefined || systemFolders.some((folder) => isWithin(node, folder))) return [];
  const prefix = dirname(dirname(node));
  const isInstallation = prefix !== '/' && prefix !== homedir() && (await exists(join(prefix, 'lib/node_modules/npm')));
  if (!isInstallation) return [];
  const at = `${toolChainsInJail}/node`;
  return [
    {
      name: 'node',
      mounts: ['bin', 'lib'].map((folder) => ({ from: join(prefix, folder), at: `${at}/${folder}` })),
      bin: `${at}/bin`,
    },
  ];
}

/**
 * The first program of that name on `searchPath`, with every link resolved.
 * @returns `undefined` when there is none.
 */
export async function findProgram(name: string, searchPath: string): Promise<string | undefined> {
  for (const folder of searchPath.split(':').filter((entry) => entry.startsWith('/'))) {
    const path = join(folder, name);
    if (await exists(path, constants.X_OK)) return realpath(path);
  }
  return undefined;
}

function exists(path: string, mode = constants.F_OK): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  );
}
