import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import * as vscode from 'vscode';
import { activated, repository } from './airlock';

describe('tasks from the editor in a real VS Code', () => {
  const problems = vscode.languages.createDiagnosticCollection('airlock-test');
  const file = (): string => path.join(repository(), 'total.ts');

  beforeEach(activated);

  afterEach(async () => {
    problems.clear();
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    fs.rmSync(file(), { force: true });
  });

  after(() => problems.dispose());

  it('are offered as quick fixes on comments that ask for something and on problems, and nowhere else', async () => {
    fs.writeFileSync(file(), 'const a = 1;\n// TODO: round up\nconst b = 2;\n');
    const { uri } = await vscode.workspace.openTextDocument(file());
    problems.set(uri, [new vscode.Diagnostic(new vscode.Range(2, 6, 2, 7), 'b is never used.')]);
    assert.deepEqual(await offered(uri, 0), []);
    assert.deepEqual(await offered(uri, 1), ['Do This TODO with Airlock…: airlock.addTaskFromTodo']);
    assert.deepEqual(await offered(uri, 2), ['Fix with Airlock…: airlock.fixProblem']);
  });
});

async function offered(uri: vscode.Uri, line: number): Promise<string[]> {
  const actions = await vscode.commands.executeCommand<(vscode.CodeAction | vscode.Command)[]>(
    'vscode.executeCodeActionProvider',
    uri,
    new vscode.Range(line, 6, line, 7),
  );
  return actions.flatMap(({ title, command }) =>
    typeof command === 'object' && command.command.startsWith('airlock.') ? [`${title}: ${command.command}`] : [],
  );
}
