import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { newId } from '../../src/base/ids';
import { type JailPolicy, jailPolicySchema } from '../../src/core/jailPolicy';
import type { Session } from '../../src/core/session';
import { createJails, type LocalJails } from '../../src/jail/jails';
import { createSessions } from '../../src/sessions/sessions';
import { type Figure, median, percentile } from './figure';

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

/** How old a line is when the terminal has it: each is the time at which it was printed, by the clock that both sides have. */
async function latencyFigures(session: Session): Promise<Figure[]> {
  const ages: number[] = [];
  const watch = session.terminal.onDidOutput((text) => {
    for (const [, printedMs] of text.matchAll(/^(\d{13})\r?$/gm)) ages.push(Date.now() - Number(printedMs));
  });
  await session.exec('for n in {1..60}; do date +%s%3N; sleep 0.05; done', options);
  watch.dispose();
  return [
    {
      name: 'a line in the terminal after it was printed, p95',
      value: percentile(ages, 0.95),
      unit: 'ms',
      note: 'at most 50',
    },
  ];
}

/** 1 GiB of output in one command: what it does to this process, and what a terminal gets of it. */
async function floodFigures(session: Session): Promise<Figure[]> {
  let shownBytes = 0;
  const watch = session.terminal.onDidOutput((text) => (shownBytes += text.length));
  const before = process.memoryUsage.rss();
  let peak = before;
  const timer = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 20);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const floodMs = await timed(() =>
    session.exec('yes 0123456789012345678901234567890123456789 | head -c 1073741824', {
      timeoutMs: 300_000,
      maxOutputBytes: 48_000,
    }),
  );
  delay.disable();
  clearInterval(timer);
  watch.dispose();
  const perSecond = (bytes: number): number => bytes / 1e6 / (floodMs / 1000);
  return [
    { name: 'memory growth in a flood of 1 GiB', value: (peak - before) / 2 ** 20, unit: 'MiB', note: 'at most 32' },
    { name: 'event loop delay in it, p99', value: delay.percentile(99) / 1e6, unit: 'ms', note: 'at most 50' },
    { name: 'shown of it in the terminal', value: perSecond(shownBytes), unit: 'MB/s', note: 'at most 4' },
    { name: 'taken of it, recorded up to the cap', value: perSecond(2 ** 30), unit: 'MB/s' },
  ];
}

/**
 * `true` in each of 20 sessions at the same time, against one of them alone. The two take turns, so that whatever else the
 * machine does weighs on both.
 */
async function manyFigures(open: () => Promise<Session>): Promise<Figure[]> {
  const all = [await open()];
  const readyMs = await timed(async () => {
    all.push(...(await Promise.all(Array.from({ length: 19 }, open))));
  });
  const alone: number[] = [];
  const together: number[] = [];
  const timedTrue = (session: Session): Promise<number> => timed(() => session.exec('true', options));
  for (let round = 0; round < rounds; round += 1) {
    for (const session of all.slice(0, 5)) alone.push(await timedTrue(session));
    together.push(...(await Promise.all(all.map(timedTrue))));
  }
  const closeMs = await timed(() => Promise.all(all.map((session) => session.close('measured'))));
  const [one, each] = [percentile(alone, 0.95), percentile(together, 0.95)];
  const ratio = `${(each / one).toFixed(1)} × one alone, at most 10`;
  return [
    { name: '19 more sessions ready at once', value: readyMs, unit: 'ms' },
    { name: 'true in one of 20 sessions alone, p95', value: one, unit: 'ms' },
    { name: 'true in each of 20 sessions at once, p95', value: each, unit: 'ms', note: ratio },
    { name: '20 sessions closed at once', value: closeMs, unit: 'ms' },
  ];
}

/** How long it takes to end a session whose processes have all left their parents. */
async function crowdFigures(open: () => Promise<Session>): Promise<Figure[]> {
  const times: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    const session = await open();
    await session.exec('for i in $(seq 100); do setsid sleep 600 & done', options);
    times.push(await timed(() => session.close('measured')));
  }
  return [
    {
      name: 'session with 100 processes closed, the slowest of 5',
      value: Math.max(...times),
      unit: 'ms',
      note: 'at most 200',
    },
  ];
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
  const figure = (name: string, ms: readonly number[], bound = ''): Figure => ({
    name,
    value: median(ms),
    unit: 'ms',
    note: `${(median(ms) / plainMs).toFixed(2)} × sh -c true${bound}`,
  });
  return [
    { name: 'sh -c true, no jail', value: plainMs, unit: 'ms' },
    figure('true in a living jailed shell', kinds.living.ms, ', at most 0.6'),
    figure('/bin/true in a living jailed shell', kinds.program.ms),
    figure('sh -c true, one jail per command', kinds.fresh.ms, ', at most 6'),
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
    const latency = await latencyFigures(session);
    const flood = await floodFigures(session);
    await session.close('measured');
    const many = [...(await crowdFigures(open)), ...(await manyFigures(open))];
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
      ...latency,
      ...flood,
      ...many,
    ];
  } finally {
    await sessions.shutdown();
    await jails.shutdown();
    await rm(folder, { recursive: true, force: true });
  }
}
