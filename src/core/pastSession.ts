import type { RunId, SessionId, TaskId } from './ids';
import type { SessionStatus } from './session';

/** A session that is over, as everything that shows something sees it. One that was deleted is not there any more. */
export interface PastSession {
  readonly id: SessionId;
  readonly runId: RunId;
  /** `null` when its run was not known any more as it ended. */
  readonly taskId: TaskId | null;
  readonly status: 'closed' | 'archived';
  readonly createdAtMs: number;
  readonly closedAtMs: number;
  /** Why it ended, in words. */
  readonly reason: string;
  /** The limit that ended it; `null` for none. */
  readonly breach: string | null;
}

/** So many are listed; the oldest that were not archived go first. Their recordings stay. */
export const maxPastSessions = 500;

/** What can come next in the life of a session. */
const next: Readonly<Record<SessionStatus, readonly SessionStatus[]>> = {
  creating: ['ready', 'closed'],
  ready: ['busy', 'paused', 'closed'],
  busy: ['ready', 'paused', 'closed'],
  paused: ['ready', 'busy', 'closed'],
  closed: ['archived', 'deleted'],
  archived: ['deleted'],
  deleted: [],
};

/** Whether a session that is `from` may become `to`. */
export function canBecome(from: SessionStatus, to: SessionStatus): boolean {
  return next[from].includes(to);
}
