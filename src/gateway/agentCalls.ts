import { assertNever } from '../base/errors';
import type { Executor } from '../core/executor';
import type { Call, ResultOf } from '../protocol/executorProtocol';

/** Calls about agents and what they say to their user. */
export type AgentCall = Extract<Call, { method: 'personas' | 'answer' | 'decide' }>;

export async function dispatchToAgents(executor: Executor, call: AgentCall): Promise<ResultOf<AgentCall['method']>> {
  switch (call.method) {
    case 'personas':
      return executor.personas(call.repo);
    case 'answer':
      await executor.answer(call.taskId, call.text);
      return null;
    case 'decide':
      await executor.decide(call.taskId, call.decision);
      return null;
    default:
      return assertNever(call);
  }
}
