import { writeFileSync } from 'node:fs';
import * as vscode from 'vscode';

/**
 * Runs in the extension host: activates the extensions that are named, and writes down how long each took and how
 * much the host worked meanwhile, both in ms.
 */
export async function run(): Promise<void> {
  const names = (process.env['AIRLOCK_BENCH_EXTENSIONS'] ?? '').split(',');
  const out = process.env['AIRLOCK_BENCH_OUT'];
  if (!out) throw new Error('AIRLOCK_BENCH_OUT names the file for the figures');
  const figures: Record<string, { readonly wallMs: number; readonly cpuMs: number }> = {};
  for (const name of names) {
    const extension = vscode.extensions.getExtension(name);
    if (!extension) throw new Error(`${name} is not installed`);
    if (extension.isActive) throw new Error(`${name} was active before it was measured`);
    const started = performance.now();
    const before = process.cpuUsage();
    await extension.activate();
    const { user, system } = process.cpuUsage(before);
    figures[name] = { wallMs: performance.now() - started, cpuMs: (user + system) / 1000 };
  }
  writeFileSync(out, JSON.stringify(figures));
}
