import { sha256 } from '../base/digest';
import type { SetupConfig } from '../core/dependencies';
import type { ObjectId } from '../core/ids';
import { bytesOf, type PathBytes } from './pathBytes';
import type { TreeListing } from './treeListing';

/** Raised when what a key stands for, or how what was made is kept, changes. */
const keyVersion = 1;

/** Files that say which versions of what is installed, by their names, in lower case. */
const knownLockFiles = new Set(
  `package-lock.json npm-shrinkwrap.json yarn.lock pnpm-lock.yaml bun.lock bun.lockb deno.lock
  requirements.txt poetry.lock uv.lock pdm.lock pipfile.lock pylock.toml conda-lock.yml
  cargo.lock go.sum go.work.sum gemfile.lock composer.lock mix.lock pubspec.lock packages.lock.json paket.lock
  gradle.lockfile package.resolved podfile.lock cabal.project.freeze stack.yaml.lock flake.lock rebar.lock`.split(
    /\s+/,
  ),
);

/** Copies of other people's lock files lie in there. */
const foreignFolders = new Set(['node_modules', 'vendor', '.venv', 'venv']);

/** The lock files of a tree as one text: path, mode and content of each. Two trees with the same text need the same dependencies. */
export function lockState(tree: TreeListing, setup: SetupConfig): string {
  const named = setup.lockFiles && new Set(setup.lockFiles.map(bytesOf));
  return [...tree]
    .filter(([path]) => (named ? named.has(path) : isKnown(path)))
    .map(([path, { mode, objectId }]) => `${mode} ${objectId} ${path}`)
    .sort()
    .join('\0');
}

function isKnown(path: PathBytes): boolean {
  const parts = path.split('/');
  return knownLockFiles.has(parts.at(-1)?.toLowerCase() ?? '') && !parts.some((part) => foreignFolders.has(part));
}

/**
 * The name of what a setup makes: the same for the same commands, lock files and tool chain.
 * @param onlyFor what may not be shared is for this one tree: whoever wrote it also wrote the scripts that a setup runs.
 */
export function dependencyKey(
  setup: SetupConfig,
  locks: string,
  toolChain: string,
  onlyFor: ObjectId | undefined,
): string {
  const { commands, outputs } = setup;
  return sha256(JSON.stringify([keyVersion, commands, outputs, locks, toolChain, onlyFor ?? null])).slice(0, 32);
}
