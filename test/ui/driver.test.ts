import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { eventually, pictureFailure, Workbench } from './workbench';

describe('the workbench in the browser', function () {
  this.timeout(120_000);
  let workbench: Workbench;
  let folder: string;

  before(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'alw-'));
    fs.writeFileSync(path.join(folder, 'hello.txt'), 'Hello\n');
    workbench = await Workbench.open({ workspace: folder, extension: null });
  });

  afterEach(function () {
    return pictureFailure(workbench, this.currentTest);
  });

  after(async () => {
    await workbench?.close();
    fs.rmSync(folder, { recursive: true, force: true });
  });

  it('runs a command of the palette and shows terminal text', async () => {
    await workbench.command('Terminal: Create New Terminal');
    await workbench.focusTerminal();
    await workbench.page.keyboard.type('echo $((40 + 2))-seen\n');
    const text = await eventually(
      () => workbench.terminalText(),
      (shown) => shown.includes('42-seen'),
    );
    assert.match(text, /^42-seen$/m);
  });

  it('changes its theme', async () => {
    for (const theme of ['light', 'highContrast', 'dark'] as const) {
      await workbench.setTheme(theme);
      await workbench.screenshot(`driver-${theme}`);
    }
  });
});
