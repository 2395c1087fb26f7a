import type {
  ContentBlockParam,
  MessageCreateParamsStreaming,
  MessageParam,
  Tool,
} from '@anthropic-ai/sdk/resources/messages';
import { z } from 'zod';
import {
  contentBlockSchema,
  type ContentBlock,
  type ConversationMessage,
  type ToolDefinition,
} from '../../core/engine';
import { invalidInputField } from './messageAssembler';

export interface RequestParts {
  readonly model: string;
  readonly maxOutputTokens: number;
  readonly systemPrompt: string;
  readonly tools: readonly ToolDefinition[];
  readonly history: readonly ConversationMessage[];
  readonly promptCaching: boolean;
  /** What is asked about its thinking. */
  readonly thinking: Pick<MessageCreateParamsStreaming, 'thinking' | 'output_config'>;
}

const cacheMark = { cache_control: { type: 'ephemeral' as const } };

/** Kinds of blocks that the cache's breakpoints may stand on. */
const markable = new Set(['text', 'tool_result', 'image', 'document']);

/**
 * The body of a request. With caching on there are up to four breakpoints, which is all that the API takes: after the
 * tools, after the system prompt, and after the last two of the user's messages, so that each request reads what the one
 * before it wrote.
 */
export function requestBody(parts: RequestParts): MessageCreateParamsStreaming {
  const mark = parts.promptCaching ? cacheMark : {};
  const messages = wireMessages(parts.history);
  return {
    model: parts.model,
    max_tokens: parts.maxOutputTokens,
    stream: true,
    ...parts.thinking,
    messages: parts.promptCaching ? withCacheMarks(messages) : messages,
    ...(parts.systemPrompt === '' ? {} : { system: [{ type: 'text', text: parts.systemPrompt, ...mark }] }),
    ...(parts.tools.length === 0 ? {} : { tools: parts.tools.map((tool, at) => wireTool(tool, at, parts)) }),
  };
}

function wireTool(tool: ToolDefinition, at: number, { tools, promptCaching }: RequestParts): Tool {
  return {
    name: tool.name,
    description: tool.description,
    input_schema: { ...tool.inputSchema, type: 'object' },
    ...(promptCaching && at === tools.length - 1 ? cacheMark : {}),
  };
}

/**
 * A kept block as the SDK types it. Blocks are whatever the API sent, kinds that the SDK does not know yet included, so
 * all that can be checked is that they are blocks.
 */
const wireBlockSchema = z.custom<ContentBlockParam>((value) => contentBlockSchema.safeParse(value).success);

/**
 * What was said, as the API takes it back: blocks as they came, but without empty texts and messages, which it refuses,
 * and with neighbours of the same role in one.
 */
function wireMessages(history: readonly ConversationMessage[]): MessageParam[] {
  const messages: { role: 'user' | 'assistant'; content: ContentBlockParam[] }[] = [];
  for (const { role, content } of history) {
    const blocks = content
      .filter((block) => !isBlank(block))
      .map((block) => wireBlockSchema.parse(withoutOwnFields(block)));
    if (blocks.length === 0) continue;
    const last = messages.at(-1);
    if (last?.role === role) last.content.push(...blocks);
    else messages.push({ role, content: blocks });
  }
  return messages;
}

function isBlank(block: ContentBlock): boolean {
  return block.type === 'text' && (typeof block.text !== 'string' || block.text.trim() === '');
}

function withoutOwnFields(block: ContentBlock): ContentBlock {
  const { [invalidInputField]: _invalid, ...rest } = block;
  return rest;
}

function withCacheMarks(messages: readonly MessageParam[]): MessageParam[] {
  const users = messages.flatMap((message, at) => (message.role === 'user' ? [at] : []));
  const marked = new Set(users.slice(-2));
  return messages.map((message, at) => (marked.has(at) ? withMarkAtEnd(message) : message));
}

function withMarkAtEnd(message: MessageParam): MessageParam {
  if (message.role !== 'user' || typeof message.content === 'string') return message;
  const last = message.content.findLastIndex((block) => markable.has(block.type));
  const content = message.content.map((block, at) => (at === last ? { ...block, ...cacheMark } : block));
  return { role: 'user', content };
}

/** Text that can be sent: halves of surrogate pairs, which a cut can leave, are replaced. */
export function sendable(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8');
}
