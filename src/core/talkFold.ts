import type { AirlockEvent } from './events';
import type { RunState } from './liveState';

type TalkEvent = Extract<AirlockEvent, { kind: 'question.asked' | 'question.answered' | 'run.claimed' }>;

/** What an agent and its user say to each other. */
export function foldTalk(run: RunState, event: TalkEvent): void {
  switch (event.kind) {
    case 'question.asked':
      run.question = { callId: event.callId, text: event.text, answer: null };
      return;
    case 'question.answered':
      if (run.question) run.question = { ...run.question, answer: event.answer };
      return;
    case 'run.claimed':
      run.claims = event.claims;
      return;
  }
}
