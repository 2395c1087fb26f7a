import { verifyJournal } from '../assemble';
import type { AnchorReport, JournalReport } from '../core/journalReport';
import { anchorSlotOf } from './anchorSlot';

/** Prints what was found out about a journal. @returns The exit code: 0 when nothing is broken, 1 otherwise. */
export async function verifyJournalOf(storage: string, json: boolean): Promise<number> {
  const report = await verifyJournal(storage, await anchorSlotOf(storage));
  process.stdout.write(`${json ? JSON.stringify(report) : reportText(report)}\n`);
  const { state, anchors, snapshots } = report;
  return state === 'broken' || anchors.state === 'broken' || snapshots.some((snapshot) => snapshot.state === 'foreign')
    ? 1
    : 0;
}

function reportText({ state, problem, segments, dropped, head, snapshots, anchors }: JournalReport): string {
  const lines = [stateText(state, problem)];
  if (dropped) lines.push(droppedText(dropped));
  lines.push(
    `${head.seq - (dropped?.throughSeq ?? 0)} events in ${segments} ${segments === 1 ? 'segment' : 'segments'} were found whole.`,
  );
  if (head.seq > 0) lines.push(`The head of the chain: ${head.hash}`);
  lines.push(...anchorTexts(anchors));
  for (const snapshot of snapshots) lines.push(`${snapshot.file}: ${snapshotTexts[snapshot.state]}`);
  return lines.join('\n');
}

function droppedText({ segments, throughSeq }: NonNullable<JournalReport['dropped']>): string {
  const which = segments === 1 ? 'segment 1' : `segments 1 to ${segments}`;
  return `Events 1 to ${throughSeq} (${which}) were dropped when they were old. journal/dropped.jsonl has their first and last hashes, and the chain goes on from there.`;
}

function anchorTexts({ state, through, problem, earlier, otherKeys }: AnchorReport): string[] {
  const day = (ms: number): string => new Date(ms).toISOString();
  return [
    ...(problem === null ? [] : [problem]),
    ...(state === 'none' ? ['No head of it was anchored with the key that is kept here.'] : []),
    ...(state === 'hold' && through
      ? [`It was anchored at event ${through.seq} on ${day(through.atMs)}: nothing up to there was changed since.`]
      : []),
    ...earlier.map(
      ({ seq, atMs }) => `On ${day(atMs)} event ${seq}, which had been anchored, was found cut off or rewritten.`,
    ),
    ...(otherKeys > 0
      ? [
          `${otherKeys} anchors were made with another key and cannot be checked here: those of VS Code by its command Verify Journal.`,
        ]
      : []),
  ];
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
