import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { accessibilityProblems } from './accessibility';
import { buildAnalyticsExtension } from './analyticsFixture';
import { eventually, pictureFailure, Workbench } from './workbench';

describe('the analytics page', function () {
  this.timeout(120_000);
  let workbench: Workbench;
  let folder: string;
  const complaints: string[] = [];

  before(async () => {
    // A window without a folder is another one after a reload.
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'alw-'));
    workbench = await Workbench.open({ workspace: folder, extension: await buildAnalyticsExtension() });
    workbench.page.on('console', (message) => {
      if (/Content Security Policy|Refused to/.test(message.text())) complaints.push(message.text());
    });
    await workbench.command('Fixture: Open Analytics');
    await workbench.webview().locator('h1').waitFor();
  });

  afterEach(function () {
    return pictureFailure(workbench, this.currentTest);
  });

  after(async () => {
    await workbench?.close();
    fs.rmSync(folder, { recursive: true, force: true });
  });

  const page = () => workbench.webview();
  const tasks = () => page().locator('section.tasks');
  const taskRows = () => tasks().locator('vscode-data-grid-row:not([row-type="header"])');
  const dropdown = (key: string) => page().locator(`vscode-dropdown[data-key="${key}"]`);
  /** Chooses as the keyboard does: so many further down the list. */
  const choose = async (key: string, times: number, direction: 'ArrowDown' | 'ArrowUp' = 'ArrowDown') => {
    await dropdown(key).focus();
    for (let n = 0; n < times; n += 1) await workbench.page.keyboard.press(direction);
  };

  it('shows totals, a chart, the tasks and the budgets', async () => {
    const tiles = await page().locator('.tile dt').allInnerTexts();
    assert.deepEqual(tiles, [
      'Tasks ended',
      'Verified',
      'Tokens',
      'Cost',
      'Cache hit rate',
      'Session time',
      'Queue wait',
      'Time to first token',
      'Retries',
    ]);
    assert.match(await page().locator('.tile').nth(3).innerText(), /≥ \$\d+\.\d\d\s+and 2 requests whose price/);
    assert.match(await page().locator('.tile').nth(4).innerText(), /77%/);
    assert.equal(await taskRows().count(), 50);
    // Text of a task stays text.
    assert.equal(await tasks().locator('b').count(), 0);
    assert.ok((await paintedColors(workbench)) > 3, 'the chart has several colours');
    const budgets = await page().locator('.budgets vscode-data-grid-row').allInnerTexts();
    assert.deepEqual(
      budgets.map((row) =>
        row
          .split(/\s*\n\s*/)
          .filter(Boolean)
          .slice(0, 3),
      ),
      [
        ['Budget', 'Spent', 'Limit'],
        ['Today, persona reviewer', '$2.50', '$2.00'],
        ['Today', '$2.50', '$20.00'],
        ['In all', '$31.20', '$500.00'],
        ['This month (UTC)', budgets[4]?.match(/\$[\d.]+/)?.[0] ?? '', 'none'],
      ],
    );
    assert.match(budgets[1] ?? '', /The limit is reached\./);
    assert.match(budgets[3] ?? '', /The limit is reached on /);
    assert.match(await page().locator('.budgets .note').innerText(), /straight line/);
  });

  for (const theme of ['dark', 'light', 'highContrast'] as const) {
    it(`draws its chart in the colours of the theme: ${theme}`, async () => {
      await workbench.setTheme(theme);
      const color = await page()
        .locator('body')
        .evaluate(() => {
          const styles = getComputedStyle(document.documentElement);
          return styles.getPropertyValue('--vscode-charts-blue').trim();
        });
      await eventually(() => hasColor(workbench, color), Boolean);
      await workbench.screenshot(`analytics-${theme}`);
    });

    it(`has nothing that axe finds wrong: ${theme}`, async () => {
      await page().locator('summary').click();
      await page().locator('section.sums vscode-data-grid').waitFor();
      assert.deepEqual(await accessibilityProblems(workbench.webview()), []);
      await tasks().scrollIntoViewIfNeeded();
      await workbench.screenshot(`analytics-${theme}-tables`);
      await page().locator('summary').click();
    });
  }

  it('shows the cost, and keeps showing it after a refresh', async () => {
    await choose('metric', 1);
    await page().locator('h2', { hasText: 'Cost by Day (UTC)' }).waitFor();
    await page().locator('vscode-button', { hasText: 'Refresh' }).click();
    await page().locator('h2', { hasText: 'Cost by Day (UTC)' }).waitFor();
    await workbench.screenshot('analytics-cost');
  });

  for (const [index, metric] of [
    'Cache hit rate',
    'Tasks by verdict',
    'Session time',
    'Queue wait',
    'Time to first token',
    'Retries',
  ].entries()) {
    it(`draws ${metric}`, async () => {
      await choose('metric', 1);
      await page()
        .locator('h2', { hasText: `${metric} by Day (UTC)` })
        .waitFor();
      assert.ok((await paintedColors(workbench)) > 1);
      if (index === 1) await workbench.screenshot('analytics-verdicts');
    });
  }

  it('lists the tasks of a row, and shows one in the tree', async () => {
    await choose('metric', 7, 'ArrowUp');
    await choose('by', 1);
    await page().locator('h2', { hasText: 'Tokens by Model' }).waitFor();
    await page().locator('summary').click();
    await page().locator('section.sums .link', { hasText: 'parser' }).click();
    await page().locator('h2', { hasText: 'Tasks of parser' }).waitFor();
    assert.equal(await taskRows().count(), 20);
    // The user is led to what was asked for.
    await eventually(
      () => focusedKey(workbench),
      (key) => key === 'tasks',
    );
    await workbench.screenshot('analytics-tasks-of-row');
    await taskRows().first().locator('.link').click();
    await workbench.page.locator('.notification-toast', { hasText: 'Revealed task-0' }).waitFor();
    await page().locator('.link', { hasText: 'All tasks of the period' }).click();
    await eventually(
      () => taskRows().count(),
      (count) => count === 50,
    );
  });

  it('lists the tasks of a bar that is clicked', async () => {
    const canvas = page().locator('canvas');
    const box = await canvas.boundingBox();
    assert.ok(box);
    await canvas.click({ position: { x: box.width * 0.75, y: box.height * 0.6 } });
    await page().locator('h2', { hasText: 'Tasks of parser' }).waitFor();
    await page().locator('.link', { hasText: 'All tasks of the period' }).click();
  });

  it('lists the tasks of a row with Enter, wherever in the row the focus is', async () => {
    await page().locator('section.sums vscode-data-grid-row').nth(2).locator('vscode-data-grid-cell').nth(3).focus();
    await workbench.page.keyboard.press('Enter');
    await page().locator('h2', { hasText: 'Tasks of parser' }).waitFor();
    await page().locator('.link', { hasText: 'All tasks of the period' }).click();
    await page().locator('summary').click();
    await choose('by', 1, 'ArrowUp');
    await choose('metric', 1);
    await page().locator('h2', { hasText: 'Cost by Day (UTC)' }).waitFor();
  });

  it('follows the events while it is open, and leaves what has not changed as it is', async () => {
    await page()
      .locator('header')
      .evaluate((header: HTMLElement) => (header.dataset['kept'] = 'yes'));
    await page()
      .locator('canvas')
      .evaluate((canvas: HTMLElement) => (canvas.dataset['kept'] = 'yes'));
    await taskRows().nth(3).locator('.link').focus();
    await workbench.command('Fixture: Append a Verdict');
    await eventually(
      () => taskRows().first().innerText(),
      (text) => text.startsWith('Ended while the page was open'),
    );
    assert.equal(await page().locator('header[data-kept]').count(), 1);
    assert.equal(await page().locator('canvas[data-kept]').count(), 1);
  });

  it('saves the figures as CSV where the user says', async () => {
    const file = path.join(folder, 'figures.csv');
    await page().locator('vscode-button', { hasText: 'Export CSV' }).click();
    const input = workbench.page.locator('.quick-input-widget input');
    // The dialog writes the name that it proposes over what is there already.
    await eventually(
      () => input.inputValue(),
      (name) => name.endsWith('.csv'),
    );
    await input.fill(file);
    await eventually(
      async () => {
        // The dialog takes no answer while it still looks at the folder.
        if (!fs.existsSync(file) && (await input.isVisible())) await input.press('Enter');
        return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '';
      },
      (text) => /^day,model,/.test(text) && text.split('\r\n').length > 15,
    );
  });

  it('gives the figures of the chart as a table', async () => {
    await page().locator('summary').click();
    const header = await page().locator('details vscode-data-grid-row[row-type="header"]').innerText();
    assert.deepEqual(header.split(/\s*\n\s*/).filter(Boolean), [
      'Day (UTC)',
      'Input',
      'Cache write',
      'Cache read',
      'Output',
      'Cache hit rate',
      'Cost',
      'Tasks ended',
      'Verified',
      'Session time',
      'Queue wait',
      'Time to first token',
      'Retries',
    ]);
    await workbench.screenshot('analytics-table');
  });

  it('shows more tasks when it is asked', async () => {
    await page().locator('vscode-button', { hasText: 'Show more' }).click();
    await eventually(
      () => taskRows().count(),
      (count) => count === 61,
    );
    assert.equal(await page().locator('vscode-button', { hasText: 'Show more' }).count(), 0);
  });

  it('can be worked with the keyboard', async () => {
    await page().locator('[data-key="period"]').focus();
    await workbench.page.keyboard.press('ArrowUp');
    await eventually(
      () => page().locator('canvas').getAttribute('aria-label'),
      (label) => label?.startsWith('Cost by Day (UTC)') === true,
    );
    // Seven days end with today, so the chart's words begin six days ago.
    const first = new Date(Date.now() - 6 * 24 * 60 * 60 * 1000).toISOString().slice(0, 10);
    await eventually(
      () => page().locator('canvas').getAttribute('aria-label'),
      (label) => label?.includes(`from ${first} to`) === true,
    );
    assert.equal(await focusedKey(workbench), 'period');
  });

  it('shows the days that the user names', async () => {
    await choose('period', 4);
    const [from, to] = [page().locator('[data-key="from"]'), page().locator('[data-key="to"]')];
    await from.waitFor();
    // Both at once: the figures for the first come when the second is there already.
    await page()
      .locator('header')
      .evaluate((header) => {
        for (const [key, day] of [
          ['from', '2026-02-10'],
          ['to', '2026-02-01'],
        ]) {
          const input = header.querySelector<HTMLInputElement>(`[data-key="${key}"]`);
          if (!input) throw new Error(`There is no field ${key}`);
          input.value = day ?? '';
          input.dispatchEvent(new Event('change'));
        }
      });
    await eventually(
      () => page().locator('canvas').getAttribute('aria-label'),
      (label) => label?.includes('from 2026-02-10 to') === true,
    );
    await page().locator('.wrong', { hasText: 'must not be before' }).waitFor();
    assert.equal(await to.inputValue(), '2026-02-01');
    await to.fill('2026-02-12');
    await page().locator('.quiet', { hasText: 'Nothing happened in this period.' }).waitFor();
    await workbench.screenshot('analytics-own-days');
    await choose('period', 4, 'ArrowUp');
    await page().locator('h2', { hasText: 'Cost by Day (UTC)' }).waitFor();
  });

  it('comes back after a reload of the window, with what was chosen', async () => {
    await workbench.reload();
    await page().locator('h2', { hasText: 'Cost by Day (UTC)' }).waitFor({ timeout: 30_000 });
    assert.equal(await dropdown('period').evaluate((list: HTMLSelectElement) => list.value), '7');
  });

  it('says why when the history cannot be read, and tries again', async () => {
    await workbench.command('Fixture: Fail the Next Question');
    await page().locator('vscode-button', { hasText: 'Refresh' }).click();
    await page().locator('[role="alert"]', { hasText: 'The journal is damaged at line 7.' }).waitFor();
    await workbench.screenshot('analytics-failed');
    await page().locator('vscode-button', { hasText: 'Try again' }).click();
    await page().locator('.tiles').waitFor();
  });

  it('says that there is nothing yet', async () => {
    await workbench.command('Fixture: Empty the History');
    await page().locator('vscode-button', { hasText: 'Refresh' }).click();
    await page().locator('h2', { hasText: 'No task has ended yet.' }).waitFor();
    await workbench.screenshot('analytics-empty');
  });

  it('is one page, however often it is opened', async () => {
    await workbench.command('Fixture: Open Analytics');
    assert.equal(await workbench.page.locator('.tabs-container .tab').count(), 1);
  });

  it('breaks no rule of its own content security policy', () => {
    assert.deepEqual(complaints, []);
  });
});

