import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/**
 * Copies a folder to where nothing is yet, links as links. Where the file system can, the copy shares its blocks with the
 * original until one of them is written to. Nothing may be running in either.
 */
export async function copyTree(from: string, to: string): Promise<void> {
  const argv = ['--archive', '--reflink=auto', '--no-target-directory', '--', from, to];
  await promisify(execFile)('cp', argv, { env: { LC_ALL: 'C', PATH: '/usr/bin:/bin' } });
}
