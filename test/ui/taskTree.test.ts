import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { commitAll, writeFiles } from '../unit/workspaces/sampleRepository';
import { openDemo } from './demoWindow';
import type { DemoWorld } from './demoWorld';
import { eventually, type TreeRow, type Workbench } from './workbench';

const prompt = 'task: { prompt: Look }\n';
const definitions = {
  'nightly.yaml': `name: Nightly check\nschedule: { type: cron, expression: "0 3 * * *", timezone: Europe/Berlin }\n${prompt}`,
  'watch.yaml': `name: Look at sources\ntrigger: { type: file_watch, path: src, pattern: "*.ts", event: modified }\n${prompt}`,
  'wrong.yaml': `name: Wrong\nschedule: { type: cron, expression: "0 9" }\n${prompt}`,
};

/** A persona of the repository that brings a server of tools: a program that only reads what it is told. */
const asker = '---\ntools: [bash, mcp__near]\nmcp_servers: { near: { command: cat } }\n---\nYou ask the server.\n';

describe('the task tree in a real VS Code', function () {
  this.timeout(120_000);
  let world: DemoWorld;
  let workbench: Workbench;

  openDemo(
    {
      tasks: [
        { id: 'totals', description: 'Add up the totals', context: {} },
        { id: 'names', description: 'Sort the names', context: {} },
        { id: 'servers', description: 'Ask the server', context: { persona: 'asker', checks: ['true'] } },
      ],
    },
    (opened) => ({ world, workbench } = opened),
    ({ repository, settings }) => {
      writeFiles(repository, { '.airlock/personas/asker.md': asker });
      commitAll(repository, 'A persona with a server');
      const tasks = path.join(repository, '.airlock', 'tasks');
      fs.mkdirSync(tasks, { recursive: true });
      for (const [file, text] of Object.entries(definitions)) fs.writeFileSync(path.join(tasks, file), text);
      // Written days ago, so that a start of it has been missed.
      const daysAgo = Date.now() / 1000 - 3 * 24 * 3600;
      fs.utimesSync(path.join(tasks, 'nightly.yaml'), daysAgo, daysAgo);
      return { settings: { ...settings, 'airlock.taskDefinitions.enabled': true } };
    },
  );

  const rows = (): Promise<TreeRow[]> => workbench.rows('Tasks');
  const texts = async (): Promise<string[]> =>
    (await rows()).map(({ label, description }) => `${label}: ${description}`);
  const pictures = async (name: string): Promise<void> => {
    for (const theme of ['light', 'highContrast', 'dark'] as const) {
      await workbench.setTheme(theme);
      await workbench.screenshot(`${name}-${theme}`);
    }
  };

  it('shows under Scheduled what starts by itself and when, what is wrong, and what was missed', async () => {
    const shown = await eventually(texts, (all) => all.some((row) => row.startsWith('Nightly check: missed')));
    const from = shown.findIndex((row) => row === 'Scheduled: 3');
    assert.match(
      shown.slice(from).join('\n'),
      /^Scheduled: 3\nwrong\.yaml: Line 2: .*\nNightly check: missed .* · .*\nLook at sources: modified: src\/\*\.ts$/,
    );
    // The task that was queued for it has a row of the same name.
    const labelled = workbench.pane('Tasks').locator('[aria-label^="Nightly check, task definition, missed "]');
    assert.match((await labelled.first().getAttribute('aria-label')) ?? '', /, next start \w+ \d+ \d\d:\d\d$/);
  });

  it('tells of a missed start once, and not again after a reload', async () => {
    const missed = async (): Promise<string[]> =>
      (await workbench.notifications()).filter((text) => text.includes('Nightly check'));
    const [text] = await eventually(missed, (all) => all.length > 0);
    assert.match(
      text ?? '',
      /^“Nightly check”: The start of .* were missed\. One task was queued for it afterwards\.$/,
    );
    await pictures('scheduled');
    await workbench.reload();
    await eventually(texts, (all) => all.some((row) => row.startsWith('Nightly check: missed')));
    // Longer than the alarm waits.
    await workbench.page.waitForTimeout(8_000);
    assert.deepEqual(await missed(), []);
  });

  it('runs a task definition from its row', async () => {
    await workbench.contextMenu('Tasks', 'Look at sources', 'Run Task Definition Now');
    const queued = async (): Promise<TreeRow[]> =>
      (await rows()).filter(({ label, description }) => label === 'Look at sources' && description.startsWith('P2'));
    assert.equal((await eventually(queued, (all) => all.length > 0)).length, 1);
  });

  it('shows only rows with the words that are typed, and says how many, after a reload too', async () => {
    await workbench.command('Airlock: Filter Tasks…');
    await workbench.answer('sort', { confirm: false });
    // The rows follow before it is confirmed.
    const labels = async (): Promise<string[]> => (await rows()).map(({ label }) => label);
    await eventually(labels, (all) => all.join() === 'Queued,Sort the names');
    await workbench.answer('look');
    await eventually(labels, (all) => all.includes('Scheduled') && all.includes('Look at sources'));
    assert.ok(!(await labels()).includes('Sort the names'));
    const message = (): Promise<string> => workbench.pane('Tasks').locator('.message').innerText();
    const said = await eventually(message, (text) => text.startsWith('Filtered: look'));
    assert.match(said, /^Filtered: look, \d of \d shown/);
    await pictures('filtered');
    await narrow(200);
    await pictures('filtered-narrow');
    await workbench.reload();
    await eventually(message, (text) => text === said);
    await workbench.command('Airlock: Filter Tasks…');
    await workbench.answer('nowhere-to-be-found');
    await eventually(message, (text) => text === 'Filtered: nowhere-to-be-found, 0 of 8 shown');
    await eventually(rows, (shown) => shown.length === 0);
    await workbench.command('Airlock: Clear Filter');
    await eventually(labels, (all) => all.includes('Sort the names'));
    await eventually(message, (text) => text === '');
    await pictures('scheduled-narrow');
  });

  it('shows the server that a repository brings, whole, and goes on with its task when the user approves it', async () => {
    await workbench.contextMenu('Tasks', 'Ask the server', 'Run Now');
    const waits = (all: readonly string[]): boolean =>
      all.some((row) => row.startsWith('Ask the server: The repository brings'));
    await eventually(texts, waits);
    await workbench.contextMenu('Tasks', 'Ask the server', 'Approve MCP Server…');
    const dialog = workbench.page.locator('.monaco-dialog-box');
    await dialog.getByText('stands for cat (no network)').waitFor();
    await workbench.screenshot('approve-mcp-server-dark');
    await dialog.getByRole('button', { name: 'Approve', exact: true }).click();
    await eventually(texts, (all) => all.some((row) => row.startsWith('Ask the server: ')) && !waits(all));
    const settings = fs.readFileSync(path.join(world.folder, 'd', 'Machine', 'settings.json'), 'utf8');
    assert.match(settings, /"airlock\.mcp\.approved": \[\s*"[0-9a-f]{64}"/);
    await eventually(texts, (all) => all.some((row) => /^Ask the server: (?!The repository)/.test(row)));
  });

  /** Drags the side bar's edge, as a user does. */
  async function narrow(width: number): Promise<void> {
    const { mouse } = workbench.page;
    const box = await workbench.page.locator('.part.sidebar').boundingBox();
    assert.ok(box);
    await mouse.move(box.x + box.width, 450);
    await mouse.down();
    await mouse.move(box.x + width, 450, { steps: 5 });
    await mouse.up();
  }
});
