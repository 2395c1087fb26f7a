import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import * as vscode from 'vscode';
import { activated, executor, repository } from './airlock';

const file = 'docs/TASKS.md';
const table = [
  '# Tasks\r\n\r\n',
  '| ID | Title | Priority | Status | Notes |\r\n',
  '| --- | :-- | --- | --- | --- |\r\n',
  '| T-1 | Round `a \\| b` up | P1 | Todo | |\r\n',
  '| T-2 | Sort names | P2 | Todo | with care |\r\n',
  '\r\nThe end, without a newline',
].join('');

describe('a task table in a real VS Code', function () {
  // A machine that does much else besides takes long for each command.
  this.timeout(60_000);
  const whole = (): string => path.join(repository(), file);
  const text = (): string => fs.readFileSync(whole(), 'utf8');
  const rows = (ids: readonly string[], value?: string) => ({ repo: repository(), file, ids, value });

  beforeEach(async () => {
    await activated();
    fs.mkdirSync(path.dirname(whole()), { recursive: true });
    fs.writeFileSync(whole(), table);
  });

  afterEach(async () => {
    await vscode.commands.executeCommand('workbench.action.closeQuickOpen');
    fs.rmSync(path.dirname(whole()), { recursive: true, force: true });
  });

  it('has another status and priority in the rows that were named, and is the same byte for byte elsewhere', async () => {
    await vscode.commands.executeCommand('airlock.setRowStatus', rows(['T-1', 'T-2'], 'Review'));
    await vscode.commands.executeCommand('airlock.setRowPriority', rows(['T-2'], 'P0'));
    assert.equal(text(), table.replaceAll('| Todo |', '| Review |').replace('| P2 |', '| P0 |'));
  });

  it('marks a row as blocked, by nothing in particular when the user says nothing', async () => {
    const marked = vscode.commands.executeCommand('airlock.markRowBlocked', rows(['T-2']));
    await confirmedUntil(marked);
    assert.equal(text(), table.replace('| P2 | Todo |', '| P2 | Blocked |'));
  });

  it('changes nothing while the file is unsaved in an editor, nor in a file that is no table', async () => {
    const document = await vscode.workspace.openTextDocument(whole());
    const editor = await vscode.window.showTextDocument(document);
    await editor.edit((edit) => edit.insert(new vscode.Position(0, 0), 'x'));
    const other = { ...rows(['T-1'], 'Done'), file: 'README.md' };
    await vscode.commands.executeCommand('airlock.setRowStatus', other);
    await vscode.commands.executeCommand('airlock.setRowStatus', rows(['T-1'], 'Done'));
    assert.equal(text(), table);
    await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
  });

  it('has rows that become tasks when they are queued, and is told of them: it was made after the start', async () => {
    await vscode.commands.executeCommand('airlock.queueRows', rows(['T-1', 'T-2']));
    const current = await executor();
    const tasks = [...current.state.tasks.values()].filter(({ status }) => status === 'queued');
    assert.deepEqual(
      tasks.map(({ spec }) => [spec.title, spec.priority, spec.repo, spec.origin.sourceId]),
      [
        ['Round `a | b` up', 1, repository(), `table:${whole()}`],
        ['Sort names', 2, repository(), `table:${whole()}`],
      ],
    );
    for (const { id } of tasks) await current.cancel(id);
  });
});

/** Confirms the input box as it is, as soon as there is one. */
async function confirmedUntil(done: Thenable<unknown>): Promise<void> {
  let isDone = false;
  const ended = Promise.resolve(done).then(() => (isDone = true));
  while (!isDone) {
    await vscode.commands.executeCommand('workbench.action.acceptSelectedQuickOpenItem');
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 100))]);
  }
}
