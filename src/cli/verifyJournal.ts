import { verifyJournal, type JournalReport } from '../assemble';

/** Prints what was found out about a journal. @returns The exit code: 0 when nothing is broken, 1 otherwise. */
export async function verifyJournalOf(storage: string, json: boolean): Promise<number> {
  const report = await verifyJournal(storage);
  process.stdout.write(`${json ? JSON.stringify(report) : reportText(report)}\n`);
  return report.state === 'broken' || report.snapshots.some(({ state }) => state === 'foreign') ? 1 : 0;
}

function reportText({ state, problem, segments, dropped, head, snapshots }: JournalReport): string {
  const lines = [stateText(state, problem)];
  if (dropped) lines.push(droppedText(dropped));
  lines.push(
    `${head.seq - (dropped?.throughSeq ?? 0)} events in ${segments} ${segments === 1 ? 'segment' : 'segments'} were found whole.`,
  );
  if (head.seq > 0) lines.push(`The head of the chain: ${head.hash}`);
  for (const snapshot of snapshots) lines.push(`${snapshot.file}: ${snapshotTexts[snapshot.state]}`);
  return lines.join('\n');
}

function droppedText({ segments, throughSeq }: NonNullable<JournalReport['dropped']>): string {
  const which = segments === 1 ? 'segment 1' : `segments 1 to ${segments}`;
  return `Events 1 to ${throughSeq} (${which}) were dropped when they were old. journal/dropped.jsonl has their first and last hashes, and the chain goes on from there.`;
}

function stateText(state: JournalReport['state'], problem: string | null): string {
  switch (state) {
    case 'whole':
      return 'The journal is whole: every line is as it was written.';
    case 'unfinished':
      return 'The journal is whole. Behind it stands the beginning of a write that nobody was promised: it is written to just now, or was when its process was killed.';
    case 'broken':
      return problem ?? 'The journal is broken.';
  }
}

const snapshotTexts = {
  fits: 'fits the journal',
  damaged: 'is damaged; the next start passes it over, and nothing is lost by that',
  foreign: 'is not of this journal: one of the two was replaced or cut. Put both back from the same backup.',
} as const;
