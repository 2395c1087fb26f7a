import { setMaxListeners } from 'node:events';
import { type Clock, systemClock } from '../base/clock';
import { CancelledError, messageOf } from '../base/errors';
import { type Logger, silentLogger } from '../base/logger';
import type { ProcessIdentity, Session, SessionOptions, Sessions } from '../core/session';
import type { ProcessUse } from '../core/sessionUse';
import { endProcess, waitUntilDead } from '../jail/endProcess';
import type { LocalJails } from '../jail/jails';
import { useOfJail } from '../jail/limits/treeUse';
import { isAlive } from '../jail/procfs';
import type { LivingSession } from './livingSession';
import { loadNodePty, type NodePty } from './nodePty';
import { openSession, type SessionContext } from './openSession';

export interface SessionsOptions {
  readonly jails: LocalJails;
  readonly clock?: Clock;
  readonly logger?: Logger;
  /**
   * A folder with node-pty that is tried first, such as VS Code's own copy. Without any node-pty sessions work all the same,
   * but nobody can take one over: what agents read never comes over the pty.
   */
  readonly nodePtyPath?: string;
  /** How node-pty is loaded, when a session first needs it; tests say that it cannot be. */
  readonly loadPty?: () => Promise<NodePty>;
  /** How large a session's recording may grow. Default 64 MB. */
  readonly maxRecordingBytes?: number;
  /**
   * Secrets that the product itself has, asked for with each session: they are left out of what is recorded and shown, like
   * everything that looks like a secret.
   */
  readonly secrets?: () => Promise<readonly string[]>;
}

const defaultRecordingBytes = 64_000_000;

/** Sessions on this machine: each a proven jail with living shells and a recorded terminal. */
export function createSessions(options: SessionsOptions): Sessions {
  return new LocalSessions({
    jails: options.jails,
    clock: options.clock ?? systemClock,
    logger: options.logger ?? silentLogger,
    loadPty: options.loadPty ?? (() => loadNodePty(options.nodePtyPath)),
    maxRecordingBytes: options.maxRecordingBytes ?? defaultRecordingBytes,
    secrets: options.secrets ?? (() => Promise.resolve([])),
  });
}

class LocalSessions implements Sessions {
  private readonly living = new Set<LivingSession>();
  private readonly opening = new Set<Promise<unknown>>();
  private readonly stop = new AbortController();

  constructor(private readonly context: SessionContext) {
    // One listener for each session that is being opened: that is no leak.
    setMaxListeners(0, this.stop.signal);
  }

  async open(options: SessionOptions): Promise<Session> {
    if (this.stop.signal.aborted) throw new CancelledError('The sessions are shut down');
    const signal = options.signal ? AbortSignal.any([options.signal, this.stop.signal]) : this.stop.signal;
    const opened = openSession({ ...options, signal }, this.context).then((session) => this.add(session));
    const settled = opened.catch(() => {}).finally(() => this.opening.delete(settled));
    this.opening.add(settled);
    return opened;
  }

  async endOrphan(process: ProcessIdentity): Promise<boolean> {
    if (!isAlive(process)) return false;
    endProcess(process);
    await waitUntilDead(process);
    return true;
  }

  use(process: ProcessIdentity): ProcessUse | undefined {
    return useOfJail(process);
  }

  async shutdown(): Promise<void> {
    this.stop.abort();
    await Promise.all(this.opening);
    const ends = [...this.living].map((session) => session.close('Airlock is shutting down.'));
    for (const end of await Promise.allSettled(ends)) {
      if (end.status === 'rejected')
        this.context.logger.warn('A session did not end well', { error: messageOf(end.reason) });
    }
  }

  private add(session: LivingSession): LivingSession {
    if (session.status === 'closed') return session;
    this.living.add(session);
    session.onDidClose(() => this.living.delete(session));
    return session;
  }
}
