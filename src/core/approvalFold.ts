import type { AirlockEvent } from './events';
import type { RunState, TaskState } from './liveState';

type ApprovalEvent = Extract<AirlockEvent, { kind: 'approval.asked' | 'approval.answered' }>;

/** More rules than these are not kept: the oldest goes. */
const maxRules = 100;

export function foldApproval(task: TaskState | undefined, run: RunState, event: ApprovalEvent): void {
  if (event.kind === 'approval.asked') {
    const { callId, tool, call, summary, effect, untilMs } = event;
    run.approval = { callId, tool, call, summary, effect, untilMs, answer: null };
    return;
  }
  const { approval } = run;
  // The first answer is the answer.
  if (approval?.callId !== event.callId || approval.answer !== null) return;
  run.approval = { ...approval, answer: { allowed: event.allowed, by: event.by, reason: event.reason } };
  if (task && event.rule) task.allowed = [...(task.allowed ?? []), event.rule].slice(-maxRules);
}
