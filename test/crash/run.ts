// `npm run crash -- --kills 1000 [--seed 7]`: kills processes so many times and says what is left. Its last line is always
// `kills N, lost N, ended twice N, reported twice N, paid twice N`.
import { parseArgs } from 'node:util';
import { crashLine, killAll, whatIsWrong } from './allSeries';

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { kills: { type: 'string' }, seed: { type: 'string' } } });
  const kills = Number(values.kills ?? 24);
  const seed = Number(values.seed ?? Date.now() % 1_000_000);
  const say = (line: string): void => console.log(line);
  say(`seed ${seed}`);
  const report = await killAll({ kills, seed, say });
  const { workers, store } = report;
  for (const wrong of whatIsWrong(report)) say(wrong);
  const answersLost = workers.reduce((sum, each) => sum + each.answersLost, 0);
  say(`${answersLost} answers died with their process before they could be kept`);
  say(
    `${store.kills} kills were of a store, which had dropped ${store.dropped} old events and anchored ${store.anchored}`,
  );
  say(crashLine(report));
  const done = workers.reduce((sum, each) => sum + each.kills, store.kills);
  process.exit(whatIsWrong(report).length > 0 || done < kills ? 1 : 0);
}

void main();
