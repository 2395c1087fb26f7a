import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newId } from '../../src/base/ids';
import { type JailPolicy, jailPolicySchema } from '../../src/core/jailPolicy';
import type { Session } from '../../src/core/session';
import { createJails, type LocalJails } from '../../src/jail/jails';
import { createSessions } from '../../src/sessions/sessions';

interface Figure {
  name: string;
  value: number;
  unit: string;
  note?: string;
}

const rounds = 60;
const sessionRounds = 9;
const options = { timeoutMs: 10_000, maxOutputBytes: 10_000 };

async function plainShell(): Promise<void> {
  await once(spawn('/bin/sh', ['-c', 'true'], { stdio: 'ignore', env: {} }), 'close');
}

async function timed(action: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await action();
  return performance.now() - startMs;
}

/** How much larger the process is at its largest than it was before. */
async function memoryGrowthMiB(action: () => Promise<unknown>): Promise<number> {
  const before = process.memoryUsage.rss();
  let peak = before;
  const timer = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 20);
  try {
    await action();
  } finally {
    clearInterval(timer);
  }
  return (peak - before) / 2 ** 20;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** The kinds take turns, so that whatever else the machine does weighs on all of them alike. */
async function commandFigures(session: Session, jails: LocalJails, policy: JailPolicy): Promise<Figure[]> {
  const kinds = {
    plain: { ms: [] as number[], run: plainShell },
    living: { ms: [] as number[], run: () => session.exec('true', options) },
    program: { ms: [] as number[], run: () => session.exec('/bin/true', options) },
    fresh: { ms: [] as number[], run: () => jails.run({ policy, argv: ['/bin/sh', '-c', 'true'] }) },
    file: { ms: [] as number[], run: () => session.files.read('file', { maxBytes: 1000 }) },
  };
  for (let round = 0; round < rounds; round += 1) {
    for (const kind of Object.values(kinds)) kind.ms.push(await timed(kind.run));
  }
  const plainMs = median(kinds.plain.ms);
  const figure = (name: string, ms: readonly number[]): Figure => ({
    name,
    value: median(ms),
    unit: 'ms',
    note: `${(median(ms) / plainMs).toFixed(2)} × sh -c true`,
  });
  return [
    { name: 'sh -c true, no jail', value: plainMs, unit: 'ms' },
    figure('true in a living jailed shell', kinds.living.ms),
    figure('/bin/true in a living jailed shell', kinds.program.ms),
    figure('sh -c true, one jail per command', kinds.fresh.ms),
    figure('a small file read through the jail', kinds.file.ms),
  ];
}

export async function bench(): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'airlock-bench-'));
  const jails = createJails();
  const sessions = createSessions({ jails });
  try {
    const account = newId('run');
    const workspace = join(folder, 'workspace');
    await mkdir(workspace);
    await jails.handOver(workspace, account);
    const policy = jailPolicySchema.parse({
      account,
      mounts: [{ from: workspace, at: '/workspace', access: 'write' }],
    });
    const open = (): Promise<Session> =>
      sessions.open({ id: newId('session'), runId: account, policy, stateFolder: join(folder, newId('state')) });
    // The first one also loads node-pty and looks at the machine.
    await (await open()).close('warm-up');
    const readyMs: number[] = [];
    const closeMs: number[] = [];
    for (let round = 0; round < sessionRounds; round += 1) {
      let session: Session | undefined;
      readyMs.push(await timed(async () => (session = await open())));
      closeMs.push(await timed(async () => session?.close('measured')));
    }
    const session = await open();
    await session.files.write('file', Buffer.from('some words\n'));
    const commands = await commandFigures(session, jails, policy);
    const floodMs = await timed(() => session.exec('head -c 200000000 /dev/zero', { ...options, timeoutMs: 60_000 }));
    const floodGrowthMiB = await memoryGrowthMiB(() =>
      session.exec('yes 0123456789012345678901234567890123456789 | head -c 1073741824', {
        timeoutMs: 300_000,
        maxOutputBytes: 48_000,
      }),
    );
    const crowd = await open();
    await crowd.exec('for i in $(seq 100); do setsid sleep 600 & done', options);
    const crowdMs = await timed(() => crowd.close('measured'));
    const plainMs = commands[0]?.value ?? Number.NaN;
    return [
      ...commands,
      {
        name: 'session ready, cold, proof included',
        value: median(readyMs),
        unit: 'ms',
        note: `${(median(readyMs) / plainMs).toFixed(0)} × sh -c true`,
      },
      { name: 'session closed', value: median(closeMs), unit: 'ms' },
      { name: 'session with 100 processes closed', value: crowdMs, unit: 'ms' },
      {
        name: 'memory growth in a flood of 1 GiB',
        value: floodGrowthMiB,
        unit: 'MiB',
        note: 'at its peak, of the whole process',
      },
      { name: 'output of a command, shown and recorded', value: 200 / (floodMs / 1000), unit: 'MB/s' },
    ];
  } finally {
    await sessions.shutdown();
    await jails.shutdown();
    await rm(folder, { recursive: true, force: true });
  }
}
