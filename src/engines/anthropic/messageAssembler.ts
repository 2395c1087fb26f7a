import { z } from 'zod';
import { newId } from '../../base/ids';
import type { ContentBlock, ConversationMessage } from '../../core/engine';
import { contentBlockSchema } from '../../core/engine';
import type { TokenUsage } from '../../core/usage';
import { BadAnswerError } from './responseGuard';
import { mergeUsage, tokenUsageOf, wireUsageSchema, type WireUsage } from './wireUsage';

const index = z.number().int().min(0).max(9999);

const eventSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('message_start'),
    message: z.object({ id: z.string(), model: z.string(), usage: wireUsageSchema.prefault({}) }),
  }),
  z.object({ type: z.literal('content_block_start'), index, content_block: contentBlockSchema }),
  z.object({ type: z.literal('content_block_delta'), index, delta: contentBlockSchema }),
  z.object({ type: z.literal('content_block_stop'), index }),
  z.object({
    type: z.literal('message_delta'),
    delta: z.object({
      stop_reason: z.string().nullish(),
      stop_details: z.looseObject({ explanation: z.string().nullish() }).nullish().catch(null),
    }),
    usage: wireUsageSchema.prefault({}),
  }),
  z.object({ type: z.literal('message_stop') }),
]);
const typedSchema = z.object({ type: z.string() });
const knownTypes = new Set<unknown>(eventSchema.options.flatMap((option) => [...option.shape.type.values]));

/** The field of a kept tool call whose input was no JSON object: what the model wrote instead. It is never sent back. */
export const invalidInputField = 'airlock_invalid_input';

interface OpenBlock {
  readonly block: Record<string, unknown> & { type: string };
  /** Pieces of JSON of a tool's input, in order. */
  inputJson: string;
}

/** Something of an answer that can be shown while it comes. */
export interface AnswerDelta {
  readonly kind: 'text' | 'thinking' | 'blockEnd';
  readonly text: string;
}

/**
 * Puts an answer together from its events. The SDK's own `MessageStream` cannot be used for it: it fails the whole answer
 * when a tool's input is broken JSON, which has been paid for and can be told to the model, and hides what was used by an
 * answer that breaks off.
 */
export class MessageAssembler {
  private readonly blocks = new Map<number, OpenBlock>();
  private start: { readonly id: string; readonly model: string } | undefined;
  private usage: WireUsage = wireUsageSchema.parse({});
  private stopReason: string | null = null;
  private refusal: string | null = null;
  private stopped = false;

  /** @param usedIds ids of earlier tool calls: one that comes again is replaced, since results are found by id. */
  constructor(private readonly usedIds: ReadonlySet<string>) {}

  /** The server has begun to answer: from here on it is paid for. */
  get began(): boolean {
    return this.start !== undefined;
  }

  /** A part of what it says has come. */
  get hasContent(): boolean {
    return this.blocks.size > 0;
  }

  /** The answer is whole. */
  get complete(): boolean {
    return this.stopped;
  }

  usageSoFar(): TokenUsage {
    return tokenUsageOf(this.usage);
  }

  /** @throws {BadAnswerError} when the event is malformed or out of order. */
  add(raw: unknown): AnswerDelta | undefined {
    const type = typedSchema.safeParse(raw).data?.type;
    // Kinds of events that are not known yet may come at any time, and say nothing that is needed.
    if (!knownTypes.has(type)) return undefined;
    const parsed = eventSchema.safeParse(raw);
    if (!parsed.success) throw new BadAnswerError('The answer of the model server is malformed.');
    return this.apply(parsed.data);
  }

  /** The whole message. Call it when `complete`. */
  message(): ConversationMessage {
    if (!this.start) throw new Error('An answer that was not begun is never complete.');
    return {
      role: 'assistant',
      content: this.content(),
      messageId: this.start.id,
      stopReason: this.stopReason,
      model: this.start.model,
      usage: this.usageSoFar(),
    };
  }

