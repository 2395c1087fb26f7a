import { makeDemoWorld } from '../ui/demoWorld';
import { onlyTask, startQueue, taskSays } from '../ui/demoWindow';
import { Workbench } from '../ui/workbench';
import { type Figure, median } from './figure';

const title = 'Greet the reader';
const ownCommand = 'File: Compare Active File with Saved';
const rounds = 5;

/**
 * From the user's choice to the text on the screen, in a real VS Code: the diff of a result that has just been verified, and a diff of
 * VS Code's own. They take turns, so that a busy machine weighs on both alike.
 */
export async function bench(): Promise<Figure[]> {
  const work = { say: 'I write it.', calls: [{ tool: 'bash', input: { command: 'echo hello > greeting.txt' } }] };
  const task = onlyTask(title, { checks: ['grep -q hello greeting.txt'], steps: [work, { say: 'Done.' }] });
  const world = await makeDemoWorld(task);
  const { folder, env, settings, repository } = world;
  let workbench: Workbench | undefined;
  try {
    workbench = await Workbench.open({ folder, env, settings, workspace: repository });
    await workbench.openContainer('Airlock');
    await startQueue(workbench);
    await taskSays(workbench, title, /^verified/);
    const ms: Record<'result' | 'own', number[]> = { result: [], own: [] };
    // The first round loads what shows diffs, and does not count.
    for (let round = 0; round <= rounds; round += 1) {
      const times = [await ownDiff(workbench), await resultDiff(workbench)] as const;
      if (round === 0) continue;
      ms.own.push(times[0]);
      ms.result.push(times[1]);
    }
    const [own, result] = [median(ms.own), median(ms.result)];
    const note = `${(result / own).toFixed(2)} × a diff of one file by VS Code itself (${own.toFixed(0)} ms)`;
    return [
      { name: 'review of a verified result, from the choice to its diff on screen', value: result, unit: 'ms', note },
    ];
  } finally {
    await workbench?.close();
    await world.close();
  }
}

async function resultDiff(workbench: Workbench): Promise<number> {
  const { page } = workbench;
  await workbench.command('Airlock: Review');
  const line = page.locator('.multiDiffEntry .editor.modified .view-line', { hasText: 'hello' }).first();
  return timed(workbench, title, () => line.waitFor());
}

async function ownDiff(workbench: Workbench): Promise<number> {
  const { page } = workbench;
  await page.keyboard.press('Control+p');
  await workbench.answer('README.md', { confirm: false });
  await workbench.pick('README.md');
  await page.locator('.editor-instance .view-line').first().waitFor();
  await workbench.offer(ownCommand);
  const line = page
    .locator('.diff-editor .editor.modified .view-line, .monaco-diff-editor .modified .view-line')
    .first();
  return timed(workbench, ownCommand, () => line.waitFor());
}

/** From the click on a choice until `isShown`; everything is closed afterwards. */
async function timed(workbench: Workbench, choice: string, isShown: () => Promise<void>): Promise<number> {
  const startMs = performance.now();
  await workbench.pick(choice);
  await isShown();
  const tookMs = performance.now() - startMs;
  await workbench.command('View: Close All Editors');
  return tookMs;
}
