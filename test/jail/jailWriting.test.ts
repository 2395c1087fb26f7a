import assert from 'node:assert/strict';
import { lstat, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { assertSucceeded, type JailRoom, openJailRoom } from './jailRoom';

describe('writing out of a jail', () => {
  let room: JailRoom;

  beforeEach(async () => {
    room = await openJailRoom();
  });

  afterEach(() => room.close());

  it('writes to the workspace, and to memory that is gone with the jail', async () => {
    const ran = await room.sh(
      'echo kept >kept; for path in /tmp/x ~/x /dev/shm/x; do echo lost >$path && cat $path; done',
    );
    assertSucceeded(ran);
    assert.equal(ran.stdout, 'lost\nlost\nlost\n');
    assert.equal(await readFile(join(room.workspace, 'kept'), 'utf8'), 'kept\n');
    assert.equal((await room.sh('ls /tmp ~ /dev/shm')).stdout.includes('x'), false);
  });

  it('writes nowhere else', async () => {
    const folders = [
      '/',
      '/usr',
      '/usr/bin',
      '/etc',
      '/etc/ssl',
      '/dev',
      '/home',
      '/proc',
      '/proc/sys/kernel',
      '/.account',
      '/bin',
    ];
    const { stdout } = await room.sh(
      `for folder in ${folders.join(' ')}; do echo x >$folder/airlock-x && echo "wrote $folder"; done 2>/dev/null`,
    );
    assert.equal(stdout, '');
  });

  it('cannot make a read-only folder writable', async () => {
    const shared = join(room.root, 'shared');
    await mkdir(shared);
    await writeFile(join(shared, 'file'), 'as it was', { mode: 0o666 });
    const policy = room.policy({ workingDirectory: '/', mounts: [{ from: shared, at: '/shared', access: 'read' }] });
    await room.sh(
      'echo x >/shared/file; rm -f /shared/file; mount -o remount,rw /shared; chmod 777 /shared; echo x >/shared/new',
      { policy },
    );
    assert.deepEqual(await readdir(shared), ['file']);
    assert.equal(await readFile(join(shared, 'file'), 'utf8'), 'as it was');
  });

  it('does not write through a link', async () => {
    const target = join(room.root, 'target');
    await writeFile(target, 'as it was', { mode: 0o666 });
    await symlink(target, join(room.workspace, 'link'));
    await room.sh(`echo x >link; echo x >"${target}"; ln "${target}" hard; cp x "${target}"`);
    assert.equal(await readFile(target, 'utf8'), 'as it was');
  });

  it('makes nothing on the host through a link where a mount is to lie', async () => {
    const outside = join(room.root, 'outside');
    const shared = join(room.root, 'shared');
    await Promise.all([mkdir(outside, { mode: 0o777 }), mkdir(shared)]);
    // bwrap sees the host's root as /oldroot while it builds the jail.
    await symlink(`/oldroot${outside}`, join(room.workspace, 'nested'));
    const policy = room.policy({
      mounts: [...room.policy().mounts, { from: shared, at: '/workspace/nested/made', access: 'read' }],
    });
    await assert.rejects(room.run(['/bin/true'], { policy }), { code: 'mount-point-unsafe' });
    assert.deepEqual(await readdir(outside), []);
  });

  it('leaves nothing behind that the host cannot delete', async () => {
    const bystander = join(room.root, 'bystander');
    await mkdir(bystander);
    await writeFile(join(bystander, 'file'), 'stays');
    const ran = await room.sh(`ln -s "${bystander}" link
      mkdir -p closed/inner && touch closed/inner/file && chmod 000 closed/inner closed
      cp /bin/true setuid && chmod 6755 setuid
      mkfifo fifo; touch -- '-rf' $'new\\nline' "$(printf 'bad\\377')" "$(printf 'n%.0s' {1..255})"
      deep=$(printf 'd/%.0s' {1..1050}); for i in 1 2; do mkdir -p $deep && cd -P $deep; done`);
    assertSucceeded(ran);
    await room.jails.remove(room.workspace);
    await assert.rejects(lstat(room.workspace), { code: 'ENOENT' });
    assert.deepEqual(await readdir(bystander), ['file']);
  });

  it('cannot close the workspace to the jail that comes next', async () => {
    assertSucceeded(await room.sh('touch file; chmod 000 .'));
    const ran = await room.sh('ls');
    assertSucceeded(ran);
    assert.equal(ran.stdout, 'file\n');
  });

  it('deletes a link itself, and finds nothing fine', async () => {
    const link = join(room.root, 'link');
    await symlink(room.workspace, link);
    await room.jails.remove(link);
    await room.jails.remove(join(room.root, 'never-there'));
    assert.deepEqual(await readdir(room.root), ['workspace']);
  });

  it('hands a folder to the account with what is in it, and no link target', async () => {
    const target = join(room.root, 'target');
    await writeFile(target, '');
    await symlink(target, join(room.workspace, 'link'));
    await mkdir(join(room.workspace, 'folder'));
    await room.jails.handOver(room.workspace, 'run-test');
    const ran = await room.sh('touch folder/file && stat -c %U . folder folder/file link');
    assertSucceeded(ran);
    assert.equal(ran.stdout, 'agent\n'.repeat(4));
    assert.equal((await lstat(target)).uid, process.getuid?.());
  });

  it('keeps accounts apart on a host that is root', async function () {
    const mode = (await room.jails.facts()).mode.kind;
    if (mode === 'user') {
      console.warn('      skipped: an ordinary user has one account for all jails; their mounts keep them apart');
      this.skip();
    }
    await room.sh('umask 077; echo secret >mine');
    const ran = await room.sh('cat mine; echo x >mine', { policy: room.policy({ account: 'run-other' }) });
    assert.equal(ran.stdout, '');
    assert.equal(await readFile(join(room.workspace, 'mine'), 'utf8'), 'secret\n');
  });
});
