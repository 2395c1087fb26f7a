// Runs the benchmarks and prints one table. Arguments choose by name: `npm run bench -- journal jail`.
import { readdirSync } from 'node:fs';
import path from 'node:path';
import type { Figure } from './figure';

function figureLine({ name, value, unit, note }: Figure): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 1 ? 2 : 4;
  return `${name.padEnd(72)} ${value.toFixed(digits).padStart(12)} ${unit.padEnd(10)} ${note ?? ''}`.trimEnd();
}

async function main(): Promise<void> {
  const wanted = process.argv.slice(2);
  const names = readdirSync(__dirname)
    .filter((file) => file.endsWith('.ts') && file !== 'run.ts')
    .map((file) => file.replace(/\.ts$/, ''))
    .filter((name) => wanted.length === 0 || wanted.includes(name));
  for (const name of names) {
    const module = (await import(path.join(__dirname, name))) as { bench?: () => Promise<Figure[]> };
    if (typeof module.bench !== 'function') continue;
    process.stdout.write(`\n${name}\n`);
    try {
      for (const figure of await module.bench()) process.stdout.write(`  ${figureLine(figure)}\n`);
    } catch (error) {
      process.stdout.write(`  failed: ${error instanceof Error ? error.message : String(error)}\n`);
      process.exitCode = 1;
    }
  }
}

void main();
