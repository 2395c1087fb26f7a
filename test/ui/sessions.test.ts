import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { onlyTask, openDemo } from './demoWindow';
import type { DemoWorld } from './demoWorld';
import { eventually, type TreeRow, type Workbench } from './workbench';

const title = 'Keep the note';
const words = 'typed-by-hand';

/** The agent waits in its jail for a file that nobody makes but the user. */
const steps = [
  {
    say: 'I wait for the note.',
    calls: [{ tool: 'bash', input: { command: 'until [ -s note.txt ]; do sleep 0.2; done; cat note.txt' } }],
  },
  { say: 'The note is there.' },
];

describe('the sessions in a real VS Code', function () {
  this.timeout(120_000);
  let world: DemoWorld;
  let workbench: Workbench;

  openDemo(
    onlyTask(title, { checks: [`grep -q ${words} note.txt`], steps }),
    (opened) => ({ world, workbench } = opened),
  );

  const rows = (): Promise<TreeRow[]> => workbench.rows('Sessions');
  /** The group that is shown and the description of its one row. */
  const only = async (): Promise<string> => {
    const [group, row] = await rows();
    return `${group?.label ?? ''}: ${row?.description ?? ''}`;
  };

  it('are explained while there are none', async () => {
    const text = await eventually(
      () => workbench.pane('Sessions').locator('.welcome-view-content').innerText(),
      (shown) => shown !== '',
    );
    await eventually(
      () => workbench.rows('Tasks'),
      (shown) => shown.length > 0,
    );
    assert.match(text, /^No session yet\. Each running task has one/);
    await workbench.screenshot('sessions-empty-dark');
  });

  it('show what a living one works on and does', async () => {
    await workbench.command('Airlock: Start Queue');
    await eventually(only, (shown) => /^Living: working · /.test(shown), 60_000);
    const [group, row] = await rows();
    assert.deepEqual([group?.description, row?.label], ['1', title]);
    const label = await workbench.row('Sessions', title).getAttribute('aria-label');
    assert.match(label ?? '', new RegExp(`^${title}, living session, working · `));
  });

  it('show what a living one uses, and go on doing so', async () => {
    const shown = /^Living: working · \d+ MiB · \d+ % · (?:just now|\d+ min)$/;
    const first = await eventually(only, (text) => shown.test(text), 30_000);
    await eventually(only, (text) => shown.test(text) && text !== first, 60_000);
    for (const theme of ['light', 'dark'] as const) {
      await workbench.setTheme(theme);
      await workbench.screenshot(`sessions-${theme}`);
    }
  });

  it('give the user the keyboard in the jail: what is typed there happens in the workspace', async () => {
    await workbench.contextMenu('Sessions', title, 'Take Over Terminal');
    await eventually(only, (shown) => /^Living: you have the keyboard/.test(shown));
    await workbench.focusTerminal();
    // In two parts, so that what is seen is what the shell has said, and not what was typed.
    await workbench.page.keyboard.type(`printf '%s-%s\\n' typed by-hand | tee note.txt\n`);
    await eventually(
      () => workbench.terminalText(),
      (shown) => shown.split('\n').includes(words),
    );
    assert.deepEqual(notes(), [`${words}\n`]);
    await workbench.screenshot('sessions-taken-dark');
  });

  it('let the agent go on when the user gives it back, and say how they ended', async () => {
    await workbench.contextMenu('Sessions', title, 'Give Back Terminal');
    await eventually(only, (shown) => /^Ended: the agent is done · \d/.test(shown), 60_000);
    const tasks = await eventually(
      () => workbench.rows('Tasks'),
      (shown) => shown[0]?.label === 'Done',
    );
    assert.match(tasks[1]?.description ?? '', /^verified/);
  });

  it('are there after a reload, and can be replayed then', async () => {
    await workbench.reload();
    await workbench.openContainer('Airlock');
    await eventually(only, (shown) => /^Ended: the agent is done/.test(shown));
    await workbench.contextMenu('Sessions', title, 'Replay Recording');
    const text = await eventually(
      () => workbench.terminalText(),
      (shown) => shown.includes('Session ended'),
    );
    assert.ok(text.split('\n').includes(words), text);
    for (const theme of ['light', 'dark'] as const) {
      await workbench.setTheme(theme);
      await workbench.screenshot(`sessions-ended-${theme}`);
    }
  });

  it('lead to their task', async () => {
    await workbench.contextMenu('Sessions', title, 'Go to Task');
    await eventually(
      () => workbench.row('Tasks', title).getAttribute('aria-selected'),
      (selected) => selected === 'true',
    );
  });

  /** What the host sees of the note in all workspaces: that of the run, and the one that is ready for the next task. */
  function notes(): string[] {
    const runs = path.join(world.storage, 'runs');
    const files = fs.readdirSync(runs).map((run) => path.join(runs, run, 'workspace', 'note.txt'));
    return files.filter((file) => fs.existsSync(file)).map((file) => fs.readFileSync(file, 'utf8'));
  }
});
