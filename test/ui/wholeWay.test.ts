import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { root } from '../../scripts/vscode.mjs';
import { openDemo } from './demoWindow';
import type { DemoWorld } from './demoWorld';
import { eventually, type TreeRow, type Workbench } from './workbench';

/**
 * A person installs the package, and follows the sample tasks from the queue to their results: each test goes on where
 * the one before it ended.
 */
describe('the whole way in a real VS Code', function () {
  this.timeout(180_000);
  let world: DemoWorld;
  let workbench: Workbench;

  openDemo(
    { turnDelayMs: 1000 },
    (opened) => ({ world, workbench } = opened),
    () => ({ vsix: packaged() }),
  );

  const rows = (): Promise<TreeRow[]> => workbench.rows('Tasks');
  const group = async (label: string): Promise<string | undefined> =>
    (await rows()).find((row) => row.level === 1 && row.label === label)?.description;

  /** Waits until the diff of the cart is shown, with what changed marked. */
  const showsChange = async (): Promise<void> => {
    const entry = workbench.page.locator('.multiDiffEntry').filter({ hasText: 'cart.js' });
    await entry.locator('.view-line', { hasText: 'Math.round(sum' }).waitFor();
    await entry.locator('.line-insert').first().waitFor();
  };

  it('fills the tree from the embedded ZMemory server', async () => {
    await eventually(
      () => group('Queued'),
      (count) => count === '5',
    );
    const shown = (await rows()).filter((row) => row.level === 2).map((row) => [row.label, row.description]);
    assert.deepEqual(shown, [
      ['Fix the cart total', 'P0'],
      ['Add a slug for product names', 'P1'],
      ['Document the options', 'P2'],
      ['Keep the receipt at its width', 'P2'],
      ['Make an empty basket cost nothing and one cent', 'P3'],
    ]);
  });

  it('works two tasks at a time once the queue is started', async () => {
    await workbench.command('Airlock: Start Queue');
    await eventually(
      () => group('Running'),
      (count) => count === '2',
    );
    assert.match(await workbench.statusBarItem('airlock').innerText(), /2/);
  });

  it('streams what the agent does into a terminal', async () => {
    await eventually(rows, (shown) =>
      shown.some(({ label, description }) => /cart/.test(label) && /^\$|read/.test(description)),
    );
    await workbench.contextMenu('Tasks', 'Fix the cart total', 'Open Terminal');
    // The output scrolls, so what was seen is gathered.
    const seen = new Set<string>();
    await eventually(
      async () => {
        for (const line of (await workbench.terminalText()).split('\n')) seen.add(line);
        return [...seen];
      },
      (lines) =>
        lines.some((line) => line === '$ node --test test/cart.test.js') &&
        lines.some((line) => /^(not )?ok 2 - a discount comes off in whole cents$/.test(line)),
    );
    await workbench.screenshot('terminal-dark');
  });

  it('ends every task with the verdict that its evidence gives', async () => {
    await eventually(
      () => group('Done'),
      (count) => count === '3',
      120_000,
    );
    await eventually(
      () => group('Needs you'),
      (count) => count === '2',
      120_000,
    );
    const shown = (await rows()).filter((row) => row.level === 2);
    const verdicts = Object.fromEntries(shown.map(({ label, description }) => [label, description.split(' · ')[0]]));
    assert.deepEqual(verdicts, {
      'Fix the cart total': 'verified',
      'Add a slug for product names': 'verified',
      'Document the options': 'verified',
      'Keep the receipt at its width': 'partial',
      'Make an empty basket cost nothing and one cent': 'contradicted',
    });
    await workbench.screenshot('tree-dark');
  });

  it('offers what can be done now in the menu of the status bar', async () => {
    await workbench.statusBarItem('airlock').click();
    const wanted = ['Pause Queue: what runs goes on', 'Add Task…', 'Analytics'];
    await workbench.choices((labels) => wanted.every((label) => labels.includes(label)));
    await workbench.screenshot('menu-dark');
    await workbench.page.keyboard.press('Escape');
  });

  it('leaves each result on a branch of its own, and the folder as it was', () => {
    const { git } = world;
    const branches = git('branch', '--list', 'airlock/*', '--format=%(subject)').split('\n').sort();
    assert.deepEqual(
      branches.map((subject) => subject.replace(/ *[([].*$/, '')),
      ['Add a slug for product names', 'Document the options', 'Fix the cart total', 'Keep the receipt at its width'],
    );
    assert.equal(git('status', '--porcelain'), '');
    assert.equal(git('branch', '--show-current'), 'main');
  });

  it('opens a result as a diff', async () => {
    await workbench.contextMenu('Tasks', 'Fix the cart total', 'Open Changes');
    await showsChange();
    await workbench.screenshot('diff-dark');
  });

  it('shows the evidence', async () => {
    await workbench.contextMenu('Tasks', 'Keep the receipt at its width', 'Show Details');
    await workbench.tab(/Keep the receipt/).waitFor();
    await workbench.screenshot('details-dark');
  });

  it('asks for no more looks at a result that was looked at, or that the user says was', async () => {
    await eventually(
      () => group('Needs you'),
      (count) => count === '1',
    );
    await workbench.setTheme('highContrast');
    await workbench.screenshot('tree-highContrast');
    await workbench.setTheme('dark');
    await workbench.contextMenu('Tasks', /empty basket/, 'Mark as Reviewed');
    await eventually(
      () => group('Done'),
      (count) => count === '5',
    );
    assert.equal(await group('Needs you'), undefined);
  });

  it('counts what was used on the analytics page', async () => {
    await workbench.command('Airlock: Open Analytics');
    const page = workbench.webview();
    const tiles = page.locator('.tile .value');
    await eventually(
      async () => (await tiles.allInnerTexts()).slice(0, 2),
      ([ended, verified]) => ended === '5' && verified === '3 of 5',
    );
    await workbench.screenshot('whole-analytics-dark');
  });

  it('looks right in a light theme', async () => {
    await workbench.setTheme('light');
    await workbench.screenshot('whole-analytics-light');
    await workbench.contextMenu('Tasks', 'Fix the cart total', 'Open Changes');
    await showsChange();
    await workbench.screenshot('diff-light');
  });

  it('shows the same after a reload of the window', async () => {
    const before = await rows();
    await workbench.reload();
    await workbench.openContainer('Airlock');
    await eventually(rows, (shown) => JSON.stringify(shown) === JSON.stringify(before));
    await workbench.screenshot('tree-light');
  });

  it('leaves no process and no lock behind', async () => {
    await workbench.close();
    const left = processesWith(world.folder);
    assert.deepEqual(left, []);
  });
});

/** The file that users install. */
function packaged(): string {
  const said = execFileSync(process.execPath, ['scripts/package.mjs'], { cwd: root, encoding: 'utf8' });
  const [, file] = /^(\/.*\.vsix): /m.exec(said) ?? [];
  assert.ok(file, said);
  return file;
}

/** Command lines of living processes in which `text` stands. */
function processesWith(text: string): string[] {
  return fs
    .readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      try {
        return [
          fs
            .readFileSync(path.join('/proc', pid, 'cmdline'), 'utf8')
            .replaceAll('\0', ' ')
            .trim(),
        ];
      } catch {
        return []; // It has ended meanwhile.
      }
    })
    .filter((line) => line.includes(text));
}
