import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  createJails,
  makeSampleRepository,
  type SampleTask,
  sampleTasks,
  startEmbeddedServer,
  startScriptedModel,
  type EngineChoice,
} from '../../assemble';
import { systemClock } from '../../base/clock';
import { UserError } from '../../base/errors';
import { noLimits } from '../../core/budget';
import type { TaskState } from '../../core/liveState';
import { consoleLogger } from '../consoleLogger';
import { commandName } from '../words';
import { work } from '../work';
import { namedToolChains } from '../namedToolChains';

export interface DemoOptions {
  /** A folder to leave everything in, which must not exist yet; absent: a temporary one that stays until it is deleted. */
  readonly folder: string | undefined;
  readonly engine: EngineChoice | undefined;
  readonly concurrency: number;
  readonly verbose: boolean;
}

/** Works the sample tasks off from end to end. Answers 0 when they ended as foretold, 1 when not. */
export async function demo(options: DemoOptions): Promise<0 | 1> {
  await assertReady();
  const folder = await makeFolder(options.folder);
  const repository = path.join(folder, 'corner-shop');
  await makeSampleRepository(repository);
  const say = (text: string): boolean => process.stdout.write(`${text}\n`);
  const zmemory = await startEmbeddedServer({
    storage: path.join(folder, 'zmemory'),
    port: 0,
    clock: systemClock,
    logger: consoleLogger(options.verbose),
  });
  const scripted = options.engine
    ? undefined
    : await startScriptedModel({ scenarios: sampleTasks.map((task) => task.script), turnDelayMs: 150 });
  try {
    await zmemory.api.create(sampleTasks.map(({ id, description, context }) => ({ id, description, context })));
    say(`Sample repository   ${repository}`);
    say(`ZMemory server      ${zmemory.url} (${sampleTasks.length} tasks)`);
    say(
      `Model               ${scripted ? 'a bundled script that only plays a model: no AI does this work. Set ANTHROPIC_API_KEY to have Claude do it.' : 'as ANTHROPIC_API_KEY and ANTHROPIC_BASE_URL say'}\n`,
    );
    const { tasks } = await work({
      warm: 1,
      storage: path.join(folder, 'storage'),
      repositories: [repository],
      engine: options.engine ?? scriptedEngine(scripted),
      sources: [
        {
          kind: 'server',
          name: 'demo',
          url: zmemory.url,
          token: () => Promise.resolve(zmemory.token),
          agent: 'airlock-demo',
          pollMs: 2_000,
        },
      ],
      setupNetwork: [],
      personas: path.join(folder, 'personas'),
      personaNetwork: [],
      route: false,
      review: undefined,
      reviewHolds: false,
      approvals: 'unattended',
      approvalMinutes: 0,
      approvedMcp: [],
      mcpPrivateHosts: [],
      budget: noLimits,
      prices: {},
      // Whoever tries it out wants to see it run.
      maxCpu: 0,
      maxMemory: 0,
      concurrency: options.concurrency,
      untilIdle: true,
      json: false,
      verbose: options.verbose,
    });
    const backend = new Map(zmemory.api.list().map((task) => [task.id, task.status]));
    const wrong = sampleTasks.flatMap((sample) => surprise(sample, tasks, backend));
    say(`\nThe backend was told: ${sampleTasks.map(({ id }) => `${id} ${backend.get(id) ?? 'missing'}`).join(', ')}`);
    for (const line of wrong) say(`NOT AS FORETOLD  ${line}`);
    if (wrong.length === 0) say('Every sample ended as foretold.');
    say(`\nLook at a result:   git -C ${repository} log --all --stat`);
    say(`Look at one task:   ${commandName()} show fix-cart-total --storage ${path.join(folder, 'storage')}`);
    say('The same in VS Code: npm run code');
    return wrong.length === 0 ? 0 : 1;
  } finally {
    await scripted?.close();
    await zmemory.close();
  }
}

/** @throws {UserError} `jail-unavailable`, with the fix, before anything is begun. */
async function assertReady(): Promise<void> {
  const jails = createJails({ toolChains: namedToolChains(process.env) });
  try {
    const readiness = await jails.readiness();
    if (readiness.kind === 'ready') return;
    throw new UserError('jail-unavailable', `${readiness.reason} ${readiness.fix}`);
  } finally {
    await jails.shutdown();
  }
}

/** Makes the sample repository alone, for looking at it in VS Code. What is there already is left alone, with a `UserError`. */
export async function prepareDemo(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const repository = await makeFolder(path.join(folder, 'corner-shop'));
  await makeSampleRepository(repository);
  return repository;
}

function scriptedEngine(scripted: { baseUrl: string; token: string } | undefined): EngineChoice {
  if (!scripted) throw new Error('the scripted model is not there');
  return { kind: 'scripted', baseUrl: scripted.baseUrl, token: scripted.token };
}

function surprise(sample: SampleTask, tasks: readonly TaskState[], backend: ReadonlyMap<string, string>): string[] {
  const task = tasks.find(({ spec }) => spec.origin.externalId === sample.id);
  const status = task?.status ?? 'missing';
  const said = backend.get(sample.id) ?? 'missing';
  const toldRightly = said === (status === 'failed' || status === 'contradicted' ? 'failed' : 'completed');
  const asForetold = sample.expected.some((outcome) => outcome === status) && toldRightly;
  return asForetold
    ? []
    : [`${sample.id}: ${status}, told to the backend as ${said}; foretold: ${sample.expected.join(' or ')}`];
}

async function makeFolder(wanted: string | undefined): Promise<string> {
  if (wanted === undefined) return mkdtemp(path.join(tmpdir(), 'airlock-demo-'));
  try {
    await mkdir(wanted, { recursive: false });
  } catch (error) {
    throw new UserError(
      'folder-exists',
      `${wanted} cannot be made: choose a folder that does not exist yet, in one that you may write to.`,
      {},
      { cause: error },
    );
  }
  return path.resolve(wanted);
}
