import type { MessagesBody } from './messagesApi';

type Message = MessagesBody['messages'][number];
type Block = Exclude<Message['content'], string>[number];

/** What the real API says of a conversation that it does not take; `undefined` for one that it takes. */
export function complaintOf({ messages }: MessagesBody): string | undefined {
  if (messages.length === 0) return 'messages: at least one message is required';
  return messages.map((message, at) => complaintOfMessage(messages, message, at)).find((said) => said !== undefined);
}

function complaintOfMessage(messages: readonly Message[], message: Message, at: number): string | undefined {
  if (message.role !== 'user' && message.role !== 'assistant') return undefined;
  const blocks = blocksOf(message);
  if (blocks.length === 0) return `messages.${at}: all messages must have non-empty content`;
  const blank = blocks.findIndex(({ type, text }) => type === 'text' && String(text).trim() === '');
  if (blank !== -1) return `messages.${at}.content.${blank}: text content blocks must be non-empty`;
  return complaintOfCalls(blocks, blocksOf(messages[at + 1])) !== undefined
    ? `messages.${at}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${complaintOfCalls(blocks, blocksOf(messages[at + 1]))}`
    : complaintOfResults(blocks, blocksOf(messages[at - 1]), at);
}

function complaintOfCalls(blocks: readonly Block[], next: readonly Block[]): string | undefined {
  const answered = new Set(next.filter(({ type }) => type === 'tool_result').map((block) => block['tool_use_id']));
  const open = blocks.filter(({ type, id }) => type === 'tool_use' && !answered.has(id)).map(({ id }) => String(id));
  return open.length === 0 ? undefined : open.join(', ');
}

function complaintOfResults(blocks: readonly Block[], before: readonly Block[], at: number): string | undefined {
  const called = new Set(before.filter(({ type }) => type === 'tool_use').map(({ id }) => id));
  const stray = blocks.find((block) => block.type === 'tool_result' && !called.has(block['tool_use_id']));
  return (
    stray &&
    `messages.${at}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${String(stray['tool_use_id'])}`
  );
}

function blocksOf(message: Message | undefined): readonly Block[] {
  if (message === undefined) return [];
  return typeof message.content === 'string' ? [{ type: 'text', text: message.content }] : message.content;
}
