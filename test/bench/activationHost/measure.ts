import { writeFileSync } from 'node:fs';
import * as vscode from 'vscode';

/** Runs in the extension host: activates the extensions that are named, and writes down how long each took, in ms. */
export async function run(): Promise<void> {
  const names = (process.env['AIRLOCK_BENCH_EXTENSIONS'] ?? '').split(',');
  const out = process.env['AIRLOCK_BENCH_OUT'];
  if (!out) throw new Error('AIRLOCK_BENCH_OUT names the file for the figures');
  const tookMs: Record<string, number> = {};
  for (const name of names) {
    const extension = vscode.extensions.getExtension(name);
    if (!extension) throw new Error(`${name} is not installed`);
    if (extension.isActive) throw new Error(`${name} was active before it was measured`);
    const started = performance.now();
    await extension.activate();
    tookMs[name] = performance.now() - started;
  }
  writeFileSync(out, JSON.stringify(tookMs));
}
