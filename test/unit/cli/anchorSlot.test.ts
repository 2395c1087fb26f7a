import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rm, stat, symlink } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { anchorSlotOf, fileSlot } from '../../../src/cli/anchorSlot';

describe('the file with the key of a journal', () => {
  let top: string;
  beforeEach(async () => {
    top = await mkdtemp(path.join(os.tmpdir(), 'airlock-slot-'));
  });
  afterEach(() => rm(top, { recursive: true }));

  it('is made when it is first written, for its owner alone', async () => {
    const file = path.join(top, 'config', 'anchors', 'one.json');
    const slot = fileSlot(file);
    assert.equal(await slot.read(), undefined);
    await slot.write('first');
    await slot.write('second');
    assert.equal(await slot.read(), 'second');
    assert.deepEqual([(await stat(file)).mode & 0o777, (await stat(path.dirname(file))).mode & 0o777], [0o600, 0o700]);
  });

  it('is not used when others can read it', async () => {
    const file = path.join(top, 'one.json');
    await fileSlot(file).write('secret');
    await chmod(file, 0o644);
    await assert.rejects(fileSlot(file).read(), { code: 'key-not-private' });
  });

  it('is there for no storage that comes and goes', async () => {
    assert.equal(await anchorSlotOf(path.join(top, 'storage')), undefined);
    assert.notEqual(await anchorSlotOf('/var/lib/airlock'), undefined);
  });

  it('is the same one before and after its storage is made, by whatever way the storage is named', async () => {
    const { TMPDIR, XDG_CONFIG_HOME } = process.env;
    Object.assign(process.env, { TMPDIR: path.join(top, 'tmp'), XDG_CONFIG_HOME: path.join(top, 'config') });
    try {
      await mkdir(path.join(top, 'tmp'));
      await mkdir(path.join(top, 'real'));
      await symlink(path.join(top, 'real'), path.join(top, 'linked'));
      const storage = path.join('a', 'storage');
      await (await anchorSlotOf(path.join(top, 'linked', storage)))?.write('first');
      await mkdir(path.join(top, 'real', storage), { recursive: true });
      for (const folder of ['linked', 'real'])
        assert.equal(await (await anchorSlotOf(path.join(top, folder, storage)))?.read(), 'first', folder);
    } finally {
      restore({ TMPDIR, XDG_CONFIG_HOME });
    }
  });
});

function restore(variables: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(variables)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
}
