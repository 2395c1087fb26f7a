import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { root, stageExtension } from '../../scripts/vscode.mjs';
import { bundleForHost, runInHost, silence } from './activationHost/runInHost';
import type { Figure } from './figure';

const minuteSchema = z.object({ cpuPercent: z.number(), growthMiB: z.number(), residentMiB: z.number() });

/** A minute of an extension host in which nothing happens, before and after Airlock is active with its executor open. */
export async function bench(): Promise<Figure[]> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ali-'));
  try {
    const out = path.join(folder, 'figures.json');
    const tests = path.join(folder, 'measure.js');
    await bundleForHost('measureIdle.ts', tests);
    const staged = stageExtension(path.join(folder, 'airlock'));
    silence(path.join(staged, 'package.json'));
    await runInHost({
      extension: staged,
      development: path.join(root, 'test', 'bench', 'emptyExtension'),
      tests,
      env: { AIRLOCK_BENCH_OUT: out },
    });
    const { before, active } = z
      .object({ before: minuteSchema, active: minuteSchema })
      .parse(JSON.parse(fs.readFileSync(out, 'utf8')));
    return [
      { name: 'CPU of an idle extension host, Airlock active', value: active.cpuPercent, unit: '%' },
      { name: 'CPU of an idle extension host, Airlock not active yet', value: before.cpuPercent, unit: '%' },
      { name: 'growth of the host in that minute, Airlock active', value: active.growthMiB, unit: 'MiB' },
      { name: 'resident memory that Airlock adds', value: active.residentMiB - before.residentMiB, unit: 'MiB' },
    ];
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}
