import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import * as vscode from 'vscode';
import { executor, repository } from './airlock';

const enabled = 'airlock.taskDefinitions.enabled';

describe('task definitions in a real VS Code', function () {
  // A machine that does much else besides takes long for each command.
  this.timeout(60_000);
  const folder = (): string => path.join(repository(), '.airlock', 'tasks');
  const write = (file: string, text: string): vscode.Uri => {
    fs.mkdirSync(folder(), { recursive: true });
    fs.writeFileSync(path.join(folder(), file), text);
    return vscode.Uri.file(path.join(folder(), file));
  };
  const setEnabled = (value: boolean | undefined): Thenable<void> =>
    vscode.workspace.getConfiguration().update(enabled, value, vscode.ConfigurationTarget.Global);

  afterEach(async () => {
    await setEnabled(undefined);
    fs.rmSync(path.join(repository(), '.airlock'), { recursive: true, force: true });
  });

  it('queues the task of a definition when it is asked to, though nothing is started by itself', async () => {
    const uri = write('hello.yaml', 'name: Say hello\ntask:\n  prompt: Write hello.\n  checks: ["true"]\n');
    await vscode.commands.executeCommand('airlock.runDefinition', uri);
    const current = await executor();
    const task = [...current.state.tasks.values()].find(({ spec }) => spec.title === 'Say hello');
    assert.deepEqual(
      [task?.status, task?.spec.origin.sourceId, task?.spec.repo, task?.spec.checks],
      ['queued', 'user', repository(), ['true']],
    );
    await current.cancel(task?.id ?? '');
  });

  it('is run and opened from its row in the task tree', async () => {
    const uri = write(
      'nightly.yaml',
      'name: Nightly\nschedule:\n  type: cron\n  expression: "0 3 * * *"\ntask:\n  prompt: Look.\n',
    );
    // What VS Code hands over of a row, and of all that are selected with it.
    const row = { kind: 'definition', path: uri.fsPath };
    await vscode.commands.executeCommand('airlock.runDefinition', row, [row, { kind: 'scheduled' }]);
    const current = await executor();
    const tasks = [...current.state.tasks.values()].filter(({ spec }) => spec.title === 'Nightly');
    assert.deepEqual(
      tasks.map(({ status, spec }) => [status, spec.repo]),
      [['queued', repository()]],
    );
    await current.cancel(tasks[0]?.id ?? '');
    await vscode.commands.executeCommand('airlock.openDefinition', row);
    assert.equal(vscode.window.activeTextEditor?.document.uri.fsPath, uri.fsPath);
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
  });

  it('completes the keys and values that the schema knows where the cursor is, and no key that is there', async () => {
    const uri = write('half.yaml', 'name: Half\noverlap: \nschedule:\n  type: cron\n  \n');
    assert.deepEqual(await completions(uri, 1, 9), ['queue', 'replace', 'skip']);
    assert.deepEqual(await completions(uri, 4, 2), ['expression', 'timezone']);
    const keys = await completions(uri, 5, 0);
    assert.deepEqual([keys.includes('task'), keys.includes('name')], [true, false]);
  });

  it('says what a key is for where the mouse is on it', async () => {
    const uri = write('zone.yaml', 'name: Zone\nschedule:\n  timezone: Europe/Berlin\n');
    assert.deepEqual(await hovers(uri, 2, 4), ['An IANA name such as `Europe/Berlin`. Default: `UTC`.']);
    assert.deepEqual(await hovers(uri, 2, 16), []);
  });

  it('shows what is wrong with one at its line in the Problems panel, until it is mended', async () => {
    const uri = write('nightly.yaml', 'name: Nightly\nenabled: false\nschedule:\n  type: cron\n  expression: "0 9"\n');
    await setEnabled(true);
    await untilProblems(uri, (problems) => problems.length > 0);
    const problems = vscode.languages.getDiagnostics(uri);
    assert.deepEqual(
      problems.map(({ source, severity }) => [source, severity]),
      problems.map(() => ['Airlock', vscode.DiagnosticSeverity.Error]),
    );
    assert.ok(problems.some(({ range }) => range.start.line === 4));
    write(
      'nightly.yaml',
      'name: Nightly\nenabled: false\nschedule:\n  type: cron\n  expression: "0 9 * * *"\ntask:\n  prompt: Look.\n',
    );
    await untilProblems(uri, (left) => left.length === 0);
  });
});

function untilProblems(uri: vscode.Uri, holds: (problems: readonly vscode.Diagnostic[]) => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (!holds(vscode.languages.getDiagnostics(uri))) return;
      subscription.dispose();
      resolve();
    };
    const subscription = vscode.languages.onDidChangeDiagnostics(look);
    look();
  });
}

/** What Airlock offers: what it knows is a property or a value; VS Code itself offers words of the file. */
async function completions(uri: vscode.Uri, line: number, character: number): Promise<string[]> {
  await vscode.workspace.openTextDocument(uri);
  const position = new vscode.Position(line, character);
  const list = await vscode.commands.executeCommand<vscode.CompletionList>(
    'vscode.executeCompletionItemProvider',
    uri,
    position,
  );
  const kinds = [vscode.CompletionItemKind.Property, vscode.CompletionItemKind.EnumMember];
  return list.items
    .filter(({ kind }) => kind !== undefined && kinds.includes(kind))
    .map(({ label }) => (typeof label === 'string' ? label : label.label))
    .toSorted();
}

async function hovers(uri: vscode.Uri, line: number, character: number): Promise<string[]> {
  await vscode.workspace.openTextDocument(uri);
  const position = new vscode.Position(line, character);
  const found = await vscode.commands.executeCommand<vscode.Hover[]>('vscode.executeHoverProvider', uri, position);
  return found.flatMap(({ contents }) => contents.map((each) => (typeof each === 'string' ? each : each.value)));
}
