import { readFile } from 'node:fs/promises';
import { toDisposable, type Disposable } from '../base/disposable';
import { UserError } from '../base/errors';
import { makeVisible } from '../base/visible';
import type { RunId, SessionId } from '../core/ids';
import { canBecome, type PastSession } from '../core/pastSession';
import type { ExecutorPorts } from './ports';
import { newestRecording, recordedEnd } from './recordedEnd';
import type { SessionShelf } from './sessionShelf';

/** Sessions of this executor and of earlier ones, after their end: shown, read, archived, deleted. */
export class SessionArchive {
  constructor(
    private readonly ports: Pick<ExecutorPorts, 'events' | 'jails' | 'sessionFolder'>,
    private readonly shelf: SessionShelf,
  ) {}

  /**
   * Shows what was shown so far and, of a living one, what comes.
   * @throws {UserError} `unknown-session`.
   */
  async watch(sessionId: SessionId, onOutput: (text: string) => void): Promise<Disposable> {
    const watched = this.shelf.watch(sessionId, onOutput);
    if (watched) return watched;
    const past = this.ports.events.state.pastSessions.get(sessionId);
    const recorded = await recordedEnd(this.folder(sessionId));
    if (recorded === undefined) throw recordingGone(sessionId);
    onOutput(recorded);
    // Whoever was killed had no time to say why.
    if (past && !recorded.includes(past.reason))
      onOutput(`\u001b[0m\r\n${makeVisible(`Session ended: ${past.reason}`)}\r\n`);
    return toDisposable(() => {});
  }

  /**
   * The whole recording, as asciicast v2.
   * @throws {UserError} `unknown-session`.
   */
  async recording(sessionId: SessionId): Promise<Uint8Array> {
    const path = await newestRecording(this.folder(sessionId));
    if (path === undefined) throw recordingGone(sessionId);
    return readFile(path);
  }

  /** @throws {UserError} `unknown-session`, `wrong-state`. */
  async archive(sessionId: SessionId): Promise<void> {
    const past = this.find(sessionId, 'archived');
    await this.ports.events.append([{ kind: 'session.archived', sessionId: past.id }]);
  }

  /**
   * Deletes what was recorded of a session. The files go first: what the user wants gone must not stay because of a crash in
   * between, and to delete it once more does no harm.
   * @throws {UserError} `unknown-session`, `wrong-state`.
   */
  async delete(sessionId: SessionId): Promise<void> {
    const past = this.find(sessionId, 'deleted');
    await this.ports.jails.remove(this.ports.sessionFolder(past.runId, past.id));
    this.shelf.forget(past.id);
    await this.ports.events.append([{ kind: 'session.deleted', sessionId: past.id }]);
  }

  private find(sessionId: SessionId, wanted: 'archived' | 'deleted'): PastSession {
    const { sessions, pastSessions } = this.ports.events.state;
    const past = pastSessions.get(sessionId);
    if (past && canBecome(past.status, wanted)) return past;
    if (past) throw wrongState(sessionId, past.status, wanted);
    if (sessions.has(sessionId)) throw wrongState(sessionId, 'living', wanted);
    throw new UserError('unknown-session', `There is no session ${sessionId}.`, { sessionId });
  }

  private folder(sessionId: SessionId): string {
    const runId = this.runOf(sessionId);
    if (runId === undefined) throw recordingGone(sessionId);
    return this.ports.sessionFolder(runId, sessionId);
  }

  private runOf(sessionId: SessionId): RunId | undefined {
    const { sessions, pastSessions, runs } = this.ports.events.state;
    const known = sessions.get(sessionId) ?? pastSessions.get(sessionId);
    return known?.runId ?? [...runs.values()].find((run) => run.sessionId === sessionId)?.id;
  }
}

function recordingGone(sessionId: SessionId): UserError {
  return new UserError('unknown-session', 'This session is over, and its recording is gone.', { sessionId });
}

function wrongState(sessionId: SessionId, status: string, wanted: string): UserError {
  return new UserError('wrong-state', `The session ${sessionId} is ${status}: it cannot be ${wanted} now.`, {
    sessionId,
    status,
  });
}
