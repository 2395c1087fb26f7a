import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { moveToExt4 } from '../fakes/ext4Image';
import { onlyTask, openDemo, startQueue, taskSays } from './demoWindow';
import type { DemoWorld } from './demoWorld';
import { eventually, type Workbench } from './workbench';

const title = 'Take a while';

describe('a storage that takes no writes, in a real VS Code', function () {
  this.timeout(180_000);
  let world: DemoWorld;
  let workbench: Workbench;
  let hasExt4 = false;

  openDemo(
    onlyTask(title, {
      checks: [],
      steps: [
        { say: 'It takes a while.', calls: [{ tool: 'bash', input: { command: 'sleep 90' } }] },
        { say: 'Done.' },
      ],
    }),
    (opened) => ({ world, workbench } = opened),
    (made) => {
      hasExt4 = moveToExt4(made.storage, path.join(made.folder, 'storage.ext4'));
      return {};
    },
  );

  const setFrozen = (sign: '+' | '-'): boolean => {
    const parts = ['journal', 'blobs'].map((name) => path.join(world.storage, name));
    return spawnSync('chattr', ['-R', `${sign}i`, ...parts]).status === 0;
  };
  afterEach(() => {
    setFrozen('-');
    if (hasExt4) spawnSync('umount', ['--lazy', world.storage]);
  });

  it('is said by the command that is refused and above the tree, and no longer when it takes them again', async function () {
    if (!hasExt4) return this.skip();
    await startQueue(workbench);
    await taskSays(workbench, title, /sleep/);
    if (!setFrozen('+')) {
      process.stdout.write('    SKIPPED: files cannot be made immutable here (this needs root and chattr +i)\n');
      return this.skip();
    }
    await workbench.contextMenu('Tasks', title, 'Pause Task');
    const cannotWrite = /^Nothing can be written to the storage folder .* \(EPERM: /;
    await eventually(
      () => workbench.notifications(),
      (texts) => texts.some((text) => cannotWrite.test(text)),
    );
    const message = (): Promise<string> => workbench.pane('Tasks').locator('.message').innerText();
    await eventually(message, (text) => cannotWrite.test(text));
    for (const theme of ['light', 'dark'] as const) {
      await workbench.setTheme(theme);
      await workbench.screenshot(`storage-lost-${theme}`);
    }
    setFrozen('-');
    await eventually(message, (text) => text === '');
    // The interrupted command is not done again, so it may be over already: no check of the sample passes.
    await taskSays(workbench, title, /sleep|goes on|running|contradicted/i);
  });
});
