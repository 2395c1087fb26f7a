import assert from 'node:assert/strict';
import { visiting } from '../../src/cli/visit';
import { onlyTask, openDemo, startQueue, taskSays } from './demoWindow';
import type { DemoWorld } from './demoWorld';
import { eventually, type Workbench } from './workbench';

const title = 'Greet the reader';

const steps = [
  {
    say: 'I write the greeting.',
    calls: [{ tool: 'bash', input: { command: "printf 'hello\\nreader\\n' > greeting.txt; echo x > notes.txt" } }],
  },
  { say: 'The greeting is there.' },
  {
    say: 'I make it louder.',
    calls: [{ tool: 'bash', input: { command: "printf 'HELLO hello\\nreader\\n' > greeting.txt" } }],
  },
  { say: 'It is louder now.' },
];

/** A person looks through a result, comments on it, sends it back, and decides. Each test goes on where the one before ended. */
describe('reviewing a result in a real VS Code', function () {
  this.timeout(120_000);
  let world: DemoWorld;
  let workbench: Workbench;

  openDemo(
    onlyTask(title, { checks: ['grep -q hello greeting.txt'], steps }),
    (opened) => ({ world, workbench } = opened),
  );

  before(async () => {
    await startQueue(workbench);
    await says(/^verified · 2 files/);
  });

  const says = (words: RegExp): Promise<void> => taskSays(workbench, title, words);
  const entry = () => workbench.page.locator('.multiDiffEntry').filter({ hasText: 'greeting.txt' });
  const line = (text: string) => entry().locator('.editor.modified .view-line', { hasText: text }).first();
  /** One of the links above the details. */
  const link = (words: string) => workbench.page.locator('.codelens-decoration a').filter({ hasText: words }).first();
  const comments = () => workbench.page.locator('.review-comment');

  it('opens the changes, and what is known of them beside', async () => {
    await workbench.contextMenu('Tasks', title, 'Review');
    await line('hello').waitFor();
    await workbench
      .tab(new RegExp(`^${title}`))
      .first()
      .waitFor();
    await workbench.page.locator('.editor-instance .view-line', { hasText: 'Verdict' }).first().waitFor();
    await workbench.screenshot('review-dark');
  });

  it('keeps a comment on a line, which can be written anew, over a reload', async () => {
    await line('hello').hover();
    await entry().locator('.editor.modified .comment-range-glyph').first().click();
    const form = workbench.page.locator('.review-widget .comment-form');
    await form.locator('.monaco-editor').first().click();
    // A character in it is not seen: it joins the two pictures.
    await workbench.page.keyboard.insertText('Make it quieter, 👩\u200d💻.');
    await workbench.screenshot('comment-form-dark');
    await workbench.page.locator('.review-widget').getByRole('button', { name: 'Add Comment' }).click();
    await comments().filter({ hasText: 'Make it quieter, 👩<U+200D>💻.' }).waitFor();
    await comments().first().hover();
    await comments().first().getByRole('button', { name: 'Edit Comment' }).click();
    const edited = comments().first().locator('.edit-container .monaco-editor').first();
    await edited.click();
    assert.doesNotMatch(await edited.innerText(), /U\+200D/);
    await workbench.page.keyboard.press('Control+a');
    await workbench.page.keyboard.type('Make it louder.');
    // Meanwhile one is written beside it, from another window.
    await visiting(world.storage, async (executor) => {
      const [taskId = ''] = executor.state.tasks.keys();
      const place = { side: 'result', path: 'greeting.txt', startLine: 1, endLine: 1 } as const;
      await executor.comment(taskId, { ...place, text: 'Is it polite?' });
    });
    await comments().filter({ hasText: 'Is it polite?' }).waitFor();
    await workbench.screenshot('comment-edited-dark');
    await comments().first().getByRole('button', { name: 'Save' }).click();
    await comments().filter({ hasText: 'Make it louder.' }).waitFor();
    await workbench.screenshot('comment-dark');
    await workbench.reload();
    await workbench.openContainer('Airlock');
    await says(/^verified · 2 files/);
    // In the first seconds after a reload VS Code may call a row's command without the row, and then it asks as well.
    await workbench.command('Airlock: Review');
    await workbench.pick(title);
    await comments().filter({ hasText: 'Make it louder.' }).waitFor();
    // VS Code brings back the changes by itself, the details only the command.
    await link('Send to the Agent…').waitFor();
    await workbench.setTheme('light');
    await workbench.screenshot('comment-light');
  });

  it('sends it to the agent of the same run, and shows what comes of it', async () => {
    await link('Send to the Agent…').click();
    await workbench.answer('And nothing else.');
    await eventually(
      () => Promise.resolve(world.git('branch', '--list', 'airlock/*', '--format=%(refname:short)')),
      (branches) => branches.split('\n').length === 2,
    );
    await says(/^verified · 2 files/);
    // The keyboard comes to the details and leaves them: VS Code then forgets a change of the links that it was just told of.
    for (const group of [2, 1]) await workbench.page.keyboard.press(`Control+${group}`);
    await link('Accept Some Files…').waitFor();
    await workbench.contextMenu('Tasks', title, 'Review');
    await line('HELLO hello').waitFor();
    await workbench.screenshot('sent-back-light');
  });

  it('accepts some files from the links above the details, and takes them back', async () => {
    await link('Accept Some Files…').click();
    const choices = workbench.page.locator('.quick-input-list .monaco-list-row');
    await choices.filter({ hasText: 'notes.txt' }).click();
    await workbench.page.locator('.quick-input-action', { hasText: 'OK' }).click();
    await says(/^landed on main/);
    assert.deepEqual(world.git('diff', '--name-only', 'HEAD~1').split('\n'), ['greeting.txt']);
    await workbench.contextMenu('Tasks', title, 'Undo Accept');
    await says(/^verified · 2 files/);
  });

  it('says afterwards why an acceptance cannot be undone any more', async () => {
    await workbench.contextMenu('Tasks', title, 'Accept');
    await says(/^landed on main/);
    world.git('-c', 'user.name=U', '-c', 'user.email=u@example.invalid', 'commit', '-q', '--allow-empty', '-m', 'Mine');
    await workbench.contextMenu('Tasks', title, 'Undo Accept');
    await workbench.page
      .locator('.notification-toast', { hasText: 'has gone on since the result was accepted' })
      .waitFor();
    await workbench.screenshot('undo-too-late-light');
    await says(/^landed on main/);
    assert.equal(world.git('log', '-1', '--format=%s'), 'Mine');
  });
});
