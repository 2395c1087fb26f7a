import { writeFileSync } from 'node:fs';
import * as vscode from 'vscode';

const settleMs = 15_000;
const measureMs = 60_000;

/** Runs in the extension host: how much it works and grows in a minute, before and after Airlock is active. */
export async function run(): Promise<void> {
  const out = process.env['AIRLOCK_BENCH_OUT'];
  if (!out) throw new Error('AIRLOCK_BENCH_OUT names the file for the figures');
  const extension = vscode.extensions.getExtension<{ executor(): Promise<unknown> }>('airlock.airlock');
  if (!extension) throw new Error('Airlock is not installed');
  if (extension.isActive) throw new Error('Airlock was active before it was measured');
  await pass(settleMs);
  const before = await minute();
  const api = await extension.activate();
  await api.executor();
  await pass(settleMs);
  writeFileSync(out, JSON.stringify({ before, active: await minute() }));
}

async function minute(): Promise<{ cpuPercent: number; growthMiB: number; residentMiB: number }> {
  const resident = process.memoryUsage.rss();
  const usage = process.cpuUsage();
  await pass(measureMs);
  const { user, system } = process.cpuUsage(usage);
  const after = process.memoryUsage.rss();
  const mebi = 1024 ** 2;
  return {
    cpuPercent: (user + system) / 10 / measureMs,
    growthMiB: (after - resident) / mebi,
    residentMiB: after / mebi,
  };
}

function pass(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
