// A process of its own that tries to own a storage folder: `once` says what it got, `until-owner` tries until it has it.
// It speaks JSON lines, and ends when its stdin does.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { acquireOwnership } from '../../../src/store/ownership';

const [storage = '', how = 'once', ...rest] = process.argv.slice(2);

function say(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

function ownStartTicks(): number {
  const stat = readFileSync('/proc/self/stat', 'latin1');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
}

async function contend(): Promise<void> {
  const identity = { pid: process.pid, startTicks: ownStartTicks(), bootId: 'boot' };
  for (;;) {
    const ownership = await acquireOwnership({ storage, process: identity });
    if (ownership.kind === 'owner') {
      const child = rest.includes('with-child')
        ? spawn('sleep', ['600'], { stdio: 'ignore', detached: true })
        : undefined;
      say({ kind: 'owner', info: ownership.info, child: child?.pid ?? null });
      if (rest.includes('release')) await ownership.release();
      return;
    }
    if (how === 'once') {
      say(ownership);
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

process.stdin.on('end', () => process.exit(0)).resume();
contend().catch((error: unknown) => {
  say({ kind: 'failed', message: String(error) });
  process.exit(1);
});
