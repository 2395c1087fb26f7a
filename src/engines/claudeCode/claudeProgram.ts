import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { messageOf, UserError } from '../../base/errors';
import type { Mount } from '../../core/jailPolicy';

const run = promisify(execFile);

/** The first that is a native program: before, it ran on Node, where it knows no Unix socket. Tried: 2.1.113, 2.1.120, 2.1.197, 2.1.329. */
export const oldestVersion = [2, 1, 113] as const;

/** The first start after an installation reads 250 MB from the disk. */
const versionTimeoutMs = 30_000;

const folderInJail = '/opt/claude-code';

/** The user's own Claude Code, as a jail sees it. */
export interface ClaudeProgram {
  readonly version: string;
  readonly mount: Mount;
  /** Its path in the jail. */
  readonly path: string;
}

export interface ProgramPlace {
  /** The setting; `null` to look for `claude` on the search path. */
  readonly path: string | null;
  readonly searchPath: string;
}

/**
 * Finds the user's own `claude` and asks it for its version. Nothing of the user's `~/.claude` is looked at.
 * @throws {UserError} `claude-code-missing`, `claude-code-unusable`, `claude-code-too-old`.
 */
export async function findClaude(place: ProgramPlace): Promise<ClaudeProgram> {
  const found = await findFile(place);
  const version = await versionOf(found);
  if (isOlder(version)) {
    throw new UserError(
      'claude-code-too-old',
      `Claude Code ${version} is too old; ${oldestVersion.join('.')} is the oldest that works here. Update it ("claude update").`,
      { path: found, version },
    );
  }
  const root = await packageOf(found);
  const at = join(folderInJail, basename(root));
  return { version, mount: { from: root, at, access: 'read' }, path: at + found.slice(root.length) };
}

async function findFile({ path, searchPath }: ProgramPlace): Promise<string> {
  const candidates =
    path !== null
      ? [path]
      : searchPath.split(':').flatMap((folder) => (folder.startsWith('/') ? [join(folder, 'claude')] : []));
  for (const candidate of candidates) {
    const isProgram = await access(candidate, constants.X_OK).then(
      () => stat(candidate).then((stats) => stats.isFile()),
      () => false,
    );
    if (isProgram) return realpath(candidate);
  }
  throw new UserError(
    'claude-code-missing',
    path === null
      ? 'Claude Code is not installed: there is no "claude" on the PATH. Install it, or name it with the setting "airlock.claudeCode.path".'
      : `There is no program at ${path}. Set "airlock.claudeCode.path" to your "claude", or leave it empty.`,
    { path, retryable: false },
  );
}

async function versionOf(path: string): Promise<string> {
  try {
    const env = { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', DISABLE_AUTOUPDATER: '1' };
    const { stdout } = await run(path, ['--version'], { env, timeout: versionTimeoutMs });
    const version = /^(\d+\.\d+\.\d+)\b.*Claude Code/.exec(stdout)?.[1];
    if (version) return version;
    throw new Error(`it says ${JSON.stringify(stdout.slice(0, 100))}`);
  } catch (error) {
    throw new UserError(
      'claude-code-unusable',
      `${path} does not tell its version as Claude Code does: ${messageOf(error).slice(0, 300)}. Look whether "claude --version" works.`,
      { path, retryable: false },
      { cause: error },
    );
  }
}

function isOlder(version: string): boolean {
  const parts = version.split('.').map(Number);
  const at = oldestVersion.findIndex((part, index) => part !== parts[index]);
  return at !== -1 && (parts[at] ?? 0) < (oldestVersion[at] ?? 0);
}

const packageSchema = z.object({ name: z.string() });

/** The npm package that a program is a part of, for it needs the files beside it; the file itself when there is none. */
async function packageOf(file: string): Promise<string> {
  for (const folder of [dirname(file), dirname(dirname(file))]) {
    const text = await readFile(join(folder, 'package.json'), 'utf8').catch(() => '{}');
    if (packageSchema.safeParse(jsonOf(text)).data?.name.startsWith('@anthropic-ai/claude-code')) return folder;
  }
  return file;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
