import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { root, stageExtension } from '../../scripts/vscode.mjs';
import { bundleForHost, runInHost, silence } from './activationHost/runInHost';
import { type Figure, median } from './figure';

/** By the extension's id. */
const sampleSchema = z.record(z.string(), z.object({ wallMs: z.number(), cpuMs: z.number() }));
type Sample = z.infer<typeof sampleSchema>;

/** Each in a new extension host, since an extension is activated once. */
const rounds = 5;
const airlock = 'airlock.airlock';
const empty = 'airlock-bench.empty';

/** Activation in a real extension host, beside an empty extension's in the same host, and the sizes of the bundles. */
export async function bench(): Promise<Figure[]> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'alb-'));
  try {
    const sources = await makeExtensions(folder);
    const samples: Sample[] = [];
    for (let round = 0; round < rounds; round += 1) samples.push(await measure(folder, sources, round));
    const of = (name: string, what: 'wallMs' | 'cpuMs'): number =>
      median(samples.map((sample) => sample[name]?.[what] ?? Number.NaN));
    const note = `median of ${rounds} new extension hosts`;
    return [
      { name: 'activation of the extension', value: of(airlock, 'wallMs'), unit: 'ms', note },
      { name: 'activation of an empty extension', value: of(empty, 'wallMs'), unit: 'ms', note },
      // On a busy machine the time is mostly waiting; this is not.
      { name: 'CPU of the host: the extension', value: of(airlock, 'cpuMs'), unit: 'ms', note },
      { name: 'CPU of the host: an empty extension', value: of(empty, 'cpuMs'), unit: 'ms', note },
      ...bundleSizes(),
    ];
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

interface Sources {
  readonly airlock: string;
  readonly empty: string;
  readonly tests: string;
}

/** Both without activation events: then nothing activates them but the measurement. */
async function makeExtensions(folder: string): Promise<Sources> {
  const staged = stageExtension(path.join(folder, 'airlock'));
  const bare = path.join(folder, 'empty');
  fs.cpSync(path.join(root, 'test', 'bench', 'emptyExtension'), bare, { recursive: true });
  for (const each of [staged, bare]) silence(path.join(each, 'package.json'));
  const tests = path.join(folder, 'measure.js');
  await bundleForHost('measure.ts', tests);
  return { airlock: staged, empty: bare, tests };
}

async function measure(folder: string, sources: Sources, round: number): Promise<Sample> {
  const out = path.join(folder, `figures-${round}.json`);
  // The empty one first: it takes what the host's very first activation costs.
  const env = { AIRLOCK_BENCH_EXTENSIONS: [empty, airlock].join(','), AIRLOCK_BENCH_OUT: out };
  await runInHost({ extension: sources.airlock, development: sources.empty, tests: sources.tests, env });
  return sampleSchema.parse(JSON.parse(fs.readFileSync(out, 'utf8')));
}

function bundleSizes(): Figure[] {
  const dist = path.join(root, 'dist');
  return fs
    .readdirSync(dist, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(js|css|wasm)$/.test(name))
    .sort()
    .map((name) => ({
      name: `dist/${name}`,
      value: Math.round(fs.statSync(path.join(dist, name)).size / 1024),
      unit: 'KiB',
    }));
}
