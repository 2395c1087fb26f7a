// Fills a small file system of its own with tasks, and tells what came of it.
import { execFileSync } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { systemClock } from '../../../src/base/clock';
import { UserError } from '../../../src/base/errors';
import { EmbeddedZMemory } from '../../../src/sources/zmemory/embedded/embeddedZMemory';

async function main(): Promise<void> {
  const folder = process.argv[2] ?? '';
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder]);
  const ballast = path.join(folder, 'ballast');
  await writeFile(ballast, Buffer.alloc(16 * 1024));
  const tasks = await EmbeddedZMemory.open(folder, systemClock);
  const put = async (): Promise<string | undefined> => {
    try {
      await tasks.create([{ description: 'x'.repeat(3_000) }]);
      return undefined;
    } catch (error) {
      return error instanceof UserError ? error.code : String(error);
    }
  };
  let stored = 0;
  let code = await put();
  for (; code === undefined; code = await put()) stored += 1;
  const codes = [code, await put()];
  const keptInMemory = tasks.list().length === stored;
  await rm(ballast);
  const takesMore = (await put()) === undefined;
  await tasks.close();
  const again = await EmbeddedZMemory.open(folder, systemClock);
  const keptOnDisk = stored > 0 && again.list().length === stored + 1;
  await again.close();
  process.stdout.write(JSON.stringify({ codes, keptInMemory, keptOnDisk, takesMore }));
}

void main();
