import assert from 'node:assert/strict';
import * as vscode from 'vscode';

describe('the analytics page in a real VS Code', () => {
  afterEach(() => vscode.commands.executeCommand('workbench.action.closeAllEditors'));

  const pages = (): vscode.Tab[] =>
    vscode.window.tabGroups.all
      .flatMap((group) => group.tabs)
      .filter(({ input }) => input instanceof vscode.TabInputWebview && input.viewType.includes('airlock.analytics'));

  it('is one tab, however often it is opened', async () => {
    const shown = new Promise<void>((resolve) => {
      const subscription = vscode.window.tabGroups.onDidChangeTabs(() => {
        if (pages().length === 0) return;
        subscription.dispose();
        resolve();
      });
    });
    await vscode.commands.executeCommand('airlock.openAnalytics');
    await shown;
    await vscode.commands.executeCommand('airlock.openAnalytics');
    assert.equal(pages().length, 1);
  });
});
