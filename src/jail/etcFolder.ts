import { execFile } from 'node:child_process';
import { access, chmod, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { accountFiles, accountFolderInJail, madeEtcFiles, shownEtcNames, shownEtcPatterns } from './etcFiles';

const run = promisify(execFile);

/**
 * Makes the `/etc` of every jail in `folder`: copies of the host's public files, for mounting each of them by itself costs
 * more than all the rest of a jail, and our own instead of those that name users and hosts. What differs from account to
 * account is a link to a file that each jail makes for itself.
 */
export async function makeEtcFolder(folder: string, etc = '/etc'): Promise<void> {
  await mkdir(folder, { recursive: true });
  await chmod(folder, 0o755);
  const names = await shownNames(etc);
  const argv = ['--archive', '-H', '--parents', '--', ...names, folder];
  // What this user may not read is left out, as it would be in a jail of theirs; `cp` says so with its exit code.
  if (names.length > 0) await run('/bin/cp', argv, { cwd: etc, env: { LC_ALL: 'C' } }).catch(() => {});
  await Promise.all([
    ...madeEtcFiles.map(({ name, text }) => writeFile(join(folder, name), text, { mode: 0o644 })),
    ...accountFiles(0).map(({ name }) => symlink(join(accountFolderInJail, name), join(folder, name))),
  ]);
}

async function shownNames(etc: string): Promise<string[]> {
  const versioned = (await readdir(etc)).filter((name) => shownEtcPatterns.some((pattern) => pattern.test(name)));
  const names = [...shownEtcNames, ...versioned];
  const present = await Promise.all(
    names.map((name) =>
      access(join(etc, name)).then(
        () => true,
        () => false,
      ),
    ),
  );
  return names.filter((_, index) => present[index]);
}
