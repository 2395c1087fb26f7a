import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { onlyTask, openDemo, startQueue, taskSays } from './demoWindow';
import type { DemoWorld } from './demoWorld';
import { eventually, type Workbench } from './workbench';

const title = 'Greet the reader';

/** The result has a file that would run by itself beside the one that was asked for. */
const steps = [
  {
    say: 'I write the greeting.',
    calls: [{ tool: 'bash', input: { command: "printf 'hello\\n' > greeting.txt; echo 'curl x' > .envrc" } }],
  },
  { say: 'The greeting is there.' },
];

/** It sleeps only on what the branch has become. */
const slowCheck = 'test ! -e slow.txt || sleep 86312';

const pullRequest = 'https://git.example.invalid/shop/cart/pull/7';

/** In the place of the user's own `gh`, which would ask a server. VS Code takes the PATH from a login shell. @returns the environment. */
function withGh(folder: string): Record<string, string> {
  const home = path.join(folder, 'gh');
  fs.mkdirSync(home);
  const answers = `case "$1 $2" in "auth status") ;; "pr create") cat > /dev/null; echo ${pullRequest} ;; *) exit 1 ;; esac`;
  fs.writeFileSync(path.join(home, 'gh'), `#!/bin/sh\n${answers}\n`, { mode: 0o755 });
  fs.writeFileSync(path.join(home, '.profile'), `export PATH=${home}:$PATH\n`);
  return { HOME: home, SHELL: '/bin/bash', PATH: `${home}:${process.env['PATH'] ?? ''}` };
}

