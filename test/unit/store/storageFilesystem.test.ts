import assert from 'node:assert/strict';
import os from 'node:os';
import { anyFilesystemVariable, checkFilesystem } from '../../../src/store/storageFilesystem';

describe('the file system of a storage folder', () => {
  afterEach(() => delete process.env[anyFilesystemVariable]);

  const unreliable: [string, number][] = [
    ['NFS', 0x6969],
    ['SMB', -(2 ** 32 - 0xff534d42)],
    ['SMB', 0xfe534d42],
    ['FUSE', 0x65735546],
    ['9p', 0x01021997],
  ];
  for (const [name, type] of unreliable) {
    it(`is refused when it is ${name} (${type}), and the words say what to do`, async () => {
      await assert.rejects(
        checkFilesystem('/store', () => Promise.resolve(type)),
        {
          name: 'UserError',
          code: 'storage-filesystem',
          message: new RegExp(`${name}.*--storage.*${anyFilesystemVariable}=1`),
        },
      );
    });
  }

  it('is taken when the user forces it', async () => {
    process.env[anyFilesystemVariable] = '1';
    await checkFilesystem('/store', () => Promise.resolve(0x6969));
  });

  const local: [string, number][] = [
    ['ext4', 0xef53],
    ['btrfs', 0x9123683e],
    ['xfs', 0x58465342],
    ['tmpfs', 0x01021994],
    ['overlayfs', 0x794c7630],
  ];
  for (const [name, type] of local) {
    it(`is taken when it is ${name}`, () => checkFilesystem('/store', () => Promise.resolve(type)));
  }

  it('is asked of the kernel', () => checkFilesystem(os.tmpdir()));
});
