/** What was found out about a journal, without changing anything. */
export interface JournalReport {
  /**
   * `whole`: every line is as it was written and follows the one before it. `unfinished`: so it is, and behind it stands the
   * beginning of a write that was never answered, as after a crash or while somebody writes. `broken`: see `problem`.
   */
  readonly state: 'whole' | 'unfinished' | 'broken';
  /** Where the chain breaks and what to do; `null` unless it is broken. */
  readonly problem: string | null;
  /** Those that are there. */
  readonly segments: number;
  /** What was dropped when it was old; the chain goes on from its last line. `null`: nothing was. */
  readonly dropped: { readonly segments: number; readonly throughSeq: number } | null;
  /** Up to here everything is whole. */
  readonly head: { readonly segment: number; readonly offset: number; readonly seq: number; readonly hash: string };
  readonly snapshots: readonly SnapshotReport[];
  readonly anchors: AnchorReport;
}

export interface SnapshotReport {
  readonly file: string;
  /**
   * `fits`: it is whole, and was made at a place that the journal has. `damaged`: it would be passed over at a start.
   * `foreign`: it is whole, and the journal has no such place: one of the two was replaced.
   */
  readonly state: 'fits' | 'damaged' | 'foreign';
}

/** What anchored heads say about a journal. */
export interface AnchorReport {
  /**
   * `none`: there is no key here, or nothing was anchored with it. `hold`: every head that was anchored with this key and can be looked
   * at is there. `broken`: see `problem`.
   */
  readonly state: 'none' | 'hold' | 'broken';
  /** The newest anchored head that is there. */
  readonly through: { readonly seq: number; readonly atMs: number } | null;
  /** What was cut back or rewritten, from where; `null` unless it is broken. */
  readonly problem: string | null;
  /** When an earlier start found an anchored event gone or changed. */
  readonly earlier: readonly { readonly seq: number; readonly atMs: number }[];
  /** Anchors of other keys, which cannot be checked with this one. */
  readonly otherKeys: number;
}
