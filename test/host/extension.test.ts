import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { commandEntries } from '../../src/ui/commands/commandTable';
import { resultScheme } from '../../src/ui/ids';
import { settingTable } from '../../src/ui/settings/settingTable';
import { activated, executor, extensionId, repository } from './airlock';

describe('the extension in a real VS Code', () => {
  it('is active without being asked, and opens its executor in this process', async () => {
    await activated();
    assert.equal(vscode.extensions.getExtension(extensionId)?.isActive, true);
    assert.deepEqual((await executor()).place, { kind: 'here' });
  });

  it('has registered every command of its table', async () => {
    await activated();
    const known = new Set(await vscode.commands.getCommands(true));
    assert.deepEqual(
      [...commandEntries.keys()].filter((id) => !known.has(id)),
      [],
    );
  });

  it('has the defaults of its settings from the manifest', () => {
    const configuration = vscode.workspace.getConfiguration();
    const defaults = Object.keys(settingTable).map((id) => [id, configuration.inspect(id)?.defaultValue]);
    assert.deepEqual(
      defaults,
      Object.entries(settingTable).map(([id, { fallback }]) => [id, fallback]),
    );
  });

  it('finds that a jail can be had, and proves it in a readable report', async () => {
    assert.equal((await (await executor()).jailReadiness()).kind, 'ready');
    await vscode.commands.executeCommand('airlock.proveJail');
    const text = vscode.window.activeTextEditor?.document.getText() ?? '';
    assert.match(text, /^Proof of the jail\n=+\n\nBubblewrap [\d.]+ at \//);
    assert.match(text, /\nPROVEN: \d+ attempts to get out, and none got out\./);
  });

  it('shows a queued task in its details, and cancels it by its id', async () => {
    const current = await executor();
    const taskId = await current.add({ title: 'Say hello', prompt: 'Write hello.', repo: repository() });
    await vscode.commands.executeCommand('airlock.showDetails', taskId);
    const { document } = vscode.window.activeTextEditor ?? assert.fail('no editor is open');
    assert.equal(document.uri.scheme, 'airlock-report');
    assert.match(document.getText(), /^Say hello\n=+\n\nState: +queued\n/);
    assert.match(document.getText(), /\n {2}│ Write hello\.\n$/);
    await vscode.commands.executeCommand('airlock.cancelTask', taskId);
    assert.equal(current.state.tasks.get(taskId)?.status, 'cancelled');
  });

  it('pauses the queue by command', async () => {
    const current = await executor();
    await vscode.commands.executeCommand('airlock.startQueue');
    assert.equal(current.state.queueMode, 'running');
    await vscode.commands.executeCommand('airlock.pauseQueue');
    assert.equal(current.state.queueMode, 'paused');
  });

  it('lets nobody write to a result, and finds no file that is not in one', async () => {
    assert.equal(vscode.workspace.fs.isWritableFileSystem(resultScheme), false);
    const query = `side=result&commit=${'a'.repeat(40)}`;
    const uri = vscode.Uri.from({ scheme: resultScheme, authority: 'no-such-task', path: '/README.md', query });
    await assert.rejects(async () => vscode.workspace.fs.readFile(uri), { code: 'FileNotFound' });
  });
});
