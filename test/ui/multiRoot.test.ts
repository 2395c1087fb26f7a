import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { makeSampleRepository } from '../../src/engines/scripted/sampleRepository';
import { addTask } from './addTask';
import { type DemoWorld, makeDemoWorld } from './demoWorld';
import { eventually, pictureFailure, type TreeRow, Workbench } from './workbench';

const slug = 'Add a slug for product names';
const cart = 'Fix the cart total';

describe('two folders in one window, in a real VS Code', function () {
  this.timeout(180_000);
  let world: DemoWorld;
  let workbench: Workbench;
  let second: string;

  before(async () => {
    const checks = ['node --test test/cart.test.js'];
    world = await makeDemoWorld({
      tasks: [
        {
          id: 'whose-cart',
          description: `${cart}\n\ntest/cart.test.js fails. Mend src/cart.js.`,
          context: { checks, repo: 'a-shop-that-nobody-has-open' },
        },
      ],
    });
    second = path.join(path.dirname(world.repository), 'second-shop');
    await makeSampleRepository(second);
    const workspace = path.join(path.dirname(world.repository), 'both.code-workspace');
    const folders = [world.repository, second].map((folder) => ({ path: folder }));
    fs.writeFileSync(workspace, JSON.stringify({ folders }));
    const { folder, env, settings } = world;
    workbench = await Workbench.open({ folder, env, settings, workspace });
    await workbench.openContainer('Airlock');
  });

  afterEach(function () {
    return pictureFailure(workbench, this.currentTest);
  });

  after(async () => {
    await workbench?.close();
    await world?.close();
  });

  const rows = (): Promise<TreeRow[]> => workbench.rows('Tasks');
  /** The group under which a task's row stands. */
  const groupOf = async (label: string): Promise<string | undefined> => {
    const shown = await rows();
    const at = shown.findIndex((row) => row.level === 2 && row.label === label);
    return at === -1 ? undefined : shown.slice(0, at).findLast(({ level }) => level === 1)?.label;
  };
  const results = (repository: string): string[] =>
    execFileSync('git', ['branch', '--list', 'airlock/*', '--format=%(subject)'], { cwd: repository, encoding: 'utf8' })
      .split('\n')
      .filter((subject) => subject !== '')
      .map((subject) => subject.replace(/ *[([].*$/, ''));

  it('asks which folder a new task is for', async () => {
    await workbench.command('Airlock: Add Task…');
    await workbench.offers(['corner-shop', 'second-shop']);
    await workbench.screenshot('multi-root-pick-dark');
    await workbench.page.keyboard.press('Escape');
    await addTask(workbench, { repository: 'second-shop', title: slug, check: 'node --test test/slug.test.js' });
    assert.equal(
      await eventually(
        () => groupOf(slug),
        (group) => group !== undefined,
      ),
      'Queued',
    );
  });

  it('runs it in that folder, and leaves the task that names none of them to the user', async () => {
    await workbench.command('Airlock: Start Queue');
    await eventually(
      () => groupOf(slug),
      (group) => group === 'Needs you',
      60_000,
    );
    assert.deepEqual([results(world.repository), results(second)], [[], [slug]]);
    assert.equal(
      await eventually(
        () => groupOf(cart),
        (group) => group !== 'Queued',
      ),
      'Needs you',
    );
    const row = (await rows()).find(({ label }) => label === cart);
    assert.match(row?.description ?? '', /^No open repository is called “a-shop-that-nobody-has-open”\./);
    for (const theme of ['light', 'dark'] as const) {
      await workbench.setTheme(theme);
      await workbench.screenshot(`multi-root-${theme}`);
    }
  });

  it('goes on with it in the folder that the user assigns', async () => {
    await workbench.contextMenu('Tasks', cart, 'Assign Repository…');
    await workbench.offers(['corner-shop', 'second-shop']);
    await workbench.pick('second-shop');
    await eventually(
      () => groupOf(cart),
      (group) => group === 'Done',
      60_000,
    );
    assert.deepEqual([results(world.repository), results(second).sort()], [[], [slug, cart]]);
  });
});
