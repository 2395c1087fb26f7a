import type { ContentBlock, ConversationMessage } from '../../core/engine';

/** Asks the model to go on with an answer that was cut. */
export const goOnText = 'Your answer was cut at the token limit. Go on exactly where it stopped.';

/** Asks the model for a summary, when the conversation is about to outgrow its context window. */
export const askText =
  'This conversation is about to outgrow your context window. What stands above will be gone; only the task and your summary stay. ' +
  'Use no tool now. Write the summary that you need to go on without asking or doing anything twice: what the task demands, what you did ' +
  '(files with their paths, commands with their outcomes), what you found out, what failed and why, what is left to do, and what you were about to do next.';

const resultLeftOut =
  '(This result was left out to make room in your context window. Call the tool again if you need it.)';
const inputLeftOut = '… (left out to make room)';
const summaryHeading = 'The conversation so far was replaced by your own summary of it:';
const forgottenText =
  'Everything after the task was left out, because it no longer fitted into your context window. The workspace is as you left it: ' +
  'look at what was done (git status, git diff) before you go on.';
const goOn = 'Go on with the task from there. Files may be read again.';

/** Shorter ones are not worth the cache that is lost when they change. */
const minResultBytes = 300;
const maxInputLength = 300;

/**
 * What is sent of a conversation, after what was cut from it. From what was kept alone, so that it is the same after a
 * crash.
 */
export function sentMessages(history: readonly ConversationMessage[]): ConversationMessage[] {
  const start = history.findLastIndex(({ cut }) => cut?.kind === 'summary' || cut?.kind === 'forgotten');
  const rest = history.slice(start + 1);
  const trimmedBefore = Math.max(0, ...rest.map((message) => trimmedUpTo(message, history.length)));
  const sent = rest.map((message, at) => (start + 1 + at < trimmedBefore ? withoutToolCalls(message) : message));
  return start === -1 ? sent : [opening(history, start), ...sent];
}

/** The last message of all stays whole: what it says is what is asked. */
function trimmedUpTo({ cut }: ConversationMessage, length: number): number {
  if (cut?.kind === 'results') return cut.before;
  return cut?.kind === 'ask' && cut.trimmed ? length - 1 : 0;
}

/** The task, what was last said to the agent, and what stands for the rest. */
function opening(history: readonly ConversationMessage[], start: number): ConversationMessage {
  const [first, ...others] = history.slice(0, start).filter(isSaid);
  const last = others.at(-1);
  const [cutMessage] = history.slice(start);
  const words = cutMessage ? textsOf(cutMessage) : [];
  const isSummary = cutMessage?.cut?.kind === 'summary';
  const content = [
    ...(first ? textsOf(first) : []),
    ...(isSummary ? [textBlock(summaryHeading), ...words] : [textBlock(forgottenText)]),
    ...(last ? [textBlock('This was the last that you were told:'), ...textsOf(last)] : []),
    textBlock(goOn),
  ];
  return { role: 'user', content, messageId: null, stopReason: null, model: null, usage: null };
}

/** Somebody said it to the agent; it is no result of a tool, and no word of the loop's own. */
function isSaid(message: ConversationMessage): boolean {
  return message.role === 'user' && !message.cut && textsOf(message).some(({ text }) => text !== goOnText);
}

function textsOf({ content }: ConversationMessage): ContentBlock[] {
  return content.filter(({ type }) => type === 'text');
}

function textBlock(text: string): ContentBlock {
  return { type: 'text', text };
}

function withoutToolCalls(message: ConversationMessage): ConversationMessage {
  return { ...message, content: message.content.map(shortened) };
}

function shortened(block: ContentBlock): ContentBlock {
  switch (block.type) {
    case 'tool_result':
      return JSON.stringify(block).length <= minResultBytes ? block : { ...block, content: [textBlock(resultLeftOut)] };
    case 'tool_use':
      return { ...block, input: shortenedInput(block['input']) };
    default:
      return block;
  }
}

function shortenedInput(input: unknown): unknown {
  const json = JSON.stringify(input ?? {}, (_key, value: unknown) =>
    typeof value === 'string' && value.length > maxInputLength ? value.slice(0, maxInputLength) + inputLeftOut : value,
  );
  return JSON.parse(json);
}
