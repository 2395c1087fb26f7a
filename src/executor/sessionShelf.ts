import { DisposableStore, toDisposable, type Disposable } from '../base/disposable';
import type { RunId, SessionId } from '../core/ids';
import type { Session } from '../core/session';
import type { SessionRegistry } from './ports';
import type { RunSnapshots } from './runSnapshots';

/** Sessions that are over and can still be looked at. Each holds at most its scroll-back. */
const keptClosed = 20;

/** The sessions of this process, living ones and the last that are over, for everything that shows a terminal. */
export class SessionShelf implements SessionRegistry, Disposable {
  private readonly disposables = new DisposableStore();
  private readonly open = new Map<SessionId, Session>();
  private readonly closed = new Map<SessionId, string>();

  private readonly snapshots = new Map<RunId, RunSnapshots>();

  add(session: Session): void {
    this.open.set(session.id, session);
    this.disposables.add(
      session.onDidClose(() => {
        this.open.delete(session.id);
        this.closed.set(session.id, session.terminal.scrollback());
        for (const id of this.closed.keys()) {
          if (this.closed.size <= keptClosed) break;
          this.closed.delete(id);
        }
      }),
    );
  }

  addSnapshots(runId: RunId, snapshots: RunSnapshots): Disposable {
    this.snapshots.set(runId, snapshots);
    return toDisposable(() => this.snapshots.delete(runId));
  }

  /** Of a run that is at work; `undefined` for every other one. */
  snapshotsOf(runId: RunId): RunSnapshots | undefined {
    return this.snapshots.get(runId);
  }

  /** A session that is not over; `undefined` when there is none of that id. */
  living(sessionId: SessionId): Session | undefined {
    return this.open.get(sessionId);
  }

  /** Shows what was shown so far and then what comes; `undefined` when the session is not known. */
  watch(sessionId: SessionId, onOutput: (text: string) => void): Disposable | undefined {
    const session = this.open.get(sessionId);
    if (!session) {
      const shown = this.closed.get(sessionId);
      if (shown === undefined) return undefined;
      onOutput(shown);
      return toDisposable(() => {});
    }
    const shown = session.terminal.scrollback();
    if (shown !== '') onOutput(shown);
    return session.terminal.onDidOutput(onOutput);
  }

  /** Nothing of a session that is over is shown from here any more. */
  forget(sessionId: SessionId): void {
    this.closed.delete(sessionId);
  }

  dispose(): void {
    this.disposables.dispose();
    this.open.clear();
    this.closed.clear();
  }
}
