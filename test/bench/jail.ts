import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jailPolicySchema } from '../../src/core/jailPolicy';
import { createJails } from '../../src/jail/jails';
import { type Figure, median } from './figure';

const rounds = 60;

/** One jail per command against a plain shell, one after the other in the same run, so that a busy machine slows both. */
export async function bench(): Promise<Figure[]> {
  const jails = createJails();
  const workspace = await mkdtemp(join(tmpdir(), 'airlock-bench-'));
  try {
    await jails.handOver(workspace, 'bench');
    const policy = jailPolicySchema.parse({
      account: 'bench',
      mounts: [{ from: workspace, at: '/workspace', access: 'write' }],
    });
    const shell: number[] = [];
    const jail: number[] = [];
    const proof: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      shell.push(await timed(plainShell));
      jail.push(await timed(() => jails.run({ policy, argv: ['/bin/sh', '-c', 'true'] })));
      if (round % 6 === 0) proof.push(await timed(() => jails.prove(policy)));
    }
    const unit = median(shell);
    return [
      { name: 'sh -c true', value: unit, unit: 'ms' },
      { name: 'sh -c true, in a jail of its own', value: median(jail), unit: 'ms' },
      { name: 'a jail of its own / plain', value: median(jail) / unit, unit: '×', note: 'at most 6' },
      { name: 'proof of a jail, start and end of the jail included', value: median(proof), unit: 'ms' },
    ];
  } finally {
    await jails.remove(workspace);
    await jails.shutdown();
    await rm(workspace, { recursive: true, force: true });
  }
}

function plainShell(): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile('/bin/sh', ['-c', 'true'], { env: {} }, (error) => {
      if (error instanceof Error) reject(error);
      else resolve();
    });
  });
}

async function timed(action: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await action();
  return performance.now() - startedMs;
}
