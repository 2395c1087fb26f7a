import { type CrashReport, CrashSeries } from './crashSeries';
import { killPoints, randomFrom } from './killPoints';
import { killStore, type StoreReport } from './storeSeries';

export interface AllReport {
  readonly workers: readonly CrashReport[];
  readonly store: StoreReport;
}

export interface AllOptions {
  readonly kills: number;
  readonly seed: number;
  readonly say: (line: string) => void;
}

/** Of all kills so many are of a store alone, at each of its file operations; the others are of a worker at its work. */
const storeShare = 1 / 3;
/** Series side by side: much of a kill is waiting for a process to start or to say something. */
const lanes = 2;

/** Kills processes in several series side by side, which share what points there are. */
export async function killAll({ kills, seed, say }: AllOptions): Promise<AllReport> {
  const ofStore = Math.floor(kills * storeShare);
  const points = killPoints(randomFrom(seed));
  const perLane = Array.from({ length: lanes }, (_, lane) => Math.floor((kills - ofStore + lane) / lanes));
  const [store, ...workers] = await Promise.all([
    killStore({ kills: ofStore, say }),
    ...perLane.map((count) => CrashSeries.run({ kills: count, points, say })),
  ]);
  return { workers, store };
}

/** The one line that a series ends in. */
export function crashLine({ workers, store }: AllReport): string {
  const all = (pick: (report: CrashReport) => readonly string[]): number =>
    workers.reduce((sum, report) => sum + pick(report).length, 0);
  const kills = workers.reduce((sum, report) => sum + report.kills, store.kills);
  const lost = all((report) => [...report.lost, ...report.forgotten]) + store.lost.length;
  const twice = `ended twice ${all((report) => report.endedTwice)}, reported twice ${all((report) => report.reportedTwice)}`;
  return `kills ${kills}, lost ${lost}, ${twice}, paid twice ${all((report) => report.paidTwice)}`;
}

/** Everything that is not as promised, also what the line has no count for. */
export function whatIsWrong({ workers, store }: AllReport): string[] {
  const of = (name: string, found: readonly string[]): string[] =>
    found.length > 0 ? [`${name}: ${found.join(', ')}`] : [];
  return [
    ...workers.flatMap(({ kills: _kills, answersLost: _answersLost, ...wrong }) =>
      Object.entries(wrong).flatMap(([name, found]) => of(name, found)),
    ),
    ...of('store lost', store.lost),
    ...of('store wrong', store.wrong),
  ];
}
