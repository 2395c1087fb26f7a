import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/base/clock';
import { silentLogger } from '../../src/base/logger';
import { newId } from '../../src/base/ids';
import { implementer } from '../../src/core/builtInPersonas';
import { defaultSettings } from '../../src/executor/ports';
import { sessionPolicy } from '../../src/executor/runSession';
import { WarmSessions } from '../../src/executor/warmSessions';
import { LocalWarmMaker, type WarmPorts } from '../../src/executor/warmStart';
import { createJails } from '../../src/jail/jails';
import { createSessions } from '../../src/sessions/sessions';
import { createWorkspaces } from '../../src/workspaces/workspaces';
import { enoughRoom, MemoryLog } from '../fakes/memoryLog';
import { git, makeRepository } from '../unit/workspaces/sampleRepository';
import { type Figure, median } from './figure';

const files = 1_000;
const rounds = 5;

/**
 * From a task that begins to its proven session on a checkout of 1,000 files: with everything made for it, and with what was
 * prepared ahead, looked at and proven again. They take turns with a plain shell, so that a busy machine weighs on all alike.
 * What was measured is deleted at the end: an ext4 without a journal passes over each inode that was deleted in the last minute or
 * more (`recently_deleted` in Linux's fs/ext4/ialloc.c), and makes a new file in three times the time.
 */
export async function bench(): Promise<Figure[]> {
  const top = realpathSync(mkdtempSync(join(tmpdir(), 'airlock-bench-')));
  const jails = createJails();
  const sessions = createSessions({ jails });
  const ports = portsIn(top, jails, sessions);
  const maker = new LocalWarmMaker(ports, defaultSettings);
  const pool = { clock: systemClock, logger: silentLogger, room: enoughRoom };
  const host = { freeBytes: () => 8 * 1024 ** 3, isBusy: () => false };
  const warm = new WarmSessions(pool, defaultSettings, maker, host);
  const leftovers: (() => Promise<void>)[] = [];
  try {
    const repo = makeRepository(
      join(top, 'repo'),
      Object.fromEntries(
        Array.from({ length: files }, (_, n) => [`d${n % 40}/e${n % 13}/f${n}.txt`, `line of file ${n}\n`.repeat(40)]),
      ),
    );
    git(repo, 'repack', '-adq');
    const wish = { repo, persona: implementer, wallMs: 60_000 };
    const cold = async (): Promise<() => Promise<void>> => {
      const workspace = await ports.workspaces.create({ runId: newId('run'), repo });
      const policy = await sessionPolicy(ports, workspace, undefined, wish);
      const id = newId('session');
      const stateFolder = ports.sessionFolder(workspace.runId, id);
      const session = await sessions.open({ id, runId: workspace.runId, policy, stateFolder });
      leftovers.push(() => workspace.remove());
      return () => session.close('measured');
    };
    // The first one also loads node-pty and looks at the machine.
    await (
      await cold()
    )();
    const ms: Record<'plain' | 'cold' | 'warm', number[]> = { plain: [], cold: [], warm: [] };
    for (let round = 0; round < rounds; round += 1) {
      for (let time = 0; time < 5; time += 1) await timed(ms.plain, plainShell);
      await (
        await timed(ms.cold, cold)
      )();
      warm.expect(wish);
      while (warm.size === 0) await new Promise((resolve) => setTimeout(resolve, 20));
      const claimed = await timed(ms.warm, () => warm.claim(wish));
      if (!claimed) throw new Error('what was prepared ahead was thrown away');
      await claimed.session.close('measured');
      leftovers.push(() => maker.discard(claimed, 'measured'));
    }
    const plain = median(ms.plain);
    const row = (name: string, values: readonly number[], most: number): Figure => ({
      name: `session ready, ${name}, ${files.toLocaleString('en')} files`,
      value: median(values),
      unit: 'ms',
      note: `${(median(values) / plain).toFixed(1)} × sh -c true (${plain.toFixed(2)} ms), at most ${most}`,
    });
    return [row('cold', ms.cold, 100), row('warm', ms.warm, 25)];
  } finally {
    for (const remove of leftovers) await remove();
    await warm.shutdown();
    await sessions.shutdown();
    await jails.remove(join(top, 'storage'));
    await jails.shutdown();
    rmSync(top, { recursive: true, force: true });
  }
}

function portsIn(top: string, jails: WarmPorts['jails'], sessions: WarmPorts['sessions']): WarmPorts {
  const storage = join(top, 'storage');
  const runFolder = (runId: string): string => join(storage, 'runs', runId);
  return {
    events: new MemoryLog(systemClock),
    jails,
    sessions,
    workspaces: createWorkspaces({ jails, storage }),
    // It has no program of its own in the jail.
    engine: {} as WarmPorts['engine'],
    tools: [],
    runFolder,
    sessionFolder: (runId, sessionId) => join(runFolder(runId), 'session', sessionId),
    engineFolder: (runId) => join(runFolder(runId), 'engine'),
    logger: silentLogger,
  };
}

async function plainShell(): Promise<void> {
  await once(spawn('/bin/sh', ['-c', 'true'], { stdio: 'ignore', env: {} }), 'close');
}

async function timed<T>(times: number[], action: () => Promise<T>): Promise<T> {
  const startMs = performance.now();
  const result = await action();
  times.push(performance.now() - startMs);
  return result;
}
