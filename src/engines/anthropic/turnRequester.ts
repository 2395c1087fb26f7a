import { fullJitterMs } from '../../base/backoff';
import { type Clock, sleep } from '../../base/clock';
import { CancelledError, UserError } from '../../base/errors';
import type { Logger } from '../../base/logger';
import type { ConversationMessage, ConversationOptions } from '../../core/engine';
import type { EngineLimits } from './engineOptions';
import { MessageAssembler } from './messageAssembler';
import { NoticeLines } from './noticeLines';
import { readFailure, type RequestFailure } from './requestFailure';
import { BadAnswerError, type ResponseGuard } from './responseGuard';

export interface TurnRequesterOptions {
  readonly conversation: ConversationOptions;
  /** Sends one request for the next message of `history` and gives the events of its answer. */
  readonly ask: (history: readonly ConversationMessage[], signal: AbortSignal) => Promise<AsyncIterable<unknown>>;
  /** No more tokens than this are in what `ask` sends. */
  readonly promptBound: (history: readonly ConversationMessage[]) => number;
  readonly guard: ResponseGuard;
  readonly limits: EngineLimits;
  /** The address of the server. */
  readonly server: string;
  readonly redact: (text: string) => string;
  /** Ends everything: the conversation's own signal, or its closing. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
}

/** What a request is about beside what it sends. */
export interface TurnContext {
  /** All that was said, what is no longer sent too. Absent: what is sent. */
  readonly all?: readonly ConversationMessage[];
  /** The request before it stands at its beginning. */
  readonly goesOn: boolean;
}

/** Gets one answer of the model, however many requests that takes. */
export class TurnRequester {
  constructor(private readonly options: TurnRequesterOptions) {}

  /**
   * @throws {CancelledError} when the signal is aborted; the request is closed then.
   * @throws {UserError} when no answer is to be had: see `requestFailure.ts`.
   */
  async answer(history: readonly ConversationMessage[], context: TurnContext): Promise<ConversationMessage> {
    const { limits, signal, clock } = this.options;
    let taken = 0;
    let unreachedSinceMs: number | undefined;
    for (let attempt = 1; ; attempt += 1) {
      await this.waitForLeave(history, context.goesOn);
      const outcome = await this.tryOnce(history, context.all ?? history);
      if ('message' in outcome) return outcome.message;
      const { failure } = outcome;
      if (failure.kind === 'final') throw failure.error;
      if (failure.unreached) {
        unreachedSinceMs ??= clock.monotonicMs();
        if (clock.monotonicMs() - unreachedSinceMs >= limits.maxUnreachedMs) throw unreached(failure, limits);
      } else {
        unreachedSinceMs = undefined;
        taken += 1;
        if (taken >= limits.maxAttempts) throw exhausted(failure, taken);
      }
      const delayMs = this.delayMs(failure.retryAfterMs, attempt);
      this.tellOfRetry(failure, attempt, delayMs);
      await sleep(clock, delayMs, signal);
    }
  }

  private async waitForLeave(history: readonly ConversationMessage[], goesOn: boolean): Promise<void> {
    const { conversation, signal, promptBound } = this.options;
    const { host, model, maxOutputTokens } = conversation;
    throwIfAborted(signal);
    await host.beforeRequest({ model, maxOutputTokens, promptBound: promptBound(history), goesOn });
    if (signal.aborted) await host.requestOver('nothing');
    throwIfAborted(signal);
  }

