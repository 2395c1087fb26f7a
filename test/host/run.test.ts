import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { type ScriptedModel, startScriptedModel } from '../../src/engines/scripted/scriptedModel';
import { Collector, spansOf } from '../fakes/collector';
import { activated, executor, repository, tabLabels } from './airlock';
import { until } from '../unit/gateway/until';
import { ended } from './waiting';

const title = 'Greet the reader';
const scenario = {
  name: 'greet',
  marker: title,
  steps: [
    { say: 'I write the greeting.', calls: [{ tool: 'bash', input: { command: "printf 'hello\\n' > greeting.txt" } }] },
    { say: 'The greeting is there.' },
  ],
};

async function set(key: string, value: unknown): Promise<void> {
  await vscode.workspace.getConfiguration('airlock').update(key, value, vscode.ConfigurationTarget.Global);
}

describe('a task in a real VS Code', function () {
  this.timeout(90_000);
  let model: ScriptedModel;
  let collector: Collector;
  let taskId: string;

  before(async () => {
    model = await startScriptedModel({ scenarios: [scenario], turnDelayMs: 200 });
    collector = await Collector.start();
    process.env['ANTHROPIC_AUTH_TOKEN'] = model.token;
    await activated();
    await set('terminal.openAutomatically', true);
    await set('engine.baseUrl', model.baseUrl);
    await set('telemetry.endpoint', collector.endpoint);
    // Opens the executor again, with the new address, at once.
    await vscode.commands.executeCommand('airlock.tryAgain');
  });

  after(async () => {
    await vscode.commands.executeCommand('airlock.pauseQueue');
    delete process.env['ANTHROPIC_AUTH_TOKEN'];
    await set('terminal.openAutomatically', undefined);
    await set('engine.baseUrl', undefined);
    await set('telemetry.endpoint', undefined);
    await vscode.commands.executeCommand('airlock.tryAgain');
    await model.close();
    await collector.close();
  });

  it('is worked on in a jail, in a terminal that opened by itself, until its check passes', async () => {
    const current = await executor();
    const terminal = new Promise<string>((resolve) => {
      const subscription = vscode.window.onDidOpenTerminal(({ name }) => {
        subscription.dispose();
        resolve(name);
      });
    });
    taskId = await current.add({
      title,
      prompt: `${title}. Put a greeting into greeting.txt.`,
      checks: ['grep -q hello greeting.txt'],
      repo: repository(),
    });
    await vscode.commands.executeCommand('airlock.startQueue');
    assert.equal(await terminal, title);
    const status = await ended(current, taskId);
    assert.equal(status, 'verified', current.state.tasks.get(taskId)?.reason);
  });

  it('has its trace at the collector that the setting names', async () => {
    const isRoot = ({ name }: { readonly name: string }): boolean => name === 'invoke_agent implementer';
    await until(() => collector.bodiesAt('/v1/traces').flatMap(spansOf).some(isRoot));
    assert.equal(collector.bodies.join().includes(title), false);
  });

  it('opens as a diff whose files come from git and not from the disk', async () => {
    await vscode.commands.executeCommand('airlock.openChanges', taskId);
    assert.ok(
      tabLabels().some((label) => label.startsWith(`${title} (changes)`)),
      tabLabels().join(),
    );
    const run = [...(await executor()).state.runs.values()].find((each) => each.taskId === taskId);
    const query = `side=result&commit=${run?.commit ?? ''}`;
    const uri = vscode.Uri.from({ scheme: 'airlock', authority: taskId, path: '/greeting.txt', query });
    assert.equal(Buffer.from(await vscode.workspace.fs.readFile(uri)).toString(), 'hello\n');
    const base = uri.with({ query: query.replace('result', 'base') });
    await assert.rejects(async () => vscode.workspace.fs.readFile(base), { code: 'FileNotFound' });
    await assert.rejects(async () => vscode.workspace.fs.readFile(vscode.Uri.file(`${repository()}/greeting.txt`)));
  });

  it('shows its evidence, and gives the name of its branch', async () => {
    await vscode.commands.executeCommand('airlock.showDetails', taskId);
    const text = vscode.window.activeTextEditor?.document.getText() ?? '';
    assert.match(text, /\nVerdict: +verified: every check passed/);
    assert.match(text, /\nOn the result: exit code 0, /);
    assert.match(text, /\nOn the base: exit code 2, /);
    await vscode.commands.executeCommand('airlock.copyBranchName', taskId);
    assert.equal(await vscode.env.clipboard.readText(), `airlock/${taskId}-1`);
  });

  it('is put onto the branch that is checked out when it is accepted, and taken back', async () => {
    const file = vscode.Uri.file(`${repository()}/greeting.txt`);
    const current = await executor();
    await vscode.commands.executeCommand('airlock.accept', taskId);
    assert.equal(current.state.tasks.get(taskId)?.status, 'landed');
    assert.equal(Buffer.from(await vscode.workspace.fs.readFile(file)).toString(), 'hello\n');
    await vscode.commands.executeCommand('airlock.undoAccept', taskId);
    assert.equal(current.state.tasks.get(taskId)?.status, 'verified');
    await assert.rejects(async () => vscode.workspace.fs.readFile(file));
  });
});
