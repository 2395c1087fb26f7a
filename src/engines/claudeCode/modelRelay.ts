import { Mutex } from '../../base/mutex';
import { isCancellation, UserError } from '../../base/errors';
import type { ConversationMessage, ConversationOptions } from '../../core/engine';
import { type ApiRequest, isReminder, RequestRefused, screenRequest } from './apiRequest';

/** What came of a request of the jail's. */
export type RelayAnswer =
  | { readonly kind: 'message'; readonly message: ConversationMessage }
  /** In the words of a Messages API. */
  | { readonly kind: 'error'; readonly status: number; readonly type: string; readonly message: string };

/** What of a request matters to the server, beside its body. */
export interface RelayHeaders {
  /** `anthropic-beta`, as it came: whoever sends it on screens it. */
  readonly betas: string;
}

/** What ends an exchange, whatever the program in the jail makes of it. */
export type RelayEnd =
  | { readonly kind: 'failed'; readonly error: unknown }
  | { readonly kind: 'turnLimit'; readonly turns: number }
  | { readonly kind: 'refused'; readonly text: string };

export interface ModelRelayOptions {
  readonly conversation: ConversationOptions;
  /** Gets one answer of the model, however many tries that takes. @throws as the engine's requester does. */
  readonly ask: (request: ApiRequest, headers: RelayHeaders) => Promise<ConversationMessage>;
  readonly onEnd: (end: RelayEnd) => void;
  /** A result of a tool is in a request: the model is about to see it. */
  readonly onToolResult: (id: string, ok: boolean, text: string) => Promise<void>;
}

/** Claude Code asks one thing at a time; what asks for more at once is not the agent. */
const maxWaiting = 8;

/**
 * What stands between the jail and the Messages API. Whoever in the jail asks: it is for this run's model alone, counts as
 * a turn, is paid from this run's budget and is kept, answer and all, before the jail learns it. What was answered before is
 * answered again without asking anybody.
 */
export class ModelRelay {
  private readonly turn = new Mutex();
  private readonly answers = new Map<string, ConversationMessage>();
  private turns = 0;
  private waiting = 0;
  private isOver = false;
  private lastStop: string | null = null;
  private lastKept: ConversationMessage | undefined;

  constructor(private readonly options: ModelRelayOptions) {
    const { history } = options.conversation;
    for (const message of history) this.remember(message);
    this.lastKept = history.at(-1);
  }

  /** Why the model stopped, the last time it was asked. */
  get lastStopReason(): string | null {
    return this.lastStop;
  }

  /** A new attempt begins: what ended the one before it stands no longer in the way. */
  reopen(): void {
    this.isOver = false;
  }

  /** How often the model has answered, in the whole run. */
  get turnCount(): number {
    return this.turns;
  }

  /** The model's id of the last answer; `null` when something was said after it. */
  get lastAnswerId(): string | null {
    return this.lastKept?.messageId ?? null;
  }

  /** What was last said to the agent and never answered, in words; `undefined` when that was the result of a tool. */
  get unanswered(): string | undefined {
    if (this.lastKept?.role !== 'user') return undefined;
    return wordsOf(this.lastKept) || undefined;
  }

  /** Somebody waits for an answer. */
  get isBusy(): boolean {
    return this.waiting > 0;
  }

  async answer(json: string, headers: RelayHeaders): Promise<RelayAnswer> {
    if (this.waiting >= maxWaiting) return error(429, 'rate_limit_error', 'too many requests at once');
    this.waiting += 1;
    try {
      const { model, maxOutputTokens } = this.options.conversation;
      const request = screenRequest(json, { model, maxOutputTokens });
      return await this.turn.run(() => this.answerInTurn(request, headers));
    } catch (failure) {
      if (failure instanceof RequestRefused) return error(400, 'invalid_request_error', `Airlock: ${failure.message}`);
      throw failure;
    } finally {
      this.waiting -= 1;
    }
  }

  private async answerInTurn(request: ApiRequest, headers: RelayHeaders): Promise<RelayAnswer> {
    const known = this.answers.get(request.digest);
    if (known) return this.given(known);
    const { conversation, onEnd } = this.options;
    // Whoever does not believe the end of it is not asked for anybody.
    if (this.isOver) return stopped();
    if (this.turns >= conversation.maxTurns) {
      onEnd({ kind: 'turnLimit', turns: this.turns });
      return error(400, 'invalid_request_error', 'Airlock: the run has had all its turns');
    }
    await this.tellResults(request);
    try {
      await this.recordNews(request.news);
      const message = { ...(await this.options.ask(request, headers)), request: request.digest };
      await conversation.host.record(message);
      this.lastKept = message;
      this.remember(message);
      return this.given(message);
    } catch (failure) {
      return this.failed(failure);
    }
  }

  /** Asked again after a crash, the question is there already. */
  private async recordNews(news: ConversationMessage): Promise<void> {
    if (this.lastKept?.role === 'user' && isSame(this.lastKept, news)) return;
    await this.options.conversation.host.record(news);
    this.lastKept = news;
  }

  private given(message: ConversationMessage): RelayAnswer {
    this.lastStop = message.stopReason;
    // It is told as it is, and not asked about again in other words.
    if (message.stopReason === 'refusal') this.options.onEnd({ kind: 'refused', text: wordsOf(message) });
    return { kind: 'message', message };
  }

  private remember(message: ConversationMessage): void {
    if (message.role !== 'assistant') return;
    this.turns += 1;
    if (message.request) this.answers.set(message.request, message);
  }

  private async tellResults({ news }: ApiRequest): Promise<void> {
    for (const block of news.content) {
      if (block.type !== 'tool_result' || typeof block.tool_use_id !== 'string') continue;
      const text = typeof block.content === 'string' ? block.content : JSON.stringify(block.content ?? '');
      await this.options.onToolResult(block.tool_use_id, block.is_error !== true, text);
    }
  }

  /** Claude Code knows what to do about a full window; everything else is not the jail's to deal with. */
  private failed(failure: unknown): RelayAnswer {
    if (failure instanceof UserError && failure.code === 'context-full') {
      return error(400, 'invalid_request_error', 'prompt is too long');
    }
    this.isOver = true;
    this.options.onEnd({ kind: 'failed', error: failure });
    return isCancellation(failure) ? error(400, 'invalid_request_error', 'Airlock: cancelled') : stopped();
  }
}

function stopped(): RelayAnswer {
  return error(400, 'invalid_request_error', 'Airlock: the run stops here');
}

/** What was said in words, without what Claude Code adds to it. */
export function wordsOf({ content }: ConversationMessage): string {
  const texts = content.filter((block) => !isReminder(block) && typeof block.text === 'string');
  return texts.map((block) => String(block.text)).join('\n');
}

function isSame(a: ConversationMessage, b: ConversationMessage): boolean {
  const said = ({ content }: ConversationMessage): string =>
    JSON.stringify(content.filter((block) => !isReminder(block)));
  return said(a) === said(b);
}

function error(status: number, type: string, message: string): RelayAnswer {
  return { kind: 'error', status, type, message };
}
