import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A file's content, or what else is at a path. */
export type SampleFile = string | { readonly link: string } | { readonly executable: string };

/** A folder of its own, without links in its path, for one test. */
export function makeTempFolder(): string {
  return realpathSync(mkdtempSync(join(tmpdir(), 'airlock-workspaces-')));
}

export function removeFolder(folder: string): void {
  execFileSync('chmod', ['-R', 'u+rwX', '--', folder]);
  rmSync(folder, { recursive: true, force: true });
}

/** Git as the user runs it, with no configuration but the repository's. */
export function git(folder: string, ...args: string[]): string {
  return execFileSync('git', args, {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 64 * 1024 ** 2,
    env: {
      PATH: process.env['PATH'],
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_AUTHOR_NAME: 'Ada',
      GIT_AUTHOR_EMAIL: 'ada@example.org',
      GIT_COMMITTER_NAME: 'Ada',
      GIT_COMMITTER_EMAIL: 'ada@example.org',
      GIT_ALLOW_PROTOCOL: 'file',
    },
  }).replace(/\n$/, '');
}

export function writeFiles(folder: string, files: Readonly<Record<string, SampleFile>>): void {
  for (const [path, file] of Object.entries(files)) {
    const full = join(folder, path);
    mkdirSync(dirname(full), { recursive: true });
    if (typeof file === 'string') writeFileSync(full, file);
    else if ('link' in file) symlinkSync(file.link, full);
    else {
      writeFileSync(full, file.executable);
      chmodSync(full, 0o755);
    }
  }
}

/** A repository with one commit that has these files. Ids of commits vary with the time; trees do not. */
export function makeRepository(
  folder: string,
  files: Readonly<Record<string, SampleFile>> = { 'README.md': 'hello\n' },
  ...initArguments: string[]
): string {
  mkdirSync(folder, { recursive: true });
  git(folder, 'init', '-q', '-b', 'main', ...initArguments);
  writeFiles(folder, files);
  commitAll(folder, 'base');
  return folder;
}

export function commitAll(folder: string, message: string): string {
  git(folder, 'add', '-A');
  git(folder, 'commit', '-q', '--no-verify', '-m', message);
  return git(folder, 'rev-parse', 'HEAD');
}
