import type { ExecutorLink } from '../executorLink';
import { compareSnapshots, keepSnapshot, restoreSnapshot } from '../review/snapshotReview';
import { cleanWorkspaces } from '../review/storedWorkspaces';
import type { TaskId } from '../../core/ids';
import type { CommandAction, SnapshotActions } from './commandActions';
import { deleteData } from './deleteData';
import { requireTrust } from './queueActions';

/** What the user does with the files that runs had on their way, and with what is left of them. */
export function snapshotActions(link: ExecutorLink): SnapshotActions {
  const one = (action: (link: ExecutorLink, taskId: TaskId) => Promise<void>): CommandAction => {
    return async ({ taskIds: [taskId] }) => {
      if (taskId !== undefined) await action(link, taskId);
    };
  };
  const trusted = (action: CommandAction): CommandAction => {
    return async (target) => {
      requireTrust();
      await action(target);
    };
  };
  return {
    compareSnapshots: one(compareSnapshots),
    restoreSnapshot: trusted(one(restoreSnapshot)),
    keepSnapshot: trusted(one(keepSnapshot)),
    cleanWorkspaces: () => cleanWorkspaces(link),
    deleteData: () => deleteData(link),
  };
}
