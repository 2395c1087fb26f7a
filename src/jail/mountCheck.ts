import { constants } from 'node:fs';
import { chmod, lstat, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCodeOf, UserError } from '../base/errors';
import type { JailPolicy, Mount } from '../core/jailPolicy';
import { isWithin } from '../base/pathWithin';

/**
 * The policy with every `from` resolved to the real path that is there now.
 *
 * A mount inside another one is made at a path that whoever wrote the outer folder has chosen: a symbolic link there would
 * make bwrap create folders wherever it points, on the host. So no step of such a path may be a link.
 * @throws {UserError} `mount-missing`, `mount-point-unsafe`.
 */
export async function checkMounts(policy: JailPolicy): Promise<JailPolicy> {
  const mounts = await Promise.all(policy.mounts.map(resolved));
  await Promise.all(mounts.filter(({ access }) => access === 'write').map(({ from }) => openToOwner(from)));
  for (const [index, mount] of mounts.entries()) {
    const outer = mounts
      .slice(0, index)
      .findLast((earlier) => isWithin(mount.at, earlier.at) && earlier.at !== mount.at);
    if (outer) await checkMountPoint(mount, outer);
  }
  return { ...policy, mounts };
}

async function resolved(mount: Mount): Promise<Mount> {
  try {
    return { ...mount, from: await realpath(mount.from) };
  } catch (error) {
    throw new UserError(
      'mount-missing',
      `The jail was to see "${mount.from}", which is not there. Nothing was started.`,
      { from: mount.from, at: mount.at, reason: systemCodeOf(error) },
      { cause: error },
    );
  }
}

/** A jail can close its own workspace (`chmod 000 .`), which must not keep the next one from starting in it. */
async function openToOwner(path: string): Promise<void> {
  const { mode } = await stat(path);
  if ((mode & 0o100) !== 0 || (mode & constants.S_IFMT) !== constants.S_IFDIR) return;
  // What is not this user's to open is left to fail where it is used.
  await chmod(path, (mode & 0o7777) | 0o700).catch(() => {});
}

async function checkMountPoint(mount: Mount, outer: Mount): Promise<void> {
  const steps = mount.at
    .slice(outer.at.length)
    .split('/')
    .filter((step) => step !== '');
  let path = outer.from;
  for (const step of steps) {
    path = join(path, step);
    const stats = await lstat(path).catch(() => undefined);
    // bwrap makes what is missing, in folders that were looked at.
    if (!stats) return;
    if (stats.isSymbolicLink()) {
      throw new UserError(
        'mount-point-unsafe',
        `"${mount.at}" leads through a symbolic link (${path}), so nothing can safely be mounted there. Nothing was started.`,
        { at: mount.at, link: path },
      );
    }
  }
}