  private async tryOnce(
    history: readonly ConversationMessage[],
    all: readonly ConversationMessage[],
  ): Promise<{ readonly message: ConversationMessage } | { readonly failure: RequestFailure }> {
    const { conversation, guard, signal, clock, redact, server } = this.options;
    const assembler = new MessageAssembler(toolUseIds(all));
    const lines = new NoticeLines((notice) => conversation.host.notify(notice));
    const turn = all.filter((message) => message.role === 'assistant').length + 1;
    conversation.host.notify({ kind: 'requestStarted', turn });
    const sentMs = clock.monotonicMs();
    let firstTokenMs: number | undefined;
    const whole = (): ConversationMessage => ({ ...this.named(assembler.message()), firstTokenMs });
    try {
      await this.receive(history, assembler, lines, () => (firstTokenMs ??= clock.monotonicMs() - sentMs));
      return { message: whole() };
    } catch (error) {
      // What came whole is whole, whatever happened to the connection after it.
      if (assembler.complete) return { message: whole() };
      await this.recordLostUsage(assembler);
      const context = { model: conversation.model, server, redact, nowMs: clock.nowMs() };
      const failure = readFailure(guard.failure ?? error, context);
      const wasRefused = failure.kind === 'final' || failure.answered || failure.unreached;
      await conversation.host.requestOver(wasRefused && !signal.aborted && !assembler.began ? 'nothing' : 'unknown');
      throwIfAborted(signal);
      return { failure };
    } finally {
      guard.end();
      lines.flush();
    }
  }

  private async receive(
    history: readonly ConversationMessage[],
    assembler: MessageAssembler,
    lines: NoticeLines,
    onContent: () => void,
  ): Promise<void> {
    const { ask, guard } = this.options;
    const signal = AbortSignal.any([this.options.signal, guard.begin()]);
    const stream = await ask(history, signal);
    for await (const event of stream) {
      const delta = assembler.add(event);
      if (assembler.hasContent) onContent();
      if (delta) lines.add(delta);
      if (assembler.complete) guard.expectEnd();
    }
    // The SDK ends the loop in silence when the request is aborted.
    if (!assembler.complete) throw new BadAnswerError('The answer of the model server broke off.');
  }

  /** Servers in the field leave their model's name out. */
  private named(message: ConversationMessage): ConversationMessage {
    return { ...message, model: message.model || this.options.conversation.model };
  }

  private async recordLostUsage(assembler: MessageAssembler): Promise<void> {
    if (!assembler.began) return;
    const { host, model } = this.options.conversation;
    await host.recordLostUsage(assembler.usageSoFar(), model);
  }

  private delayMs(retryAfterMs: number | null, attempt: number): number {
    const { limits, random } = this.options;
    const backoff = { firstMs: limits.firstDelayMs, maxMs: limits.maxDelayMs };
    if (retryAfterMs === null) return fullJitterMs(attempt, backoff, random);
    // A little is added, so that all who were told the same do not come back at the same moment.
    const jitterMs = fullJitterMs(1, backoff, random);
    return Math.min(retryAfterMs + jitterMs, limits.maxRetryAfterMs);
  }

  private tellOfRetry(failure: Extract<RequestFailure, { kind: 'transient' }>, attempt: number, delayMs: number): void {
    const { conversation, clock, logger } = this.options;
    const { code, reason, unreached } = failure;
    if (unreached || code !== 'model-unreachable') conversation.host.pauseLane(clock.nowMs() + delayMs, reason);
    conversation.host.notify({ kind: 'retrying', reason, attempt, delayMs, unreached });
    // The host tells it to people.
    logger.debug('A model request is tried again', { reason, attempt, delayMs: Math.round(delayMs) });
  }
}

function exhausted({ code, reason }: Extract<RequestFailure, { kind: 'transient' }>, attempts: number): UserError {
  const message = `${reason} It was asked ${attempts} times. Try the task again later.`;
  return new UserError(code, message, { retryable: true, attempts });
}

function unreached({ code, reason }: Extract<RequestFailure, { kind: 'transient' }>, limits: EngineLimits): UserError {
  const minutes = Math.round(limits.maxUnreachedMs / 6_000) / 10;
  const message = `${reason} It was tried for ${minutes} minutes. See to the server or its address, then retry the task.`;
  return new UserError(code, message, { retryable: false });
}

function toolUseIds(history: readonly ConversationMessage[]): Set<string> {
  const blocks = history.flatMap((message) => message.content);
  return new Set(blocks.flatMap((block) => (block.type === 'tool_use' ? [String(block.id)] : [])));
}

export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw new CancelledError();
}
