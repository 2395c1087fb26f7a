import { execFile } from 'node:child_process';
import { lstat, unlink } from 'node:fs/promises';
import { promisify } from 'node:util';
import { UserError } from '../base/errors';
import { idOfAccount } from './account';
import type { HostMode } from './hostFacts';

const run = promisify(execFile);
const environment = { LC_ALL: 'C', PATH: '/usr/bin:/bin' };

/**
 * Gives a folder with all that is in it to the host id of `account`; does nothing unless the host is privileged. No link is
 * followed. The folder must hold no hard link to a file elsewhere: it would change hands too.
 * @throws {UserError} `not-a-folder`.
 */
export async function handOver(path: string, account: string, mode: HostMode): Promise<void> {
  if (mode.kind !== 'privileged') return;
  await requireFolder(path, 'cannot be handed to a jail');
  const id = idOfAccount(account, mode.ids);
  await run('chown', ['--recursive', '-P', '--no-dereference', `${id}:${id}`, '--', path], { env: environment });
}

/**
 * Makes a folder that jails wrote this process's own again: every account may read what is in it, none but its own may write,
 * and what is set-id or neither a file, a folder nor a link is gone. No link is followed. Nothing may be running in it.
 * @throws {UserError} `not-a-folder`.
 */
export async function takeBack(path: string, mode: HostMode): Promise<void> {
  await requireFolder(path, 'cannot be taken back from a jail');
  if (mode.kind === 'privileged') {
    const owner = `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`;
    await run('chown', ['--recursive', '-P', '--no-dereference', owner, '--', path], { env: environment });
  }
  await run('chmod', ['--recursive', 'u+rwX,go+rX,go-w,ug-s,o-t', '--', path], { env: environment });
  const special = ['!', '-type', 'f', '!', '-type', 'd', '!', '-type', 'l'];
  await run('find', [path, '-xdev', ...special, '-delete'], { env: environment });
}

async function requireFolder(path: string, problem: string): Promise<void> {
  const stats = await lstat(path);
  if (stats.isDirectory()) return;
  throw new UserError('not-a-folder', `"${path}" ${problem}: it is not a folder.`, { path });
}

/**
 * Deletes what is at `path`, whatever a jail has made of it: folders that nobody may enter, trees deeper than any path can
 * name. Only the link itself is deleted when it is one. Nothing there is fine.
 */
export async function remove(path: string): Promise<void> {
  const stats = await lstat(path).catch(() => undefined);
  if (!stats) return;
  if (!stats.isDirectory()) return unlink(path);
  try {
    await run('rm', ['-rf', '--', path], { env: environment });
  } catch {
    // `chmod -R` follows no link below its argument, and the argument is a folder.
    await run('chmod', ['--recursive', 'u+rwX', '--', path], { env: environment }).catch(() => {});
    await run('rm', ['-rf', '--', path], { env: environment });
  }
}
