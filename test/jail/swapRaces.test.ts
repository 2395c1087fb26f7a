import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../src/base/errors';
import { newId } from '../../src/base/ids';
import { jailPolicySchema } from '../../src/core/jailPolicy';
import type { Session } from '../../src/core/session';
import type { Workspace } from '../../src/core/workspace';
import { createJails } from '../../src/jail/jails';
import { createSessions } from '../../src/sessions/sessions';
import { makeRepository } from '../unit/workspaces/sampleRepository';
import { patient } from './sessionsFixture';
import { WorkspacesFixture } from './workspacesFixture';

const secret = 'TOP SECRET';
const rounds = 25;

/**
 * Code in the jail swaps a file and a folder with links to the host, as fast as it can, while something else reads, writes,
 * restores or deletes there. Whatever comes of that in the workspace, nothing of the host is read or changed.
 */
describe('A swap of file, folder and link', function () {
  this.timeout(60_000);
  const jails = createJails();
  const sessions = createSessions({ jails });
  let fixture: WorkspacesFixture;
  let outside: string;
  let workspace: Workspace;
  let session: Session;

  beforeEach(async () => {
    fixture = new WorkspacesFixture({ jails });
    outside = fixture.folder('outside');
    mkdirSync(outside, { recursive: true });
    writeFileSync(join(outside, 'f'), secret);
    // The jail alone is to keep it out, not the modes.
    chmodSync(join(outside, 'f'), 0o666);
    chmodSync(outside, 0o777);
    chmodSync(fixture.top, 0o755);
    workspace = await fixture.open(
      makeRepository(fixture.folder('repo'), { 'd/f': 'one\n', 'd/g': 'g\n', f: 'top\n' }),
    );
    session = await sessions.open({
      id: newId('session'),
      runId: workspace.runId,
      policy: jailPolicySchema.parse({ account: workspace.runId, mounts: [...workspace.mounts] }),
      stateFolder: fixture.folder('state'),
    });
  });

  afterEach(async () => {
    await session.close('the test is over');
    await fixture.dispose();
  });
  after(async () => {
    await sessions.shutdown();
    await jails.shutdown();
  });

  /** Begins to swap; it ends with the session. */
  async function swap(): Promise<void> {
    const script = `(while :; do
      echo plain > new; mv -f new f; ln -sfn ${outside}/f new; mv -fT new f
      mv d held; ln -s ${outside} d; rm d; mv held d
    done) >/dev/null 2>&1 &`;
    assert.equal((await session.exec(script, patient)).exitCode, 0);
  }

  /** What went wrong in a way that is no answer of ours is a failure. */
  async function attempt<T>(action: () => Promise<T>): Promise<T | undefined> {
    try {
      return await action();
    } catch (error) {
      assert.ok(error instanceof UserError, String(error));
      return undefined;
    }
  }

  function assertUntouched(): void {
    assert.deepEqual(readdirSync(outside), ['f']);
    assert.equal(readFileSync(join(outside, 'f'), 'utf8'), secret);
  }

  it('leads no read and no write of the agent’s tools to the host', async () => {
    await swap();
    for (let round = 0; round < rounds; round += 1) {
      for (const path of ['f', 'd/f', 'd/g']) {
        const read = await attempt(() => session.files.read(path, { maxBytes: 1_000 }));
        assert.equal(Buffer.from(read?.bytes ?? []).includes(secret), false);
      }
      await attempt(() => session.files.write('f', Buffer.from('written')));
      await attempt(() => session.files.write('d/f', Buffer.from('written')));
      await attempt(() => session.files.write('d/new', Buffer.from('written')));
    }
    assertUntouched();
  });

  it('leads no restoring to the host', async () => {
    await session.exec('echo two > d/f; echo more > d/more; rm d/g', patient);
    const { tree } = await workspace.snapshot('changed', { index: 1, maxNewBytes: 1_000_000 });
    await swap();
    for (let round = 0; round < rounds; round += 1) {
      const [from, to] = round % 2 === 0 ? [tree, workspace.baseTree] : [workspace.baseTree, tree];
      await attempt(() => workspace.restore(from, to));
    }
    assertUntouched();
  });

  it('leads no deleting to the host, and keeps nothing from being deleted', async () => {
    await swap();
    await workspace.remove();
    assertUntouched();
    await session.close('for the test');
    await fixture.workspaces.clear(workspace.runId);
    assertUntouched();
  });
});
