import { access, realpath, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { UserError } from '../../base/errors';
import type { ToolChain } from '../hostFacts';
import { coversAt, mountOf } from './kinds';
import { refusalOf } from './privatePaths';

/** Files in a tool chain's folder that may hold a token, and what may hold them. */
const coveredNames = [
  '.npmrc',
  '.yarnrc',
  '.yarnrc.yml',
  '.pypirc',
  '.netrc',
  '.env',
  '.envrc',
  '.git',
  '.condarc',
  'pip.conf',
  'etc',
  'credentials',
  'credentials.toml',
  'conf/settings.xml',
  'config.toml',
];

/**
 * Tool chains that the user has named: a folder, shown as a whole but for files that may hold a token, or one program. A path
 * may begin with `~/`; what is not there is passed over, for settings are shared among machines.
 * @throws {UserError} `tool-chain-unsafe` for what would show more than a tool chain: then there is no jail at all.
 */
export async function namedToolChains(paths: readonly string[], home: string): Promise<ToolChain[]> {
  return (await Promise.all(paths.map((path) => namedToolChain(path, home)))).flat();
}

async function namedToolChain(given: string, home: string): Promise<ToolChain[]> {
  const path = given === '~' || given.startsWith('~/') ? join(home, given.slice(1)) : given;
  if (!isAbsolute(path)) throw unsafe(given, 'is no absolute path');
  const from = await realpath(path).catch(() => undefined);
  if (from === undefined) return [];
  const refusal = refusalOf(from, home);
  if (refusal !== undefined) throw unsafe(given, refusal);
  if (!(await stat(from)).isDirectory()) {
    return [{ name: given, mounts: [mountOf(from)], covered: [], programs: [dirname(from)], environment: {} }];
  }
  const covered = await coversAt(coveredNames.map((name) => join(from, name)));
  const bin = join(from, 'bin');
  const programs = await access(bin).then(
    () => bin,
    () => from,
  );
  return [{ name: given, mounts: [mountOf(from)], covered, programs: [programs], environment: {} }];
}

function unsafe(path: string, why: string): UserError {
  return new UserError(
    'tool-chain-unsafe',
    `The tool chain ${path}, which airlock.jail.toolChains or AIRLOCK_TOOL_CHAINS names, ${why}.`,
    {
      path,
      fix: `Nothing runs until it is taken out. Name the folder of the tool chain alone, such as ~/.cargo/bin.`,
    },
  );
}
