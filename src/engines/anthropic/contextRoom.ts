import type { UserError } from '../../base/errors';
import type { ContextCut, ConversationMessage } from '../../core/engine';
import { inputTokensOf } from '../../core/usage';
import { askText, sentMessages } from './sentMessages';

export interface ContextRoomOptions {
  /** Tokens of prompt and answer together; `null` when that is not known. */
  readonly contextTokens: number | null;
  readonly maxOutputTokens: number;
  /** No more tokens than this are in the request for the next message. */
  readonly boundOf: (sent: readonly ConversationMessage[]) => number;
}

/** A message that is to be kept before the next request, and what it comes to in words. */
export interface PlannedCut {
  readonly message: ConversationMessage;
  readonly notice: string;
}

/** Before anything was counted: fewer bytes are hardly ever one token. */
const tokensPerByte = 1 / 3;

/** Messages with results that stay whole when older ones are cut. */
const keptResults = 6;

/** A cut goes down to this share of the window, so that not every turn needs another one. */
const targetShare = 0.6;

/** No prompt is planned to be larger than this share of the window, as it can only be estimated. */
const fullShare = 0.95;

/**
 * Keeps a conversation within the model's context window: first the results of old tool calls are left out, then the model
 * sums up. What is cut is a message of the conversation, so that it is kept like any other.
 */
export class ContextRoom {
  private contextTokens: number | null;
  /** The last request, and what its prompt and answer came to. */
  private measured: { readonly bound: number; readonly tokens: number } | undefined;

  constructor(private readonly options: ContextRoomOptions) {
    this.contextTokens = options.contextTokens;
  }

  /** Of the answer. Never more than half of the window, or there is no room for the prompt. */
  get maxOutputTokens(): number {
    const { maxOutputTokens } = this.options;
    return this.contextTokens === null
      ? maxOutputTokens
      : Math.min(maxOutputTokens, Math.max(1, Math.floor(this.contextTokens / 2)));
  }

  /** An answer came to the request for the next message of `sent`. */
  answered(sent: readonly ConversationMessage[], { usage }: ConversationMessage): void {
    const tokens = usage ? inputTokensOf(usage) + usage.outputTokens : 0;
    this.measured = tokens > 0 ? { bound: this.options.boundOf(sent), tokens } : undefined;
  }

  /** What must be cut before the next request; `undefined` when it fits, or when there is nothing to cut. */
  cutBefore(history: readonly ConversationMessage[]): PlannedCut | undefined {
    if (history.at(-1)?.cut?.kind === 'ask') return undefined;
    const tokens = this.tokensOf(history);
    if (!isOutgrown(history) && (this.contextTokens === null || tokens <= this.roomFor(this.contextTokens)))
      return undefined;
    return this.cut(history, this.contextTokens ?? tokens, true);
  }

  /** What to cut when the server has refused the prompt. @throws `error` when there is nothing to cut. */
  cutAfter(history: readonly ConversationMessage[], error: UserError): PlannedCut {
    const tokens = this.tokensOf(history);
    const told = error.facts['contextTokens'];
    const room = typeof told === 'number' ? told : Math.min(this.contextTokens ?? Infinity, tokens * 0.9);
    // Too many bytes: a picture has many of them and few tokens, so nothing is learnt of the window.
    if (typeof told === 'number' || error.facts['status'] !== 413) this.contextTokens = room;
    const cut = this.cut(history, room, false);
    if (!cut) throw error;
    return cut;
  }

  private cut(history: readonly ConversationMessage[], contextTokens: number, mayFit: boolean): PlannedCut | undefined {
    const asked = history.at(-1)?.cut;
    if (asked?.kind === 'ask') return asked.trimmed ? this.forget() : ask(true);
    const tokens = this.tokensOf(history);
    const results = userMessage({ kind: 'results', before: placeOfKeptResults(history) });
    const without = this.tokensOf([...history, results]);
    if (without < tokens * 0.9 && without <= this.roomFor(contextTokens) * targetShare) {
      return { message: results, notice: `Older results of tools are left out of it (${change(tokens, without)}).` };
    }
    if (!hasAnswer(history)) return undefined;
    return ask(!mayFit || tokens > contextTokens * fullShare);
  }

  private forget(): PlannedCut {
    const notice = 'There is no room for a summary either: it goes on from the task and the workspace alone.';
    return { message: userMessage({ kind: 'forgotten' }), notice };
  }

  private roomFor(contextTokens: number): number {
    return Math.max(contextTokens * fullShare - this.maxOutputTokens, contextTokens / 2);
  }

  private tokensOf(history: readonly ConversationMessage[]): number {
    const bound = this.options.boundOf(sentMessages(history));
    const { measured } = this;
    if (!measured) return Math.ceil(bound * tokensPerByte);
    // What is new is counted at the dearest of what was seen and what is usual.
    const rate = Math.max(tokensPerByte, measured.tokens / measured.bound);
    if (bound < measured.bound) return Math.ceil((bound * measured.tokens) / measured.bound);
    return Math.ceil(measured.tokens + (bound - measured.bound) * rate);
  }
}

function ask(trimmed: boolean): PlannedCut {
  const message = userMessage({ kind: 'ask', trimmed }, askText);
  return { message, notice: 'The model is asked to sum up what was done, and goes on from that.' };
}

/** The window was full before the answer was whole, and nothing was cut since. */
function isOutgrown(history: readonly ConversationMessage[]): boolean {
  const last = history.findLast(({ role, cut }) => role === 'assistant' || cut);
  return last?.stopReason === 'model_context_window_exceeded' && !last.cut;
}

/** There is something that a summary could stand for. */
function hasAnswer(history: readonly ConversationMessage[]): boolean {
  const start = history.findLastIndex(({ cut }) => cut?.kind === 'summary' || cut?.kind === 'forgotten');
  return history.slice(start + 1).some(({ role }) => role === 'assistant');
}

function placeOfKeptResults(history: readonly ConversationMessage[]): number {
  const places = history.flatMap(({ content }, at) => (content.some(({ type }) => type === 'tool_result') ? [at] : []));
  return places.at(-keptResults) ?? 0;
}

function userMessage(cut: ContextCut, text?: string): ConversationMessage {
  const content = text === undefined ? [] : [{ type: 'text', text }];
  return { role: 'user', content, messageId: null, stopReason: null, model: null, usage: null, cut };
}

function change(before: number, after: number): string {
  return `about ${thousands(before)} → ${thousands(after)} tokens`;
}

function thousands(tokens: number): string {
  return `${Math.max(1, Math.round(tokens / 1000)).toLocaleString('en-US')},000`;
}