  private apply(event: z.infer<typeof eventSchema>): AnswerDelta | undefined {
    switch (event.type) {
      case 'message_start':
        if (this.start) throw new BadAnswerError('The model server began a second answer in the middle of one.');
        this.start = event.message;
        this.usage = event.message.usage;
        return undefined;
      case 'content_block_start':
        this.blocks.set(event.index, { block: { ...event.content_block }, inputJson: '' });
        return undefined;
      case 'content_block_delta':
        return this.applyDelta(event.index, event.delta);
      case 'content_block_stop':
        return { kind: 'blockEnd', text: '' };
      case 'message_delta':
        this.stopReason = event.delta.stop_reason ?? this.stopReason;
        this.refusal = event.delta.stop_details?.explanation ?? this.refusal;
        this.usage = mergeUsage(this.usage, event.usage);
        return undefined;
      case 'message_stop':
        if (!this.start) throw new BadAnswerError('The model server ended an answer that it had not begun.');
        this.stopped = true;
        return undefined;
    }
  }

  private applyDelta(at: number, delta: ContentBlock): AnswerDelta | undefined {
    const open = this.blocks.get(at);
    if (!open) throw new BadAnswerError('The model server sent a part of a block that it had not begun.');
    const { block } = open;
    switch (delta.type) {
      case 'text_delta':
        return { kind: 'text', text: append(block, 'text', delta.text) };
      case 'thinking_delta':
        return { kind: 'thinking', text: append(block, 'thinking', delta.thinking) };
      case 'signature_delta':
        block.signature = delta.signature;
        return undefined;
      case 'citations_delta':
        block.citations = [...(Array.isArray(block.citations) ? (block.citations as unknown[]) : []), delta.citation];
        return undefined;
      case 'input_json_delta':
        if (typeof delta.partial_json === 'string') open.inputJson += delta.partial_json;
        return undefined;
      default:
        return undefined;
    }
  }

  private content(): ContentBlock[] {
    const ids = new Set(this.usedIds);
    const blocks = [...this.blocks].sort(([a], [b]) => a - b).map(([, open]) => finished(open, ids));
    if (this.stopReason !== 'refusal') return blocks;
    // What was asked for in an answer that was then refused is not done.
    const said = blocks.filter((block) => block.type !== 'tool_use');
    if (said.length > 0 || this.refusal === null) return said;
    return [{ type: 'text', text: this.refusal }];
  }
}

function append(block: Record<string, unknown>, field: string, piece: unknown): string {
  if (typeof piece !== 'string') throw new BadAnswerError('The answer of the model server is malformed.');
  const before = block[field];
  block[field] = (typeof before === 'string' ? before : '') + piece;
  return piece;
}

function finished({ block, inputJson }: OpenBlock, ids: Set<string>): ContentBlock {
  if (block.type !== 'tool_use') return inputJson === '' ? block : { ...block, ...parsedInput(inputJson) };
  const id = typeof block.id === 'string' && /^[\w-]{1,200}$/.test(block.id) && !ids.has(block.id);
  const named = {
    ...block,
    id: id ? block.id : newId('toolu'),
    name: typeof block.name === 'string' ? block.name : '',
  };
  ids.add(String(named.id));
  // Without pieces the input stood in the block's beginning, as some servers have it.
  return { ...named, ...(inputJson === '' ? objectOrInvalid(block.input ?? {}, '') : parsedInput(inputJson)) };
}

function parsedInput(json: string): Record<string, unknown> {
  try {
    return objectOrInvalid(JSON.parse(json), json);
  } catch {
    return invalidInput(json);
  }
}

function objectOrInvalid(value: unknown, json: string): Record<string, unknown> {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? { input: value } : invalidInput(json);
}

function invalidInput(json: string): Record<string, unknown> {
  return { input: {}, [invalidInputField]: json.slice(0, 2000) };
}
