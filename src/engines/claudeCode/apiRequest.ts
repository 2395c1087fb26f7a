import { z } from 'zod';
import { sha256 } from '../../base/digest';
import { contentBlockSchema, type ContentBlock, type ConversationMessage } from '../../core/engine';
import { isMcpTool } from '../../core/mcp';

const contentSchema = z.union([z.string(), z.array(contentBlockSchema)]);
const messageSchema = z.looseObject({ role: z.string(), content: contentSchema });

/**
 * What of a request leaves the machine. Everything else is dropped: a field of tomorrow may be a way out of the jail, as
 * `mcp_servers` and `container` are, or a way to spend more, as `service_tier` and `speed` are.
 */
const bodySchema = z.object({
  model: z.string().max(200),
  max_tokens: z.number().int().positive(),
  messages: z.array(messageSchema).min(1).max(20_000),
  system: contentSchema.optional(),
  tools: z.array(z.looseObject({ name: z.string(), type: z.string().optional() })).optional(),
  tool_choice: z.unknown().optional(),
  metadata: z.unknown().optional(),
  thinking: z.unknown().optional(),
  context_management: z.unknown().optional(),
  output_config: z.unknown().optional(),
  temperature: z.number().optional(),
  stop_sequences: z.array(z.string()).optional(),
  stream: z.boolean().optional(),
});
export type ApiBody = z.infer<typeof bodySchema>;

/** A request that may be sent. */
export interface ApiRequest {
  readonly body: ApiBody;
  /** The conversation that it holds, without its last user message. */
  readonly history: readonly ConversationMessage[];
  /** What is new in it: all that follows the model's last message. */
  readonly news: ConversationMessage;
  /** The same for the same question, whatever day it is and whatever is cached. */
  readonly digest: string;
}

/** A request of the jail's that is not sent, and why. */
export class RequestRefused extends Error {
  override readonly name = 'RequestRefused';
}

/** What this run's requests may be. */
export interface RequestLimits {
  readonly model: string;
  readonly maxOutputTokens: number;
}

/**
 * Looks at what something in the jail wants to be asked. Whoever is in there may ask what they like of the run's own model,
 * but the server must fetch nothing for them: no tools that it runs itself, and no images and documents by address.
 * @throws {RequestRefused}
 */
export function screenRequest(json: string, limits: RequestLimits): ApiRequest {
  const body = parsed(json);
  if (body.model !== limits.model) {
    throw new RequestRefused(`this run may use the model ${limits.model} alone, not ${JSON.stringify(body.model)}`);
  }
  if (body.max_tokens > limits.maxOutputTokens) {
    throw new RequestRefused(`an answer may have at most ${limits.maxOutputTokens} tokens, not ${body.max_tokens}`);
  }
  const servers = (body.tools ?? []).find(({ type }) => type !== undefined && type !== 'custom');
  if (servers) throw new RequestRefused(`tools that the server runs itself are not let through (${servers.name})`);
  const messages = body.messages.map(({ role, content }) => ({ role, content: blocksOf(content) }));
  for (const block of [...messages.flatMap(({ content }) => content), ...blocksOf(body.system ?? [])])
    refuseFetching(block);
  // What Claude Code itself tells the model in between is neither the user's word nor the model's.
  const said = messages.filter(({ role }) => role !== 'system');
  const answered = said.findLastIndex(({ role }) => role === 'assistant');
  return {
    body,
    history: said.slice(0, answered + 1).map(({ role, content }) => kept(role, content)),
    news: kept(
      'user',
      said.slice(answered + 1).flatMap(({ content }) => content),
    ),
    digest: digestOf(body, said),
  };
}

function parsed(json: string): ApiBody {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new RequestRefused('the request is no JSON');
  }
  const result = bodySchema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new RequestRefused(`the request is none of a Messages API (${issue?.path.join('.')}: ${issue?.message})`);
}

/** Anything at any depth: results of tools hold blocks too. */
function refuseFetching(value: unknown): void {
  if (Array.isArray(value)) return value.forEach(refuseFetching);
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    if (key === 'source') refuseFetchedSource(inner);
    if (key !== 'input') refuseFetching(inner);
  }
}

const inlineSources = new Set(['base64', 'text', 'content']);

function refuseFetchedSource(source: unknown): void {
  const type = z.object({ type: z.string() }).safeParse(source).data?.type;
  // A search result names where it is from, in words.
  if (typeof source === 'string' || (type !== undefined && inlineSources.has(type))) return;
  throw new RequestRefused('images and documents are let through only with their bytes, not by an address');
}

function blocksOf(content: z.infer<typeof contentSchema>): ContentBlock[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : content;
}

function kept(role: string, content: readonly ContentBlock[]): ConversationMessage {
  return {
    role: role === 'assistant' ? 'assistant' : 'user',
    content: content.map(withoutMark),
    ...{ messageId: null, stopReason: null, model: null, usage: null },
  };
}

function withoutMark(block: ContentBlock): ContentBlock {
  const { cache_control: _mark, ...rest } = block;
  return rest;
}

/** Claude Code tells the model of today's date, of the branch and the like in such blocks: they change, the question does not. */
export function isReminder(block: ContentBlock): boolean {
  return block.type === 'text' && typeof block.text === 'string' && block.text.startsWith('<system-reminder>');
}

/** What Claude Code says for its user when it takes up a turn that was interrupted: it is the same question as before. */
function isNudge({ type, text }: ContentBlock): boolean {
  return type === 'text' && typeof text === 'string' && text.trim() === 'Continue from where you left off.';
}

/** When it puts messages together it adds a line's end. */
function withoutEdges(block: ContentBlock): ContentBlock {
  return block.type === 'text' && typeof block.text === 'string' ? { ...block, text: block.text.trim() } : block;
}

function digestOf(
  body: ApiBody,
  messages: readonly { readonly role: string; readonly content: ContentBlock[] }[],
): string {
  const words = messages.map(({ role, content }) => [
    role,
    content.filter((block) => !isReminder(block) && !isNudge(block)).map((block) => withoutEdges(withoutMark(block))),
  ]);
  // Tools of servers come when these are ready, which is another moment each time.
  const names = (body.tools ?? []).map(({ name }) => name).filter((name) => !isMcpTool(name));
  return sha256(JSON.stringify([body.model, names, words]));
}
