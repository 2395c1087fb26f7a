import { strict as assert } from 'node:assert';
import { execFile } from 'node:child_process';
import { chmod, chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const repository = join(__dirname, '../..');
/** No account of this machine needs to have it. */
const userId = 65_533;

/** Opens a session as an ordinary user does: with a user namespace, on a pty, its own account inside and out. */
const program = `
import { createJails } from '${repository}/src/jail/jails';
import { createSessions } from '${repository}/src/sessions/sessions';
import { jailPolicySchema } from '${repository}/src/core/jailPolicy';
const folder = process.argv[2] ?? '';
const jails = createJails();
const sessions = createSessions({ jails });
const mounts = [{ from: folder + '/workspace', at: '/workspace', access: 'write' as const }];
const policy = jailPolicySchema.parse({ account: 'run-asuser', mounts });
const options = { timeoutMs: 10_000, maxOutputBytes: 10_000 };
void (async () => {
  const session = await sessions.open({ id: 'session-asuser', runId: 'run-asuser', policy, stateFolder: folder + '/state' });
  await session.files.write('made/by/tool', Buffer.from('x'));
  const first = await session.exec('id -un; pwd; cat made/by/tool; exit 3', options);
  const second = await session.exec('sleep 600', { ...options, timeoutMs: 200 });
  const id = await session.background.start('read line; echo "got $line"');
  await session.background.write(id, 'words\\n');
  const background = await session.background.read(id, { waitMs: 10_000 });
  let shown = '';
  session.terminal.onDidOutput((text) => (shown += text));
  const keyboard = await session.takeOver({ columns: 80, rows: 24 });
  const seen = new Promise<void>((resolve) => session.terminal.onDidOutput(() => { if (/24 80[^]*\\$ $/.test(shown)) resolve(); }));
  keyboard.write('stty size; touch typed\\r');
  await seen;
  const handedBack = new Promise((resolve) => session.onDidGiveBack(resolve));
  await keyboard.giveBack();
  await session.close('Done.');
  await jails.shutdown();
  process.stdout.write(JSON.stringify({
    proven: session.proof.proven,
    first: first.kind + ' ' + Buffer.from(first.stdout).toString(),
    second: second.kind,
    background: Buffer.from(background.output).toString(),
    handedBack: await handedBack,
    status: session.status,
  }));
})();
`;

describe('a session of an ordinary user', () => {
  it('works without any privilege of the host', async function () {
    if (process.getuid?.() !== 0) return this.skip(); // Every other test is this one then.
    const folder = await mkdtemp(join(tmpdir(), 'airlock-user-'));
    try {
      await mkdir(join(folder, 'workspace'));
      await writeFile(join(folder, 'program.ts'), program);
      await Promise.all([folder, join(folder, 'workspace')].map((path) => chown(path, userId, userId)));
      await chmod(folder, 0o755);
      const asUser = ['--reuid', `${userId}`, '--regid', `${userId}`, '--clear-groups'];
      const readable = await run('setpriv', [...asUser, 'test', '-r', join(repository, 'package.json')]).then(
        () => true,
        () => false,
      );
      if (!readable) {
        console.warn(`      skipped: ${repository} cannot be read by another user`);
        return this.skip();
      }
      const argv = [...asUser, process.execPath, '--import', 'tsx', join(folder, 'program.ts'), folder];
      const env = { PATH: process.env['PATH'], HOME: folder, TMPDIR: folder };
      const { stdout } = await run('setpriv', argv, { cwd: repository, env });
      assert.deepEqual(JSON.parse(stdout), {
        proven: true,
        first: 'shellEnded agent\n/workspace\nx',
        second: 'timedOut',
        background: 'got words\n',
        handedBack: { changedFiles: ['typed'] },
        status: 'closed',
      });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
