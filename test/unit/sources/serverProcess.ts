// An embedded server in a process of its own, which says where it listens.
import { systemClock } from '../../../src/base/clock';
import { silentLogger } from '../../../src/base/logger';
import { startEmbeddedServer } from '../../../src/sources/zmemory/embeddedServer';

async function main(): Promise<void> {
  const storage = process.argv[2] ?? '';
  const { url, token } = await startEmbeddedServer({ storage, port: 0, clock: systemClock, logger: silentLogger });
  process.stdout.write(`${JSON.stringify({ url, token })}\n`);
}

void main();
