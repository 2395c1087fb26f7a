import type { ContentBlock, ConversationMessage, EngineEnd, ToolCall } from '../../core/engine';
import { invalidInputField } from './messageAssembler';

/** A tool call that waits for its result. */
export type PendingCall =
  | { readonly kind: 'call'; readonly call: ToolCall }
  /** It cannot be done; `problem` tells the model why. */
  | { readonly kind: 'broken'; readonly id: string; readonly name: string; readonly problem: string };

/** What is to be done next in a conversation. */
export type NextStep =
  | { readonly kind: 'request' }
  | { readonly kind: 'answerCalls'; readonly calls: readonly PendingCall[] }
  /** The answer was cut at the token limit: the model is asked to go on. */
  | { readonly kind: 'goOn' }
  | { readonly kind: 'end'; readonly end: EngineEnd };

/**
 * What comes next, from what was said so far alone. So a conversation goes on in the same way whether it was just said or
 * was read back after a crash.
 */
export function nextStep(history: readonly ConversationMessage[], maxContinuations: number): NextStep {
  const last = history.at(-1);
  if (!last) return { kind: 'end', end: { kind: 'done', text: '' } };
  if (last.role === 'user' || last.cut) return { kind: 'request' };
  switch (last.stopReason) {
    case 'refusal':
      return { kind: 'end', end: { kind: 'refused', text: textOf(last).trim() } };
    case 'pause_turn': {
      const calls = pendingCalls(last);
      return calls.length > 0 ? { kind: 'answerCalls', calls } : { kind: 'request' };
    }
    case 'max_tokens':
    case 'model_context_window_exceeded':
      return afterCut(history, last, maxContinuations);
    default: {
      const calls = pendingCalls(last);
      if (calls.length > 0) return { kind: 'answerCalls', calls };
      return { kind: 'end', end: { kind: 'done', text: finalText(history) } };
    }
  }
}

function afterCut(
  history: readonly ConversationMessage[],
  last: ConversationMessage,
  maxContinuations: number,
): NextStep {
  if (cutsInARow(history) > maxContinuations) return { kind: 'end', end: { kind: 'tooLong' } };
  const calls = pendingCalls(last);
  return calls.length > 0 ? { kind: 'answerCalls', calls } : { kind: 'goOn' };
}

/** Ends of an answer that is not whole. */
const cutStops = new Set<string | null>(['max_tokens', 'model_context_window_exceeded']);

/** Calls of an assistant's message. The last block of an answer that was cut is not whole, even if it happens to parse. */
export function pendingCalls(message: ConversationMessage): PendingCall[] {
  const isCut = cutStops.has(message.stopReason);
  return message.content.flatMap((block, at) => {
    if (block.type !== 'tool_use') return [];
    return [pendingCall(block, isCut && at === message.content.length - 1)];
  });
}

function pendingCall(block: ContentBlock, isCut: boolean): PendingCall {
  const id = String(block.id);
  const name = String(block.name);
  if (isCut) {
    const problem =
      'Your answer was cut at the token limit, so this call was not done. Send it again in smaller parts.';
    return { kind: 'broken', id, name, problem };
  }
  const invalid = block[invalidInputField];
  if (typeof invalid === 'string') {
    const problem = `The input of this call is no JSON object, so it was not done. It began: ${JSON.stringify(invalid.slice(0, 300))}. Send the call again with valid JSON.`;
    return { kind: 'broken', id, name, problem };
  }
  return { kind: 'call', call: { id, name, input: block.input } };
}

/** How many of the assistant's last messages were cut, one after another. */
function cutsInARow(history: readonly ConversationMessage[]): number {
  const answers = answersOf(history);
  const whole = answers.findLastIndex((message) => !cutStops.has(message.stopReason));
  return answers.length - 1 - whole;
}

/** The text of the last answer, with the parts before it that were cut. */
function finalText(history: readonly ConversationMessage[]): string {
  const answers = answersOf(history);
  const parts = answers.slice(0, -1);
  const cuts = parts.length - 1 - parts.findLastIndex(({ stopReason }) => stopReason !== 'max_tokens');
  return answers
    .slice(answers.length - 1 - cuts)
    .map(textOf)
    .join('')
    .trim();
}

/** The model's answers, but for those that sum up. */
export function answersOf(history: readonly ConversationMessage[]): ConversationMessage[] {
  return history.filter(({ role, cut }) => role === 'assistant' && !cut);
}

function textOf(message: ConversationMessage): string {
  return message.content
    .flatMap((block) => (block.type === 'text' && typeof block.text === 'string' ? [block.text] : []))
    .join('\n');
}
