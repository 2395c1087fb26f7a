import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { type DemoWorld, makeDemoWorld } from './demoWorld';
import { eventually, pictureFailure, Workbench } from './workbench';

describe('a folder that is not trusted, in a real VS Code', function () {
  this.timeout(180_000);
  let world: DemoWorld;
  let workbench: Workbench;

  before(async () => {
    world = await makeDemoWorld();
    const { folder, env, repository } = world;
    const settings = {
      ...world.settings,
      'airlock.startQueueOnOpen': true,
      'security.workspace.trust.enabled': true,
      'security.workspace.trust.startupPrompt': 'never',
      'security.workspace.trust.banner': 'never',
    };
    workbench = await Workbench.open({ folder, env, settings, workspace: repository });
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
  /** What exists only where somebody works the queue. */
  const worked = (name: string): boolean => fs.existsSync(path.join(world.storage, name));

  it('says in the view that nothing runs, and why', async () => {
    const text = await eventually(welcome, (shown) => shown.includes('Restricted'));
    assert.match(text, /^This workspace is in Restricted Mode, so nothing runs in it\./);
    assert.match(text, /Manage Workspace Trust/);
    for (const theme of ['light', 'dark'] as const) {
      await workbench.setTheme(theme);
      await workbench.screenshot(`untrusted-${theme}`);
    }
  });

  it('does not take the storage, the tasks or the queue', async () => {
    const label = await eventually(
      async () => (await workbench.statusBarItem('airlock').getAttribute('aria-label')) ?? '',
      (shown) => !shown.includes('starting'),
    );
    assert.match(label, /^Airlock cannot run tasks, This workspace is not trusted/);
    assert.deepEqual(['owner.lock', 'journal', 'runs'].filter(worked), []);
    assert.deepEqual(await groups(), []);
  });

  it('offers no command that runs something', async () => {
    await workbench.page.keyboard.press('F1');
    await workbench.answer('>Airlock: ', { confirm: false });
    const offered = await workbench.choices((labels) => labels.some((label) => label.startsWith('Airlock: ')));
    await workbench.page.keyboard.press('Escape');
    const dangerous = ['Start Queue', 'Add Task…', 'Run Now', 'Retry'].map((title) => `Airlock: ${title}`);
    assert.deepEqual(
      offered.filter((choice) => dangerous.includes(choice)),
      [],
    );
  });

  it('comes alive when the user trusts the folder', async () => {
    await workbench.command('Airlock: Manage Workspace Trust');
    const trust = workbench.page.locator('.workspace-trust-editor .monaco-button').filter({ hasText: /^Trust/ });
    await trust.first().waitFor();
    await workbench.screenshot('untrusted-editor-dark');
    await trust.first().click();
    const running = (shown: string[]): boolean => shown.some((group) => group === 'Queued' || group === 'Running');
    const ended = await eventually(groups, (shown) => shown.length > 0 && !running(shown), 120_000);
    assert.deepEqual(ended, ['Needs you', 'Done']);
    await workbench.screenshot('trusted-dark');
  });
});
