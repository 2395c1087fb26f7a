import type { TaskId } from '../../core/ids';
import type { Feature } from '../features';
import type { SessionList } from '../sessionList/sessionList';
import type { TaskTree } from '../tasks/taskTree';
import type { SessionTerminals } from '../terminal/sessionTerminals';
import type { SessionActions } from './commandActions';

export interface SessionActionParts {
  readonly sessions: SessionList;
  readonly tree: Feature<TaskTree>;
  readonly terminals: Feature<SessionTerminals>;
}

export function sessionActions({ sessions, tree, terminals }: SessionActionParts): SessionActions {
  return {
    replaySession: ({ sessionId }) => {
      if (sessionId !== null) terminals.get().showSession(sessionId);
    },
    goToTask: async ({ sessionId }) => {
      const taskId: TaskId | undefined = sessionId === null ? undefined : sessions.taskOf(sessionId);
      if (taskId !== undefined) await tree.get().reveal(taskId);
    },
  };
}
