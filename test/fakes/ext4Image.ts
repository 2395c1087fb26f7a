import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, rmSync, writeFileSync } from 'node:fs';

/**
 * Puts an ext4 of its own, kept in the file `image`, in the place of `folder`, with all that is in there: not every file system
 * can be made to fail, or keeps writes out of open files that are immutable. @returns whether that can be done here (it needs root
 * and loop devices); then `umount` it.
 */
export function moveToExt4(folder: string, image: string): boolean {
  writeFileSync(image, '');
  const isMade =
    spawnSync('truncate', ['-s', '64M', image]).status === 0 &&
    spawnSync('mkfs.ext4', ['-q', '-F', image]).status === 0;
  const kept = `${folder}.kept`;
  cpSync(folder, kept, { recursive: true });
  if (isMade && mountExt4(folder, image)) {
    execFileSync('chmod', ['700', folder]);
    cpSync(kept, folder, { recursive: true });
    rmSync(kept, { recursive: true });
    return true;
  }
  rmSync(kept, { recursive: true });
  process.stdout.write('    SKIPPED: an ext4 image cannot be mounted here (this needs root and loop devices)\n');
  return false;
}

export function mountExt4(folder: string, image: string): boolean {
  return spawnSync('mount', ['-o', 'loop,errors=remount-ro', image, folder]).status === 0;
}
