import type { Executor } from '../core/executor';
import type { KeyboardCall } from './keyboardDesk';
import type { Call, ResultOf } from '../protocol/executorProtocol';

/** The calls that are more than one command of the executor: they belong to a connection. */
export type ConnectionCall =
  Extract<Call, { method: 'watchSession' | 'unwatchSession' | 'lendFolders' }> | KeyboardCall;
export type PlainCall = Exclude<Call, ConnectionCall>;

type Handler<M extends PlainCall['method']> = (
  executor: Executor,
  call: Extract<PlainCall, { method: M }>,
) => Promise<ResultOf<M>>;

/** What each call comes to. */
const handlers: { readonly [M in PlainCall['method']]: Handler<M> } = {
  add: (executor, { task }) => executor.add(task),
  startQueue: (executor) => done(executor.startQueue()),
  pauseQueue: (executor) => done(executor.pauseQueue()),
  stopQueue: (executor) => done(executor.stopQueue()),
  cancel: (executor, { taskId }) => done(executor.cancel(taskId)),
  retry: (executor, { taskId }) => done(executor.retry(taskId)),
  runNow: (executor, { taskId }) => done(executor.runNow(taskId)),
  assignRepository: (executor, { taskId, repo }) => done(executor.assignRepository(taskId, repo)),
  answer: (executor, { taskId, text }) => done(executor.answer(taskId, text)),
  decide: (executor, { taskId, decision }) => done(executor.decide(taskId, decision)),
  pauseTask: (executor, { taskId }) => done(executor.pauseTask(taskId)),
  resumeTask: (executor, { taskId }) => done(executor.resumeTask(taskId)),
  moveTask: (executor, { taskId, before }) => done(executor.moveTask(taskId, before)),
  retryReport: (executor, { taskId }) => done(executor.retryReport(taskId)),
  pauseSource: (executor, { sourceId }) => done(executor.pauseSource(sourceId)),
  resumeSource: (executor, { sourceId }) => done(executor.resumeSource(sourceId)),
  refreshSources: (executor) => done(executor.refreshSources()),
  readBlob: async (executor, { digest }) => encoded(await executor.readBlob(digest)),
  changes: (executor, { taskId }) => executor.changes(taskId),
  readResultFile: async (executor, { taskId, side, path }) =>
    encoded(await executor.readResultFile(taskId, side, path)),
  snapshotChanges: async (executor, { taskId, from, to }) => [...(await executor.snapshotChanges(taskId, from, to))],
  readSnapshotFile: async (executor, { taskId, index, path }) =>
    encoded(await executor.readSnapshotFile(taskId, index, path)),
  restoreSnapshot: async (executor, { taskId, index }) => {
    const { savedAs, files } = await executor.restoreSnapshot(taskId, index);
    return { savedAs, files: [...files] };
  },
  publishSnapshot: (executor, { taskId, index }) => executor.publishSnapshot(taskId, index),
  workspaces: async (executor) => [...(await executor.workspaces())],
  cleanWorkspaces: async (executor, { cleaning }) => [...(await executor.cleanWorkspaces(cleaning))],
  deleteData: (executor, { deletion }) => executor.deleteData(deletion),
  sessionUse: async (executor) => [...(await executor.sessionUse())],
  readRecording: async (executor, { sessionId }) => base64(await executor.readRecording(sessionId)),
  archiveSession: (executor, { sessionId }) => done(executor.archiveSession(sessionId)),
  deleteSession: (executor, { sessionId }) => done(executor.deleteSession(sessionId)),
  land: (executor, { taskId, onto, files }) => executor.land(taskId, { onto, files }),
  landingTargets: async (executor, { taskId }) => {
    const { checkedOut, branches } = await executor.landingTargets(taskId);
    return { checkedOut, branches: [...branches] };
  },
  cancelLanding: (executor, { taskId }) => done(executor.cancelLanding(taskId)),
  keepAsBranch: (executor, { taskId, name }) => done(executor.keepAsBranch(taskId, name)),
  notePullRequest: (executor, { taskId, url }) => done(executor.notePullRequest(taskId, url)),
  comment: (executor, { taskId, comment }) => executor.comment(taskId, comment),
  deleteComment: (executor, { taskId, commentId }) => done(executor.deleteComment(taskId, commentId)),
  sendBack: (executor, { taskId, text }) => done(executor.sendBack(taskId, text)),
  sendBackConflict: (executor, { taskId }) => done(executor.sendBackConflict(taskId)),
  conflict: (executor, { taskId }) => executor.conflict(taskId),
  readConflictFile: async (executor, { taskId, side, path }) =>
    encoded(await executor.readConflictFile(taskId, side, path)),
  landResolved: (executor, { taskId, resolution }) => executor.landResolved(taskId, resolution),
  undoLanding: (executor, { taskId }) => done(executor.undoLanding(taskId)),
  discard: (executor, { taskId }) => done(executor.discard(taskId)),
  history: (executor, { query }) => executor.history(query),
  personas: (executor, { repo }) => executor.personas(repo),
  jailReadiness: (executor) => executor.jailReadiness(),
  proveJail: (executor) => executor.proveJail(),
};

/** Does what a client asked for, and answers what it is to be told. */
export async function dispatch(executor: Executor, call: PlainCall): Promise<ResultOf<PlainCall['method']>> {
  // The handler under a call's method takes that very call, which the compiler does not follow.
  const handle = handlers[call.method] as (executor: Executor, call: PlainCall) => ReturnType<typeof dispatch>;
  return handle(executor, call);
}

async function done(work: Promise<void>): Promise<null> {
  await work;
  return null;
}

function encoded(bytes: Uint8Array | undefined): string | null {
  return bytes === undefined ? null : base64(bytes);
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
