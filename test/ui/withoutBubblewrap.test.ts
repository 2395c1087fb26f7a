import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { addTask } from './addTask';
import { type DemoWorld, makeDemoWorld } from './demoWorld';
import { eventually, pictureFailure, Workbench } from './workbench';

/** A machine on which Bubblewrap is missing, made by hiding the program from one VS Code and from nobody else. */
const bwrap = execFileSync('sh', ['-c', 'command -v bwrap'], { encoding: 'utf8' }).trim();
const isRoot = process.geteuid?.() === 0;
const hide = 'mount --bind /dev/null "$0" && exec "$@"';
const launcher = ['unshare', ...(isRoot ? [] : ['--map-root-user']), '--mount', 'sh', '-c', hide, bwrap];

function installBubblewrap(serverPid: number): void {
  const into = isRoot ? [] : ['--user', '--preserve-credentials'];
  execFileSync('nsenter', ['--target', String(serverPid), '--mount', ...into, 'umount', bwrap]);
}

describe('a machine without Bubblewrap, in a real VS Code', function () {
  this.timeout(120_000);
  let world: DemoWorld;
  let workbench: Workbench;

  before(async () => {
    world = await makeDemoWorld({ tasks: [] });
    const { folder, env, settings, repository } = world;
    workbench = await Workbench.open({ folder, env, settings, workspace: repository, launcher });
    await workbench.openContainer('Airlock');
  });

  afterEach(function () {
    return pictureFailure(workbench, this.currentTest);
  });

  after(async () => {
    await workbench?.close();
    await world?.close();
  });

  const welcome = (): Promise<string> => workbench.pane('Tasks').locator('.welcome-view-content').innerText();
  const groups = async (): Promise<string[]> =>
    (await workbench.rows('Tasks')).filter(({ level }) => level === 1).map(({ label }) => label);

  it('says in the view that nothing runs, why, and how to mend it', async () => {
    const text = await eventually(welcome, (shown) => shown.includes('Bubblewrap'));
    assert.match(text, /^Bubblewrap is not installed\..*nothing runs\./);
    assert.match(text, /sudo apt install bubblewrap/);
    assert.match(text, /Look Again/);
    for (const theme of ['light', 'dark'] as const) {
      await workbench.setTheme(theme);
      await workbench.screenshot(`no-bwrap-${theme}`);
    }
  });

  it('takes a task, and says above it why it does not run', async () => {
    await addTask(workbench, { title: 'Fix the cart total', check: 'node --test test/cart.test.js' });
    assert.deepEqual(await eventually(groups, (shown) => shown.length > 0), ['Queued']);
    const message = workbench.pane('Tasks').locator('.message');
    await message.filter({ hasText: /not installed\. Install it/ }).waitFor();
    await workbench.screenshot('no-bwrap-task-dark');
  });

  it('does not start the queue, and says why', async () => {
    await workbench.command('Airlock: Start Queue');
    await workbench.page
      .locator('.notifications-toasts .notification-list-item-message')
      .filter({ hasText: /Bubblewrap \(bwrap\) is not installed/ })
      .waitFor();
    await workbench.screenshot('no-bwrap-start-dark');
    assert.deepEqual(await groups(), ['Queued']);
    assert.match((await workbench.statusBarItem('airlock').getAttribute('aria-label')) ?? '', /Bubblewrap/);
  });

  it('looks again when it is told to, and works as soon as Bubblewrap is there', async () => {
    installBubblewrap(workbench.server.pid);
    await workbench.command('Airlock: Start Again');
    await workbench.pane('Tasks').locator('.message').waitFor({ state: 'hidden' });
    await workbench.command('Airlock: Start Queue');
    const done = await eventually(groups, (shown) => shown.join() === 'Done', 60_000);
    assert.deepEqual(done, ['Done']);
    await workbench.screenshot('no-bwrap-mended-dark');
  });
});
