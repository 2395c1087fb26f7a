import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
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
  const firstTask = () => page().locator('section:last-of-type vscode-data-grid-row:nth-child(2)');

  it('shows totals, a chart and the ended tasks', async () => {
    const tiles = await page().locator('.tile dt').allInnerTexts();
    assert.deepEqual(tiles, ['Tasks ended', 'Verified', 'Tokens', 'Cost']);
    assert.match(await page().locator('.tile').nth(3).innerText(), /≥ \$\d+\.\d\d\s+and 2 requests whose price/);
    assert.equal(await page().locator('section:last-of-type vscode-data-grid-row').count(), 51);
    // Text of a task stays text.
    assert.equal(await page().locator('section:last-of-type b').count(), 0);
    assert.ok((await paintedColors(workbench)) > 3, 'the chart has several colours');
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
  }

  it('shows the cost, and keeps showing it after a refresh', async () => {
    await page().locator('vscode-radio[value="cost"]').click();
    await page().locator('h2', { hasText: 'Cost by day' }).waitFor();
    await page().locator('vscode-button', { hasText: 'Refresh' }).click();
    await page().locator('h2', { hasText: 'Cost by day' }).waitFor();
    await workbench.screenshot('analytics-cost');
  });

  it('follows the events while it is open', async () => {
    await workbench.command('Fixture: Append a Verdict');
    await eventually(
      () => firstTask().innerText(),
      (text) => text.startsWith('Ended while the page was open'),
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
      'Cost',
      'Tasks ended',
    ]);
    await workbench.screenshot('analytics-table');
  });

  it('shows more tasks when it is asked', async () => {
    await page().locator('vscode-button', { hasText: 'Show more' }).click();
    await eventually(
      () => page().locator('section:last-of-type vscode-data-grid-row').count(),
      (count) => count === 62,
    );
    assert.equal(await page().locator('vscode-button', { hasText: 'Show more' }).count(), 0);
  });

  it('can be worked with the keyboard', async () => {
    await page().locator('[data-key="period"]').focus();
    await workbench.page.keyboard.press('ArrowUp');
    await eventually(
      () => page().locator('canvas').getAttribute('aria-label'),
      (label) => label?.startsWith('Cost by day') === true,
    );
    // Seven days end with today, so the chart's words begin six days ago.
    const first = new Date(Date.now() - 6 * 24 * 60 * 60 * 1000).toISOString().slice(0, 10);
    await eventually(
      () => page().locator('canvas').getAttribute('aria-label'),
      (label) => label?.includes(`from ${first} to`) === true,
    );
    const focused = await page()
      .locator('body')
      .evaluate(() => document.activeElement?.getAttribute('data-key'));
    assert.equal(focused, 'period');
  });

  it('comes back after a reload of the window, with what was chosen', async () => {
    await workbench.reload();
    await page().locator('h2', { hasText: 'Cost by day' }).waitFor({ timeout: 30_000 });
    assert.equal(
      await page()
        .locator('vscode-dropdown')
        .evaluate((list: HTMLSelectElement) => list.value),
      '7',
    );
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
