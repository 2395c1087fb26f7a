import assert from 'node:assert/strict';
import { openDemo } from './demoWindow';
import { eventually, pictureFailure, type Workbench } from './workbench';

describe('two windows on one folder, in a real VS Code', function () {
  this.timeout(180_000);
  let first: Workbench;
  let second: Workbench;

  // Long enough that both windows are looked at, and the first one is closed, while tasks run.
  openDemo({ turnDelayMs: 1_500 }, ({ workbench }) => (first = workbench));
  before(async () => {
    second = await first.another();
    await second.openContainer('Airlock');
  });
  afterEach(function () {
    return pictureFailure(second, this.currentTest);
  });

  const rowsOf = async (workbench: Workbench): Promise<string[]> =>
    (await workbench.rows('Tasks')).map(({ label, description }) => `${label}: ${description}`);

  it('show the same tasks', async () => {
    const shown = await eventually(
      () => rowsOf(second),
      (rows) => rows.includes('Queued: 5'),
    );
    assert.deepEqual(await rowsOf(first), shown);
  });

  it('follow what is done in the other one, which works nothing itself', async () => {
    await second.contextMenu('Tasks', 'Document the options', 'Cancel Task');
    await eventually(
      () => rowsOf(first),
      (rows) => rows.some((row) => row.startsWith('Document the options: cancelled')),
    );
    await second.command('Airlock: Start Queue');
    const runsTwo = (workbench: Workbench) =>
      eventually(
        () => rowsOf(workbench),
        (rows) => rows.includes('Running: 2'),
      );
    await Promise.all([runsTwo(first), runsTwo(second)]);
    await second.setTheme('highContrast');
    await second.screenshot('tasks-high-contrast');
  });

  it('go on in the one that is left, when the one that did the work is closed', async () => {
    assert.ok((await rowsOf(second)).some((row) => row.startsWith('Running: ')));
    await first.closeWindow();
    const verdicts = ['Fix the cart total: verified', 'Add a slug for product names: verified'];
    await eventually(
      () => rowsOf(second),
      (rows) => verdicts.every((verdict) => rows.some((row) => row.startsWith(verdict))),
      120_000,
    );
    await eventually(
      () => rowsOf(second),
      (rows) => !rows.some((row) => /^(Running|Queued): /.test(row)),
      120_000,
    );
    await second.screenshot('second-window-high-contrast');
    await second.setTheme('light');
    await second.screenshot('second-window-light');
  });
});