/** The key of what has the focus in the page. */
function focusedKey(workbench: Workbench): Promise<string | null | undefined> {
  return workbench
    .webview()
    .locator('body')
    .evaluate(() => document.activeElement?.getAttribute('data-key'));
}

/** How many different colours the chart has, backgrounds and text included. */
function paintedColors(workbench: Workbench): Promise<number> {
  return workbench
    .webview()
    .locator('canvas')
    .evaluate((canvas: HTMLCanvasElement) => {
      const data = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
      const colors = new Set<number>();
      for (let at = 0; at + 3 < data.length; at += 4) {
        if (data[at + 3] === 255)
          colors.add(((data[at] ?? 0) << 16) | ((data[at + 1] ?? 0) << 8) | (data[at + 2] ?? 0));
      }
      return colors.size;
    });
}

/** Whether a pixel of the chart has just this CSS colour. */
function hasColor(workbench: Workbench, color: string): Promise<boolean> {
  return workbench
    .webview()
    .locator('canvas')
    .evaluate((canvas: HTMLCanvasElement, wanted: string) => {
      const probe = document.createElement('canvas').getContext('2d');
      if (!probe) return false;
      probe.fillStyle = wanted;
      probe.fillRect(0, 0, 1, 1);
      const want = probe.getImageData(0, 0, 1, 1).data;
      const data = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
      for (let at = 0; at + 3 < data.length; at += 4) {
        if ([0, 1, 2].every((part) => data[at + part] === want[part]) && data[at + 3] === 255) return true;
      }
      return false;
    }, color);
}
