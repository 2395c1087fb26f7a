// `npm run crash -- --kills 200 [--seed 7]`: kills a worker so many times and says what is left.
import { parseArgs } from 'node:util';
import { crashLine, CrashSeries } from './crashSeries';

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { kills: { type: 'string' }, seed: { type: 'string' } } });
  const seed = Number(values.seed ?? Date.now() % 1_000_000);
  const say = (line: string): void => console.log(line);
  say(`seed ${seed}`);
  const report = await CrashSeries.run({ kills: Number(values.kills ?? 24), seed, say });
  const { kills: _kills, answersLost, ...wrong } = report;
  for (const [name, found] of Object.entries(wrong)) if (found.length > 0) say(`${name}: ${found.join(', ')}`);
  say(`${answersLost} answers died with their process before they could be kept`);
  say(crashLine(report));
  process.exit(Object.values(wrong).some((found) => found.length > 0) ? 1 : 0);
}

void main();
