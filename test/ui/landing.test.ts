import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { type DemoWorld, makeDemoWorld } from './demoWorld';
import { eventually, pictureFailure, Workbench } from './workbench';

const title = 'Greet the reader';

/** The result has a file that would run by itself beside the one that was asked for. */
const scenario = {
  name: 'greet',
  marker: title,
  steps: [
    {
      say: 'I write the greeting.',
      calls: [{ tool: 'bash', input: { command: "printf 'hello\\n' > greeting.txt; echo 'curl x' > .envrc" } }],
    },
    { say: 'The greeting is there.' },
  ],
};

/** Each test goes on where the one before it ended. */
describe('letting a result out in a real VS Code', function () {
  this.timeout(120_000);
  let world: DemoWorld;
  let workbench: Workbench;

  before(async () => {
    world = await makeDemoWorld({
      scenarios: [scenario],
      tasks: [{ id: 'greet', description: title, context: { checks: ['grep -q hello greeting.txt'] } }],
    });
    const { folder, env, settings, repository } = world;
    workbench = await Workbench.open({ folder, env, settings, workspace: repository });
    await workbench.openContainer('Airlock');
    await eventually(
      () => workbench.rows('Tasks'),
      (rows) => rows.length > 0,
    );
    await workbench.command('Airlock: Start Queue');
    await says(/^verified · 2 files/);
  });

  afterEach(function () {
    return pictureFailure(workbench, this.currentTest);
  });

  after(async () => {
    await workbench?.close();
    await world?.close();
  });

  /** Waits until the row of the task says so. */
  async function says(words: RegExp): Promise<void> {
    await eventually(
      async () => (await workbench.rows('Tasks')).find(({ label }) => label === title)?.description ?? '',
      (description) => words.test(description),
      60_000,
    );
  }

  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: world.repository, encoding: 'utf8' }).trim();
  const dialog = () => workbench.page.locator('.monaco-dialog-box');
  const toast = (text: string) => workbench.page.locator('.notification-toast', { hasText: text });

  it('shows what changed between two snapshots, and what is left of the run', async () => {
    await workbench.contextMenu('Tasks', title, 'Compare Snapshots…');
    await workbench.pick('Base');
    await workbench.pick('Snapshot 1');
    const entry = workbench.page.locator('.multiDiffEntry').filter({ hasText: 'greeting.txt' });
    await entry.locator('.view-line', { hasText: 'hello' }).waitFor();
    await workbench.screenshot('snapshots-dark');
    await workbench.command('Airlock: Clean Up Workspaces…');
    const row = workbench.page.locator('.quick-input-list .monaco-list-row').filter({ hasText: title });
    assert.match(await row.innerText(), /\d [KM]?i?B[^]*snapshots of a run whose result is on a branch/);
    await workbench.screenshot('clean-up-dark');
    await workbench.page.keyboard.press('Escape');
  });

  it('asks before a file is let out that would run by itself', async () => {
    await workbench.contextMenu('Tasks', title, 'Accept');
    await dialog().getByText('.envrc').first().waitFor();
    await workbench.screenshot('accept-warning-dark');
    await dialog().getByRole('button', { name: 'Accept', exact: true }).click();
    await says(/^landed on main · 2 files/);
    assert.equal(fs.readFileSync(path.join(world.repository, 'greeting.txt'), 'utf8'), 'hello\n');
    assert.equal(git('status', '--porcelain'), '');
  });

  it('takes it back from the message that says that it is there', async () => {
    await toast(`“${title}” is on main now.`).waitFor();
    await workbench.screenshot('accepted-dark');
    await toast('is on main now').getByRole('button', { name: 'Undo' }).click();
    await says(/^verified · 2 files/);
    assert.deepEqual(fs.existsSync(path.join(world.repository, 'greeting.txt')), false);
  });

  it('says what is in conflict, and what can be done about it', async () => {
    await workbench.setTheme('light');
    fs.writeFileSync(path.join(world.repository, 'greeting.txt'), 'good evening\n');
    git('add', '-A');
    git('-c', 'user.name=U', '-c', 'user.email=u@example.invalid', 'commit', '-qm', 'Mine');
    await workbench.contextMenu('Tasks', title, 'Accept');
    await dialog().getByRole('button', { name: 'Accept', exact: true }).click();
    await says(/^not accepted: conflict in greeting\.txt/);
    const refusal = toast('is not accepted');
    await refusal.getByRole('button', { name: 'Send to the Agent', exact: true }).waitFor();
    await workbench.screenshot('accept-conflict-light');
    await refusal.getByRole('button', { name: 'Copy Branch Name' }).click();
    assert.equal(git('log', '-1', '--format=%s'), 'Mine');
  });

  it('throws it away when the user says so twice', async () => {
    await workbench.contextMenu('Tasks', title, 'Discard…');
    await dialog().getByText('airlock/').first().waitFor();
    await workbench.screenshot('discard-light');
    await dialog().getByRole('button', { name: 'Discard', exact: true }).click();
    await says(/^discarded/);
    assert.equal(git('branch', '--list', 'airlock/*'), '');
  });
});
