import type { Scenario } from '../../src/engines/scripted/scenario';
import { type DemoWorld, type DemoWorldOptions, makeDemoWorld } from './demoWorld';
import { eventually, pictureFailure, Workbench, type WorkbenchOptions } from './workbench';

export interface DemoWindow {
  readonly world: DemoWorld;
  readonly workbench: Workbench;
}

/**
 * Opens, before the tests of a suite, a VS Code with Airlock's views on a demo world of its own; keeps a picture of it when a test
 * fails, and ends and deletes all of it after them.
 * @param prepare What else the world is made of, and what else the window is opened with.
 */
export function openDemo(
  options: DemoWorldOptions,
  take: (opened: DemoWindow) => void,
  prepare: (world: DemoWorld) => Partial<WorkbenchOptions> = () => ({}),
): void {
  let world: DemoWorld | undefined;
  let workbench: Workbench | undefined;

  before(async () => {
    world = await makeDemoWorld(options);
    const { folder, env, settings, repository } = world;
    workbench = await Workbench.open({ folder, env, settings, workspace: repository, ...prepare(world) });
    await workbench.openContainer('Airlock');
    take({ world, workbench });
  });

  afterEach(function () {
    return pictureFailure(workbench, this.currentTest);
  });

  after(async () => {
    await workbench?.close();
    await world?.close();
  });
}

/** A demo world with one task, whose agent takes these steps. */
export function onlyTask(title: string, { checks, steps }: OnlyTask): DemoWorldOptions {
  return {
    scenarios: [{ name: 'only', marker: title, steps }],
    tasks: [{ id: 'only', description: title, context: { checks } }],
  };
}

interface OnlyTask {
  readonly checks: readonly string[];
  readonly steps: Scenario['steps'];
}

/** Waits until the row of the task says so. */
export async function taskSays(workbench: Workbench, title: string, words: RegExp): Promise<void> {
  await eventually(
    async () => (await workbench.rows('Tasks')).find(({ label }) => label === title)?.description ?? '',
    (description) => words.test(description),
    60_000,
  );
}

/** Starts the queue once it has tasks. */
export async function startQueue(workbench: Workbench): Promise<void> {
  await eventually(
    () => workbench.rows('Tasks'),
    (rows) => rows.length > 0,
  );
  await workbench.command('Airlock: Start Queue');
}
