// A process that roams: it owns the folder when it can, and is a client of the owner otherwise. It tells its place on
// stdout whenever that changes, and adds a task for every line on stdin.
import path from 'node:path';
import { createInterface } from 'node:readline';
import { systemClock } from '../../../src/base/clock';
import { UserError } from '../../../src/base/errors';
import { silentLogger } from '../../../src/base/logger';
import type { Executor } from '../../../src/core/executor';
import { connectExecutor } from '../../../src/gateway/gatewayClient';
import { serveExecutor } from '../../../src/gateway/gatewayServer';
import { RoamingExecutor } from '../../../src/gateway/roamingExecutor';
import { lockFolder } from '../../../src/sources/zmemory/embedded/folderLock';
import { FakeExecutor } from '../../fakes/executor';

const folder = process.argv[2] ?? '';
const socketPath = path.join(folder, 'executor.sock');
const common = { version: '0.1.0', clock: systemClock, logger: silentLogger };

/** Kept, for a file that nobody holds is closed when the garbage is collected, and the lock with it. */
let held: unknown;

async function tryOwn(): Promise<Executor | undefined> {
  try {
    held = await lockFolder(path.join(folder, 'owner.lock'));
  } catch (error) {
    if (error instanceof UserError && error.code === 'zmemory-storage-in-use') return undefined;
    throw error;
  }
  const executor = new FakeExecutor();
  await serveExecutor({ ...common, executor, socketPath });
  return executor;
}

async function main(): Promise<void> {
  const executor = await RoamingExecutor.start({
    ...common,
    tryOwn,
    connect: () => connectExecutor({ ...common, socketPath }),
  });
  const tell = (): boolean =>
    process.stdout.write(`${JSON.stringify({ place: executor.place, tasks: executor.state.tasks.size })}\n`);
  executor.onDidReset(tell);
  executor.onDidAppend(tell);
  tell();
  createInterface({ input: process.stdin }).on('line', (title) => {
    // The owner may be killed between the event, which everybody sees, and its reply.
    executor.add({ title, prompt: title }).catch(() => {});
  });
}

process.on('exit', () => held);
void main();
