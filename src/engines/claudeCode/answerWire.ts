import type { ContentBlock, ConversationMessage } from '../../core/engine';
import { invalidInputField } from '../anthropic/messageAssembler';
import type { WireEvent } from '../scripted/wire';

/** A kept answer in the shape in which a Messages API gives it whole. */
export function wireMessage(message: ConversationMessage): Record<string, unknown> {
  return { ...beginning(message), content: message.content.map(wireBlock), stop_reason: message.stopReason };
}

/** A kept answer as the events of a streamed one. Nobody watches it come, so each block is one piece. */
export function wireEvents(message: ConversationMessage): WireEvent[] {
  return [
    event('message_start', { message: { ...beginning(message), content: [], stop_reason: null } }),
    ...message.content.map(wireBlock).flatMap(blockEvents),
    event('message_delta', {
      delta: { stop_reason: message.stopReason, stop_sequence: null },
      usage: { output_tokens: message.usage?.outputTokens ?? 0 },
    }),
    event('message_stop', {}),
  ];
}

function beginning({ messageId, model, usage }: ConversationMessage): Record<string, unknown> {
  const short = usage?.cacheWrite5mTokens ?? 0;
  const long = usage?.cacheWrite1hTokens ?? 0;
  return {
    id: messageId,
    type: 'message',
    role: 'assistant',
    model,
    stop_sequence: null,
    usage: {
      input_tokens: usage?.inputTokens ?? 0,
      output_tokens: usage?.outputTokens ?? 0,
      cache_creation_input_tokens: short + long,
      cache_read_input_tokens: usage?.cacheReadTokens ?? 0,
      cache_creation: { ephemeral_5m_input_tokens: short, ephemeral_1h_input_tokens: long },
    },
  };
}

function wireBlock(block: ContentBlock): ContentBlock {
  const { [invalidInputField]: _invalid, ...rest } = block;
  return rest;
}

function blockEvents(block: ContentBlock, index: number): WireEvent[] {
  const { start, deltas } = inPieces(block);
  return [
    event('content_block_start', { index, content_block: start }),
    ...deltas.map((delta) => event('content_block_delta', { index, delta })),
    event('content_block_stop', { index }),
  ];
}

/** What a reader of a stream adds up piece by piece. Kinds without pieces come whole at their start. */
function inPieces(block: ContentBlock): { start: ContentBlock; deltas: Record<string, unknown>[] } {
  switch (block.type) {
    case 'text':
      return { start: { ...block, text: '' }, deltas: [{ type: 'text_delta', text: block.text }] };
    case 'thinking':
      return {
        start: { ...block, thinking: '', signature: '' },
        deltas: [
          { type: 'thinking_delta', thinking: block.thinking },
          { type: 'signature_delta', signature: block.signature },
        ],
      };
    case 'tool_use':
      return {
        start: { ...block, input: {} },
        deltas: [{ type: 'input_json_delta', partial_json: JSON.stringify(block.input ?? {}) }],
      };
    default:
      return { start: block, deltas: [] };
  }
}

function event(name: string, data: Record<string, unknown>): WireEvent {
  return { event: name, data: { type: name, ...data } };
}
