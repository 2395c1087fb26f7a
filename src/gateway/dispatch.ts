import { assertNever } from '../base/errors';
import type { Executor } from '../core/executor';
import { dispatchToAgents } from './agentCalls';
import { dispatchToFiles } from './fileCalls';
import type { KeyboardCall } from './keyboardDesk';
import type { Call, ResultOf } from '../protocol/executorProtocol';

/** The calls that are more than one command of the executor: they belong to a connection. */
export type ConnectionCall = Extract<Call, { method: 'watchSession' | 'unwatchSession' }> | KeyboardCall;
export type PlainCall = Exclude<Call, ConnectionCall>;
/** What the user decides about results, and says of them. */
type ReviewCall = Extract<
  PlainCall,
  {
    method:
      | 'land'
      | 'landingTargets'
      | 'cancelLanding'
      | 'undoLanding'
      | 'discard'
      | 'keepAsBranch'
      | 'comment'
      | 'deleteComment'
      | 'sendBack'
      | 'sendBackConflict'
      | 'conflict'
      | 'landResolved';
  }
>;

/** Does what a client asked for, and answers what it is to be told. */
export async function dispatch(executor: Executor, call: PlainCall): Promise<ResultOf<PlainCall['method']>> {
  switch (call.method) {
    case 'add':
      return executor.add(call.task);
    case 'startQueue':
      return done(executor.startQueue());
    case 'pauseQueue':
      return done(executor.pauseQueue());
    case 'stopQueue':
      return done(executor.stopQueue());
    case 'cancel':
      return done(executor.cancel(call.taskId));
    case 'retry':
      return done(executor.retry(call.taskId));
    case 'runNow':
      return done(executor.runNow(call.taskId));
    case 'assignRepository':
      return done(executor.assignRepository(call.taskId, call.repo));
    case 'personas':
    case 'answer':
    case 'decide':
      return dispatchToAgents(executor, call);
    case 'pauseTask':
      return done(executor.pauseTask(call.taskId));
    case 'resumeTask':
      return done(executor.resumeTask(call.taskId));
    case 'moveTask':
      return done(executor.moveTask(call.taskId, call.before));
    case 'retryReport':
      return done(executor.retryReport(call.taskId));
    case 'pauseSource':
      return done(executor.pauseSource(call.sourceId));
    case 'resumeSource':
      return done(executor.resumeSource(call.sourceId));
    case 'refreshSources':
      return done(executor.refreshSources());
    case 'readBlob':
    case 'changes':
    case 'readResultFile':
    case 'snapshotChanges':
    case 'readSnapshotFile':
    case 'readConflictFile':
    case 'restoreSnapshot':
    case 'publishSnapshot':
    case 'readRecording':
      return dispatchToFiles(executor, call);
    case 'archiveSession':
      return done(executor.archiveSession(call.sessionId));
    case 'deleteSession':
      return done(executor.deleteSession(call.sessionId));
    case 'workspaces':
      return [...(await executor.workspaces())];
    case 'cleanWorkspaces':
      return [...(await executor.cleanWorkspaces(call.cleaning))];
    case 'deleteData':
      return executor.deleteData(call.deletion);
    case 'history':
      return executor.history(call.query);
    case 'jailReadiness':
      return executor.jailReadiness();
    case 'proveJail':
      return executor.proveJail();
    default:
      return dispatchReview(executor, call);
  }
}

async function dispatchReview(executor: Executor, call: ReviewCall): Promise<ResultOf<ReviewCall['method']>> {
  switch (call.method) {
    case 'land':
      return executor.land(call.taskId, { onto: call.onto, files: call.files });
    case 'landingTargets': {
      const { checkedOut, branches } = await executor.landingTargets(call.taskId);
      return { checkedOut, branches: [...branches] };
    }
    case 'undoLanding':
      return done(executor.undoLanding(call.taskId));
    case 'discard':
      return done(executor.discard(call.taskId));
    case 'cancelLanding':
      return done(executor.cancelLanding(call.taskId));
    case 'keepAsBranch':
      return done(executor.keepAsBranch(call.taskId, call.name));
    case 'comment':
      return executor.comment(call.taskId, call.comment);
    case 'deleteComment':
      return done(executor.deleteComment(call.taskId, call.commentId));
    case 'sendBack':
      return done(executor.sendBack(call.taskId, call.text));
    case 'sendBackConflict':
      return done(executor.sendBackConflict(call.taskId));
    case 'conflict':
      return executor.conflict(call.taskId);
    case 'landResolved':
      return executor.landResolved(call.taskId, call.resolution);
    default:
      return assertNever(call);
  }
}

async function done(work: Promise<void>): Promise<null> {
  await work;
  return null;
}
