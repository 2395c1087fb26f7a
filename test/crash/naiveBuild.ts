import { cpSync, mkdtempSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import { naiveWriter } from './storeSeries';
import { builtCommand } from '../fakes/wholeCommand';

const root = path.resolve(import.meta.dirname, '../..');

/** The headless command with the naive writer in its store. @returns the program; it lies beside `folder`'s other files. */
export async function naiveCommand(): Promise<string> {
  const normal = path.dirname(builtCommand());
  const folder = mkdtempSync(path.join(root, 'out', 'naive-'));
  cpSync(normal, folder, { recursive: true });
  const program = path.join(folder, 'airlock.js');
  await build({
    entryPoints: [path.join(root, 'src/cli/airlock.ts')],
    outfile: program,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    logLevel: 'error',
    external: ['node-pty', '@anthropic-ai/sdk'],
    plugins: [naiveWriter],
  });
  return program;
}
