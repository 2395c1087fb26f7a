import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { systemClock } from '../../src/base/clock';
import { silentLogger } from '../../src/base/logger';
import { startEmbeddedServer, startScriptedModel } from '../../src/assemble';
import { prepareDemo } from '../../src/cli/demo/demo';
import { sampleTasks } from '../../src/engines/scripted/sampleTasks';
import type { Scenario } from '../../src/engines/scripted/scenario';
import { scriptedModelName } from '../../src/engines/scripted/scriptedModel';

/** What VS Code names the extension's own storage folder. */
const extensionId = 'airlock.airlock';

export interface DemoWorld {
  /** The sample repository: the folder to open. */
  readonly repository: string;
  /** For `startServer`: the folder of home, settings and extensions. */
  readonly folder: string;
  /** For `startServer`: how the extension host finds the model. */
  readonly env: Readonly<Record<string, string>>;
  readonly settings: Readonly<Record<string, unknown>>;
  /** The extension's storage. */
  readonly storage: string;
  /** What git says in the repository, without the white space round it. */
  readonly git: (...args: string[]) => string;
  /** Ends the model, and deletes everything. */
  close(): Promise<void>;
}

export interface DemoWorldOptions {
  /** How long the scripted model takes for an answer. */
  readonly turnDelayMs?: number;
  /** Leave the model to the environment's own `ANTHROPIC_*`. */
  readonly realModel?: boolean;
  /** What waits in the embedded ZMemory. Default: the sample tasks. */
  readonly tasks?: readonly NewZMemoryTask[];
  /** What the scripted model plays. Default: the sample tasks' own. */
  readonly scenarios?: readonly Scenario[];
}

/**
 * What `airlock demo` works on, for a VS Code: the sample repository, the sample tasks in the extension's own embedded
 * ZMemory, and a scripted model.
 */
export async function makeDemoWorld(options: DemoWorldOptions = {}): Promise<DemoWorld> {
  // Short: sockets are made below it, and their paths are at most 107 bytes.
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'ald-'));
  const repository = await prepareDemo(path.join(root, 'repo'));
  const folder = path.join(root, 'vs');
  const storage = path.join(folder, 'd', 'User', 'globalStorage', extensionId);
  await queue(storage, options.tasks ?? sampleTasks);
  const model = options.realModel
    ? undefined
    : await startScriptedModel({
        scenarios: options.scenarios ?? sampleTasks.map((task) => task.script),
        turnDelayMs: options.turnDelayMs ?? 0,
      });
  return {
    repository,
    folder,
    storage,
    git: (...args) => execFileSync('git', args, { cwd: repository, encoding: 'utf8' }).trim(),
    env: model ? { ANTHROPIC_BASE_URL: model.baseUrl, ANTHROPIC_AUTH_TOKEN: model.token, ANTHROPIC_API_KEY: '' } : {},
    settings: model ? { 'airlock.engine.model': scriptedModelName } : {},
    async close() {
      await model?.close();
      fs.rmSync(root, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

/** A task as a ZMemory server has it. */
export interface NewZMemoryTask {
  readonly id: string;
  readonly description: string;
  readonly context: Readonly<Record<string, unknown>>;
}

/** Puts tasks into the embedded server that the extension will open. */
async function queue(storage: string, tasks: readonly NewZMemoryTask[]): Promise<void> {
  fs.mkdirSync(storage, { recursive: true, mode: 0o700 });
  const server = await startEmbeddedServer({
    storage: path.join(storage, 'zmemory'),
    port: 0,
    clock: systemClock,
    logger: silentLogger,
  });
  try {
    await server.api.create(tasks.map(({ id, description, context }) => ({ id, description, context })));
  } finally {
    await server.close();
  }
}
