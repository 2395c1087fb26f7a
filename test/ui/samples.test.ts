import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { eventually, pictureFailure, Workbench } from './workbench';

/** Nobody has set anything up: no key, no server, no folder; and folders are asked about, as VS Code does unless it is told not to. */
describe('a new user in a real VS Code', function () {
  this.timeout(180_000);
  let workbench: Workbench;

  before(async () => {
    const env = { ANTHROPIC_API_KEY: '', ANTHROPIC_AUTH_TOKEN: '', ANTHROPIC_BASE_URL: '' };
    workbench = await Workbench.open({ env, settings: { 'security.workspace.trust.enabled': true } });
  });
  afterEach(function () {
    return pictureFailure(workbench, this.currentTest);
  });
  after(() => workbench.close());

  it('is led by the walkthrough, which offers the samples to whoever has no key', async () => {
    await workbench.command('Airlock: Open Walkthrough');
    const steps = workbench.page.locator('.getting-started-step');
    await steps.filter({ hasText: 'See that the jail holds' }).first().waitFor();
    assert.equal(await steps.count(), 5);
    for (const theme of ['light', 'dark'] as const) {
      await workbench.setTheme(theme);
      await steps.filter({ hasText: 'Choose who does the thinking' }).first().click();
      await workbench.page.getByRole('button', { name: 'Try the Samples' }).first().waitFor();
      await workbench.screenshot(`walkthrough-${theme}`);
    }
  });

  it('is offered the samples by the empty view, too, and told where they are made', async () => {
    await workbench.openContainer('Airlock');
    await workbench.pane('Tasks').getByText('Try the Samples').click();
    const dialog = workbench.page.locator('.monaco-dialog-box');
    await dialog.getByText(path.join(workbench.server.folders.home, 'airlock-samples', 'corner-shop')).waitFor();
    await workbench.screenshot('samples-offer');
    await Promise.all([
      workbench.page.waitForEvent('domcontentloaded', { timeout: 60_000 }),
      dialog.getByRole('button', { name: 'Open the Samples' }).click(),
    ]);
    // The folder is new to VS Code: the view comes by itself, and says what is to be done.
    await workbench.pane('Tasks').getByText('Restricted Mode').waitFor();
    await workbench.screenshot('samples-untrusted');
    await workbench.pane('Tasks').getByText('Manage Workspace Trust').click();
    const trust = workbench.page.locator('.workspace-trust-editor .monaco-button').filter({ hasText: /^Trust/ });
    await trust.first().click();
    const labels = async (): Promise<string[]> => (await workbench.rows('Tasks')).map(({ label }) => label);
    await eventually(labels, (all) => all.includes('Fix the cart total') && all.length === 6);
  });

  it('sees the first task verified after one click', async () => {
    await workbench.page.locator('.notifications-toasts').getByRole('button', { name: 'Start Queue' }).click();
    await eventually(
      () => workbench.rows('Tasks'),
      (rows) =>
        rows.some(({ label, description }) => label === 'Fix the cart total' && description.startsWith('verified')),
    );
    await workbench.screenshot('samples-verified');
    const repository = path.join(workbench.server.folders.home, 'airlock-samples', 'corner-shop');
    const head = fs.readFileSync(path.join(repository, 'src', 'cart.js'), 'utf8');
    assert.ok(!head.includes('Math.round'), 'the folder itself is left alone until a result is accepted');
  });
});
