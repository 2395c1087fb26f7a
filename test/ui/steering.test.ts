import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { openDemo } from './demoWindow';
import type { DemoWorld } from './demoWorld';
import { eventually, type Workbench } from './workbench';

const definition = `# TODO: choose a better hour
name: Update the changelog
schedule: { type: cron, expression: "0 9 * * 1-5" }
task: { prompt: Bring CHANGELOG.md up to date. }
`;

describe('steering the queue in a real VS Code', function () {
  this.timeout(120_000);
  let world: DemoWorld;
  let workbench: Workbench;

  openDemo(
    {
      scenarios: [],
      tasks: ['First', 'Second', 'Third'].map((description) => ({ id: description, description, context: {} })),
    },
    (opened) => ({ world, workbench } = opened),
    ({ repository }) => {
      const folder = path.join(repository, '.airlock', 'tasks');
      fs.mkdirSync(folder, { recursive: true });
      fs.writeFileSync(path.join(folder, 'changelog.yaml'), definition);
      fs.writeFileSync(path.join(folder, 'wrong.yaml'), 'name: Wrong\ntask: {}\n');
      return {};
    },
  );

  before(() => eventually(queued, (labels) => labels.length === 3));

  /** What stands under the first group, before the next one. */
  const queued = async (): Promise<string[]> => {
    const [, ...rows] = await workbench.rows('Tasks');
    const next = rows.findIndex(({ level }) => level === 1);
    return rows.slice(0, next === -1 ? undefined : next).map(({ label }) => label);
  };

  it('moves a task by dragging it onto another one, and one that is paused stays in its place', async () => {
    const [first = '', second = '', third = ''] = await queued();
    const moved = async (): Promise<boolean> => (await queued()).join() === [third, first, second].join();
    // A window that is busy loses a drag now and then; a person drags again.
    for (let tries = 0; tries < 5 && !(await moved()); tries += 1) {
      await workbench.row('Tasks', third).dragTo(workbench.row('Tasks', first));
      await eventually(moved, Boolean, 10_000).catch(() => {});
    }
    assert.deepEqual(await queued(), [third, first, second]);
    await workbench.contextMenu('Tasks', first, 'Pause Task');
    await eventually(
      () => workbench.rows('Tasks'),
      (rows) => rows.some(({ label, description }) => label === first && description === 'paused'),
    );
    assert.deepEqual(await queued(), [third, first, second]);
    for (const theme of ['light', 'dark'] as const) {
      await workbench.setTheme(theme);
      await workbench.screenshot(`steering-${theme}`);
    }
  });

  it('lists the sources in the menu of the status bar item', async () => {
    await workbench.command('Airlock: Show Menu');
    await workbench.choices((labels) => labels.includes('Pause Source zmemory:embedded: answers'));
    await workbench.screenshot('steering-menu');
    await workbench.page.keyboard.press('Escape');
  });

  it('shows when task definitions start next and what is wrong with them, and opens one', async () => {
    await workbench.command('Airlock: Show Schedule…');
    await workbench.choices(
      (labels) =>
        labels.includes('Update the changelog') &&
        labels.some((label) => label.startsWith('Wrong') || label === 'wrong.yaml'),
    );
    await workbench.screenshot('schedule-dark');
    await workbench.pick('Update the changelog');
    await workbench.page.locator('.tab', { hasText: 'changelog.yaml' }).waitFor();
  });

  it('begins a task with what the user selected', async () => {
    await workbench.command('Airlock: New Task from Selection…');
    await workbench.question('Add Task (1/4)');
    await workbench.answer('A better hour');
    await workbench.question('Add Task (2/4)');
    await workbench.screenshot('task-from-selection');
    await workbench.answer('Choose one.');
    await workbench.question('Add Task (3/4)');
    await workbench.answer('');
    await workbench.pick('P2');
    await eventually(queued, (labels) => labels.includes('A better hour'));
  });

  it('puts a task into the table of the folder, changes its row, and queues it', async () => {
    const table = (): string => fs.readFileSync(path.join(world.repository, 'docs', 'TASKS.md'), 'utf8');
    await workbench.command('Airlock: Add Task to Table…');
    await workbench.answer('Write the manual');
    await workbench.pick('P1');
    await workbench.answer('');
    await eventually(async () => fs.existsSync(path.join(world.repository, 'docs', 'TASKS.md')), Boolean);
    await workbench.command('Airlock: Edit Row of Task Table…');
    await workbench.pick('T-1: Write the manual');
    await workbench.pick('notes');
    await workbench.answer('In English.');
    await eventually(
      async () => table(),
      (text) => /^\| T-1 .*\| Write the manual .*\| Todo .*\| In English\. /m.test(text),
    );
    await workbench.command('Airlock: Queue Rows of Task Table…');
    await workbench.pick('T-1: Write the manual');
    await workbench.page.keyboard.press('Enter');
    await eventually(queued, (labels) => labels.includes('Write the manual'));
    await workbench.screenshot('task-table');
  });

  it('reads the whole journal on demand, and says that it is as it was written', async () => {
    const dialog = workbench.page.locator('.monaco-dialog-box');
    for (const theme of ['light', 'dark'] as const) {
      await workbench.setTheme(theme);
      await workbench.command('Airlock: Verify Journal');
      await dialog.getByText('The journal is whole: every line is as it was written.').waitFor();
      await dialog.getByText(/^\d+ events, the last one included, were found whole\./).waitFor();
      await workbench.screenshot(`verify-journal-${theme}`);
      await workbench.page.keyboard.press('Escape');
      await dialog.waitFor({ state: 'hidden' });
    }
  });
});
