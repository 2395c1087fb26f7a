import { statfs } from 'node:fs/promises';
import { UserError } from '../base/errors';

/**
 * File systems on which neither a lock nor a write can be relied on: the lock may not be seen by another machine, `fdatasync`
 * may answer before the bytes are anywhere, and a file may be replaced behind an open descriptor.
 * The numbers are `f_type` of statfs(2), from the kernel's `linux/magic.h`; SMB's and Lustre's are from their own sources.
 */
const unreliable: Readonly<Record<number, string>> = {
  0x6969: 'NFS',
  0x517b: 'SMB',
  0xff534d42: 'SMB',
  0xfe534d42: 'SMB',
  0x65735546: 'FUSE',
  0x01021997: '9p',
  0x5346414f: 'AFS',
  0x6b414653: 'AFS',
  0x73757245: 'Coda',
  0x00c36400: 'Ceph',
  0x0bd00bd0: 'Lustre',
  0x786f4256: 'a VirtualBox shared folder',
};

/** Set to 1 by a user who knows that theirs keeps its promises, such as a FUSE file system on a local disk. */
export const anyFilesystemVariable = 'AIRLOCK_STORAGE_ON_ANY_FILESYSTEM';

/**
 * Looks what a storage folder lies on.
 * @throws {UserError} `storage-filesystem` when that cannot be relied on and the user has not said to use it all the same.
 */
export async function checkFilesystem(
  storage: string,
  typeOf: (folder: string) => Promise<number> = filesystemTypeOf,
): Promise<void> {
  if (process.env[anyFilesystemVariable] === '1') return;
  // The kernel's number is a signed one on some machines.
  const filesystem = unreliable[(await typeOf(storage)) >>> 0];
  if (filesystem === undefined) return;
  throw new UserError(
    'storage-filesystem',
    `The storage folder ${storage} is on ${filesystem}, which keeps neither locks nor writes reliably enough for a queue ` +
      'that loses nothing. Use a folder on a disk of this machine, with --storage or the setting airlock.storage; or set ' +
      `${anyFilesystemVariable}=1 if you know that it is one.`,
    { storage, filesystem },
  );
}

async function filesystemTypeOf(folder: string): Promise<number> {
  return (await statfs(folder)).type;
}
