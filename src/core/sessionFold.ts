import type { AirlockEvent } from './events';
import type { SessionId } from './ids';
import type { LiveState } from './liveState';
import { maxPastSessions } from './pastSession';
import { foldWarm } from './warmFold';

type EventOf<K extends AirlockEvent['kind']> = Extract<AirlockEvent, { kind: K }>;

/** Applies an event about a session that was created before, or that no run has yet. */
export function foldSession(state: LiveState, event: AirlockEvent): void {
  switch (event.kind) {
    case 'session.closed':
      closeSession(state, event);
      return;
    case 'session.archived':
      archiveSession(state, event.sessionId);
      return;
    case 'session.deleted':
      state.pastSessions.delete(event.sessionId);
      return;
    case 'session.takenOver':
    case 'session.givenBack':
      setTakenOver(state, event.sessionId, event.kind === 'session.takenOver');
      return;
    case 'session.limited':
      setLimited(state, event);
      return;
    case 'session.warming':
    case 'session.warmed':
    case 'session.discarded':
      return foldWarm(state, event);
    default:
      return;
  }
}

function closeSession(state: LiveState, { sessionId, reason, breach, atMs }: EventOf<'session.closed'>): void {
  const session = state.sessions.get(sessionId);
  if (!session) return;
  state.sessions.delete(sessionId);
  const { id, runId, createdAtMs } = session;
  const taskId = state.runs.get(runId)?.taskId ?? null;
  state.pastSessions.set(id, { id, runId, taskId, status: 'closed', createdAtMs, closedAtMs: atMs, reason, breach });
  if (state.pastSessions.size <= maxPastSessions) return;
  const past = [...state.pastSessions.values()];
  const oldest = past.find(({ status }) => status === 'closed') ?? past[0];
  if (oldest) state.pastSessions.delete(oldest.id);
}

function archiveSession(state: LiveState, sessionId: SessionId): void {
  const past = state.pastSessions.get(sessionId);
  if (past) state.pastSessions.set(sessionId, { ...past, status: 'archived' });
}

function setTakenOver(state: LiveState, sessionId: SessionId, takenOver: boolean): void {
  const session = state.sessions.get(sessionId);
  if (session) state.sessions.set(sessionId, { ...session, takenOver });
}

function setLimited(state: LiveState, { sessionId, limit, detail }: EventOf<'session.limited'>): void {
  const session = state.sessions.get(sessionId);
  if (session) state.sessions.set(sessionId, { ...session, limited: `${limit}: ${detail}` });
}
