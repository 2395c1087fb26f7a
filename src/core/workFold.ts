import { foldAgents } from './agentFold';
import { foldApproval } from './approvalFold';
import { foldReserved, foldSettled, foldUsage } from './budgetFold';
import type { AirlockEvent } from './events';
import { type LiveState, type RunState, type ToolCallState, toolCallOf } from './liveState';
import { foldSnapshots } from './snapshotFold';
import { foldTalk } from './talkFold';

/** Applies an event about what is done in a run: the conversation, its tools, its cost, its evidence. */
export function foldWork(state: LiveState, run: RunState, event: AirlockEvent): void {
  switch (event.kind) {
    case 'message.recorded':
      // Without gaps: a hole would not survive as JSON.
      if (event.index <= run.messages.length) run.messages[event.index] = event.blob;
      return;
    case 'tool.called':
      setToolCall(run, event.callId, { name: event.name, ok: null, output: null });
      run.activity = event.summary;
      return;
    case 'tool.finished':
      setToolCall(run, event.callId, {
        name: toolCallOf(run, event.callId)?.name ?? '',
        ok: event.ok,
        output: event.output,
        ...(event.images ? { images: event.images } : {}),
      });
      // What there is to tell goes with the result of a tool.
      run.untoldRestore = null;
      return;
    case 'question.asked':
    case 'question.answered':
    case 'run.claimed':
      return foldTalk(run, event);
    case 'message.sent':
    case 'message.read':
    case 'topic.joined':
    case 'subtasks.created':
      return foldAgents(state, run, event);
    case 'approval.asked':
    case 'approval.answered':
      return foldApproval(state.tasks.get(run.taskId), run, event);
    case 'usage.recorded':
      foldUsage(state, run, event);
      return;
    case 'request.reserved':
      return foldReserved(state, run, event);
    case 'request.settled':
      return foldSettled(state, event);
    case 'request.retried':
      run.activity = event.reason;
      return;
    case 'check.finished':
      run.checks = [
        ...run.checks.filter((check) => check.command !== event.result.command || check.on !== event.result.on),
        event.result,
      ];
      return;
    case 'evidence.recorded':
      run.rounds = event.round + 1;
      run.verdict = event.verdict;
      run.resultTree = event.tree;
      run.snapshots = run.snapshots.map((snapshot) =>
        snapshot.tree === event.tree ? { ...snapshot, verdict: event.verdict } : snapshot,
      );
      return;
    case 'snapshot.taken':
    case 'snapshot.restored':
    case 'snapshot.published':
    case 'snapshot.dropped':
      return foldSnapshots(run, event);
    case 'workspace.removed':
      run.snapshots = [];
      return;
    case 'result.published':
      run.branch = event.branch;
      run.commit = event.commit;
      run.filesChanged = event.filesChanged;
      return;
    default:
      return;
  }
}

/** Call ids are the model's own words: `__proto__` is one like any other. */
function setToolCall(run: RunState, callId: string, call: ToolCallState): void {
  Object.defineProperty(run.toolCalls, callId, { value: call, enumerable: true, configurable: true, writable: true });
}