/** Each test goes on where the one before it ended. */
describe('letting a result out in a real VS Code', function () {
  this.timeout(120_000);
  let world: DemoWorld;
  let workbench: Workbench;

  openDemo(
    onlyTask(title, { checks: ['grep -q hello greeting.txt', slowCheck], steps }),
    (opened) => ({ world, workbench } = opened),
    ({ git, folder, env }) => {
      // git takes the way to a folder, so that nothing leaves this machine.
      const address = 'https://git.example.invalid/shop/cart.git';
      git('init', '-q', '--bare', path.join(folder, 'server.git'));
      git('config', `url.${path.join(folder, 'server.git')}.insteadOf`, address);
      git('remote', 'add', 'origin', address);
      return { env: { ...env, ...withGh(folder) } };
    },
  );

  before(async () => {
    await startQueue(workbench);
    await says(/^verified · 2 files/);
  });

  const says = (words: RegExp): Promise<void> => taskSays(workbench, title, words);
  const dialog = () => workbench.page.locator('.monaco-dialog-box');
  const mergeEditor = () => workbench.page.locator('.merge-editor');
  const landAction = () =>
    workbench.page.locator('.editor-actions').getByRole('button', { name: 'Land Resolved Files' });
  const toast = (text: string) => workbench.page.locator('.notification-toast', { hasText: text });

  function commitFile(name: string, text: string, message: string): void {
    fs.writeFileSync(path.join(world.repository, name), text);
    world.git('add', '-A');
    world.git('-c', 'user.name=U', '-c', 'user.email=u@example.invalid', 'commit', '-qm', message);
  }

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

  it('makes a branch for a pull request, and pushes it, only when the user has agreed', async () => {
    const ask = async (): Promise<void> => {
      await workbench.contextMenu('Tasks', title, 'Open Pull Request…');
      await workbench.question(`Branch for “${title}”`);
      await workbench.answer('greeting');
      await workbench.question('Pull Request Into');
      await workbench.answer('main');
      await dialog().getByText('It leaves this machine').waitFor();
    };
    await ask();
    await dialog().getByRole('button', { name: 'Cancel' }).click();
    await dialog().waitFor({ state: 'hidden' });
    assert.equal(world.git('branch', '--list', 'greeting'), '');
    await ask();
    await workbench.screenshot('pull-request-dark');
    await dialog().getByRole('button', { name: 'Push and Open' }).click();
    const pushed = (): Promise<string> => Promise.resolve(world.git('ls-remote', 'origin', 'refs/heads/greeting'));
    const [commit] = (await eventually(pushed, (found) => found !== '')).split('\t');
    assert.equal(commit, world.git('rev-parse', 'greeting'));
    await workbench.contextMenu('Tasks', title, 'Show Details');
    // They are written anew when gh has answered.
    await workbench.page.locator('.view-line', { hasText: pullRequest }).waitFor({ timeout: 60_000 });
    await workbench.page.locator('.codelens-decoration a', { hasText: 'Show Pull Request' }).waitFor();
    await workbench.page
      .getByRole('treeitem', { name: new RegExp(`^${title}`) })
      .first()
      .hover();
    await workbench.page.locator(`.workbench-hover a[data-href="${pullRequest}"]`).waitFor();
    await workbench.screenshot('pull-request-known-dark');
    await workbench.setTheme('light');
    await workbench.screenshot('pull-request-known-light');
    await workbench.setTheme('dark');
  });

  it('asks before a file is let out that would run by itself', async () => {
    await workbench.contextMenu('Tasks', title, 'Accept');
    await dialog().getByText('.envrc').first().waitFor();
    await workbench.screenshot('accept-warning-dark');
    await dialog().getByRole('button', { name: 'Accept', exact: true }).click();
    await says(/^landed on main · 2 files/);
    assert.equal(fs.readFileSync(path.join(world.repository, 'greeting.txt'), 'utf8'), 'hello\n');
    assert.equal(world.git('status', '--porcelain'), '');
  });

  it('takes it back from the message that says that it is there', async () => {
    await toast(`“${title}” is on main now.`).waitFor();
    await workbench.screenshot('accepted-dark');
    await toast('is on main now').getByRole('button', { name: 'Undo' }).click();
    await says(/^verified · 2 files/);
    assert.deepEqual(fs.existsSync(path.join(world.repository, 'greeting.txt')), false);
  });

  it('is given up from its notification and from its row, and nothing is changed', async () => {
    commitFile('slow.txt', 'slow\n', 'Slow');
    const before = world.git('rev-parse', 'HEAD');
    const isChecked = async (): Promise<void> => {
      await workbench.contextMenu('Tasks', title, 'Accept');
      await dialog().getByRole('button', { name: 'Accept', exact: true }).click();
      await says(/^being checked on main/);
      await toast(`Accepting “${title}”`).waitFor();
    };
    await isChecked();
    await workbench.screenshot('accepting-dark');
    await toast('Accepting').getByRole('button', { name: 'Cancel' }).click();
    await says(/^verified · 2 files/);
    await isChecked();
    await workbench.setTheme('light');
    await workbench.screenshot('accepting-light');
    await workbench.contextMenu('Tasks', title, 'Cancel Accept');
    await says(/^verified · 2 files/);
    await toast('Accepting').waitFor({ state: 'hidden' });
    assert.deepEqual([world.git('rev-parse', 'HEAD'), world.git('status', '--porcelain')], [before, '']);
    world.git('reset', '-q', '--hard', 'HEAD~1');
  });

  it('says what is in conflict, and what can be done about it', async () => {
    commitFile('greeting.txt', 'good evening\n', 'Mine');
    await workbench.contextMenu('Tasks', title, 'Accept');
    await dialog().getByRole('button', { name: 'Accept', exact: true }).click();
    await says(/^not accepted: conflict in greeting\.txt/);
    const refusal = toast('is not accepted');
    await refusal.getByRole('button', { name: 'Send to the Agent', exact: true }).waitFor();
    await workbench.screenshot('accept-conflict-light');
    assert.equal(world.git('log', '-1', '--format=%s'), 'Mine');
    await refusal.getByRole('button', { name: 'Resolve in Merge Editor' }).click();
  });

  it('shows both versions in the merge editor, and goes on only when they are joined', async () => {
    await mergeEditor().locator('.view-line', { hasText: 'good evening' }).first().waitFor();
    await mergeEditor().locator('.view-line', { hasText: 'hello' }).first().waitFor();
    await toast('Join both versions').waitFor();
    await workbench.screenshot('merge-editor-light');
    await workbench.setTheme('dark');
    await landAction().click();
    await dialog().getByText('unhandled conflicts').first().waitFor();
    await dialog().getByRole('button', { name: 'Cancel' }).click();
    await mergeEditor().getByText('Accept Branch', { exact: true }).click();
    await mergeEditor().getByText('0 Conflicts Remaining').waitFor();
    await workbench.screenshot('merge-editor-dark');
  });

  it('does not let out what the checks do not stand, and opens it again as it was', async () => {
    await landAction().click();
    await dialog().getByRole('button', { name: 'Accept', exact: true }).click();
    await says(/^not accepted: a check fails on main/);
    await workbench.screenshot('resolved-check-failed-dark');
    assert.equal(world.git('log', '-1', '--format=%s'), 'Mine');
    await toast('is not accepted').getByRole('button', { name: 'Resolve in Merge Editor' }).click();
    // In the result too, and not only on the side of the branch.
    await mergeEditor().locator('.view-line', { hasText: 'good evening' }).nth(1).waitFor();
  });

  it('lets it out as it was joined, and takes it back', async () => {
    await mergeEditor().getByText('Accept Combination (Agent First)').click();
    await mergeEditor().locator('.view-line', { hasText: 'hello' }).last().click();
    await workbench.page.keyboard.press('Control+Enter');
    await dialog().getByRole('button', { name: 'Accept', exact: true }).click();
    await says(/^landed on main/);
    const lines = fs.readFileSync(path.join(world.repository, 'greeting.txt'), 'utf8').split('\n');
    assert.deepEqual(lines.filter((line) => line !== '').toSorted(), ['good evening', 'hello']);
    assert.equal(world.git('status', '--porcelain'), '');
    assert.match(world.git('log', '-1', '--format=%b'), /^Joined by hand: greeting\.txt$/m);
    await workbench.contextMenu('Tasks', title, 'Undo Accept');
    await says(/^verified/);
  });

  it('throws it away when the user says so twice', async () => {
    await workbench.setTheme('light');
    await workbench.contextMenu('Tasks', title, 'Discard…');
    await dialog().getByText('airlock/').first().waitFor();
    await workbench.screenshot('discard-light');
    await dialog().getByRole('button', { name: 'Discard', exact: true }).click();
    await says(/^discarded/);
    // It is said first, and then done.
    await eventually(
      async () => world.git('branch', '--list', 'airlock/*'),
      (branches) => branches === '',
    );
  });
});
