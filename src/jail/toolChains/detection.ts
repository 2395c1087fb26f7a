import { realpath } from 'node:fs/promises';
import { homedir } from 'node:os';
import { programIn } from '../findProgram';
import type { ToolChain } from '../hostFacts';
import { isWithin } from '../../base/pathWithin';
import { binariesIn } from './binaries';
import { installationOf, toolChainKinds } from './kinds';
import { namedToolChains } from './named';
import { refusalOf } from './privatePaths';
import { versionsBehind } from './versionShims';

/** Every jail sees them anyway. */
const systemFolders = ['/usr', '/bin', '/sbin', '/lib'];

/** Always at the end of the `PATH`. */
const systemPath = ['/usr/local/bin', '/usr/bin', '/bin', '/usr/sbin', '/sbin'];

/** What jails see of the user's tool chains. */
export interface DetectedTools {
  readonly toolChains: readonly ToolChain[];
  /** The `PATH` of jails: what they see of the user's own, in the user's order. */
  readonly searchPath: readonly string[];
}

/**
 * Finds the tool chains that the user has outside the system folders: those that are named in the settings, and those on the
 * user's `PATH`. Nothing that is found is run. Of an installation only the parts are shown that it needs, and nothing that is
 * known to be private.
 * @param named paths from the settings, see `namedToolChains`.
 * @throws {UserError} `tool-chain-unsafe`.
 */
export async function detectToolChains(
  environment: NodeJS.ProcessEnv,
  named: readonly string[] = [],
): Promise<DetectedTools> {
  const home = await realpath(environment['HOME'] ?? homedir()).catch(() => homedir());
  const toolChains = await namedToolChains(named, home);
  const searchPath = toolChains.flatMap(({ programs }) => programs);
  for (const entry of (environment['PATH'] ?? '').split(':').filter((each) => each.startsWith('/'))) {
    const folder = await realpath(entry).catch(() => undefined);
    if (folder === undefined) continue;
    if (isSystem(folder)) {
      searchPath.push(isSystem(entry) ? entry : folder);
      continue;
    }
    for (const toolChain of await toolChainsOf(folder, home, environment)) {
      toolChains.push(toolChain);
      searchPath.push(...toolChain.programs);
    }
  }
  return { toolChains: withoutRepeats(toolChains), searchPath: [...new Set([...searchPath, ...systemPath])] };
}

function isSystem(path: string): boolean {
  return systemFolders.some((folder) => isWithin(path, folder));
}

async function toolChainsOf(folder: string, home: string, environment: NodeJS.ProcessEnv): Promise<ToolChain[]> {
  const behind = await versionsBehind(folder, home, environment);
  const folders = behind === undefined ? [folder] : await Promise.all(behind.map((path) => realpath(path)));
  const found: ToolChain[] = [];
  for (const each of folders) {
    found.push(...(await Promise.all(toolChainKinds.map((kind) => installedAs(each, kind)))).flat());
  }
  const isInstallation = found.some(({ programs }) => programs.includes(folder));
  if (isWithin(folder, home) && !isInstallation) found.push(...(await binariesIn(folder)));
  return found.filter(({ mounts }) => mounts.every(({ from }) => refusalOf(from, home) === undefined));
}

async function installedAs(folder: string, kind: (typeof toolChainKinds)[number]): Promise<ToolChain[]> {
  for (const name of kind.programs) {
    const program = await programIn(folder, name);
    if (program === undefined) continue;
    const installation = isSystem(program) ? undefined : await installationOf(program, kind);
    return installation ? [installation] : [];
  }
  return [];
}

/** One installation may be found by several programs and from several folders. */
function withoutRepeats(toolChains: readonly ToolChain[]): ToolChain[] {
  const seen = new Set<string>();
  return toolChains.filter(({ name, mounts }) => {
    const key = JSON.stringify([name, mounts]);
    const isNew = !seen.has(key);
    seen.add(key);
    return isNew;
  });
}
