/** Whether a model calls tools, found out by asking it once. Models that cost something are not asked. */
import type { Clock } from '../../base/clock';
import { UserError } from '../../base/errors';
import type { ConversationOptions } from '../../core/engine';
import { type Authorization, type Endpoint, withoutKey } from './endpoint';
import type { EngineLimits } from './engineOptions';
import { MessageAssembler } from './messageAssembler';
import { createModelClient } from './modelClient';
import { readFailure, type RequestFailure } from './requestFailure';
import { ResponseGuard } from './responseGuard';
import { throwIfAborted } from './turnRequester';

export interface ToolProbeOptions {
  readonly endpoint: Endpoint;
  readonly limits: EngineLimits;
  /** What a model answers costs nothing. */
  readonly isFree: (model: string) => boolean;
  readonly clock: Clock;
}

/**
 * - `able`: it called the tool. `unable`: its server refuses tools, or it said something instead.
 * - `unknown`: nothing was learnt. Whatever was in the way, the conversation itself will show it.
 */
type Finding =
  { readonly kind: 'able' } | { readonly kind: 'unable'; readonly why: string } | { readonly kind: 'unknown' };

/** Room for a model that thinks before it does anything. */
const maxTokens = 4096;

/** The one tool of the question. */
export const probeToolName = 'report_ready';

const probeTool = {
  name: probeToolName,
  description: 'Reports that you are ready. Call it when you are asked to.',
  input_schema: {
    type: 'object' as const,
    properties: { word: { type: 'string', description: 'The word that you were given.' } },
    required: ['word'],
  },
};
const question = 'Call the tool report_ready with the word "ready". Say nothing else.';

/** Knows of the models of one server what it has found out, for as long as the engine lives. */
export class ToolProbe {
  /** Models that were asked or are: whether they are able. One that is not is asked again by the next run. */
  private readonly asked = new Map<string, Promise<boolean>>();

  constructor(private readonly options: ToolProbeOptions) {}

  /**
   * Asks the model of a conversation that begins with tools, unless that costs something or is known.
   * @throws {UserError} `model-without-tools`. @throws {CancelledError} when the conversation is aborted.
   */
  async require(
    conversation: Pick<ConversationOptions, 'model' | 'tools' | 'history' | 'signal'>,
    authorization: Authorization,
  ): Promise<void> {
    const { endpoint, isFree } = this.options;
    const { model, tools, history, signal } = conversation;
    if (endpoint.isAnthropic || !isFree(model) || tools.length === 0 || history.length > 0) return;
    for (let other = this.asked.get(model); other; other = this.asked.get(model)) {
      const isAble = await Promise.race([other, aborted(signal)]);
      throwIfAborted(signal);
      if (isAble) return;
    }
    const finding = this.ask(model, authorization, signal);
    this.asked.set(
      model,
      finding.then(
        ({ kind }) => kind === 'able' || this.forget(model),
        () => this.forget(model),
      ),
    );
    const found = await finding;
    if (found.kind === 'unable') throw unable(model, endpoint, found.why);
  }

  private forget(model: string): false {
    this.asked.delete(model);
    return false;
  }

  private async ask(model: string, authorization: Authorization, signal: AbortSignal): Promise<Finding> {
    const { endpoint, limits, clock } = this.options;
    const guard = new ResponseGuard(clock, limits);
    const assembler = new MessageAssembler(new Set());
    try {
      const client = await createModelClient(endpoint, authorization, guard, limits);
      const stream = await client.messages.create(
        {
          model,
          max_tokens: maxTokens,
          stream: true,
          tools: [probeTool],
          messages: [{ role: 'user', content: question }],
        },
        { signal: AbortSignal.any([signal, guard.begin()]) },
      );
      for await (const event of stream) {
        assembler.add(event);
        if (assembler.complete) guard.expectEnd();
      }
    } catch (error) {
      throwIfAborted(signal);
      if (!assembler.complete) return this.refusal(guard.failure ?? error, model, authorization);
    } finally {
      guard.end();
    }
    throwIfAborted(signal);
    return assembler.complete ? findingOf(assembler) : { kind: 'unknown' };
  }

  /** Servers refuse the tools of a model that has none in words of their own, and some call it a failure of theirs. */
  private refusal(error: unknown, model: string, authorization: Authorization): Finding {
    const failure = readFailure(error, {
      model,
      server: this.options.endpoint.baseUrl,
      redact: (text) => withoutKey(text, authorization),
      nowMs: this.options.clock.nowMs(),
    });
    const said = refusedWith(failure);
    return /\btools?\b/i.test(said) ? { kind: 'unable', why: said } : { kind: 'unknown' };
  }
}

/** What a server said that looked at the request; empty when it did not get so far. */
function refusedWith(failure: RequestFailure): string {
  if (failure.kind === 'transient') return failure.answered ? failure.reason : '';
  return failure.error.code === 'model-request-refused' ? failure.error.message : '';
}

function findingOf(assembler: MessageAssembler): Finding {
  const { content, stopReason } = assembler.message();
  if (content.some(({ type }) => type === 'tool_use')) return { kind: 'able' };
  // It was still thinking.
  if (stopReason === 'max_tokens') return { kind: 'unknown' };
  return { kind: 'unable', why: 'Asked to call one, it answered in words alone.' };
}

function unable(model: string, { baseUrl }: Endpoint, why: string): UserError {
  return new UserError(
    'model-without-tools',
    `The model “${model}” at ${baseUrl} calls no tools, and without them no task can be done. ${why} Choose another model (command “Airlock: Choose Model…”, or ANTHROPIC_MODEL), or switch tool calling on in the server, then retry the task.`,
    { retryable: false, model },
  );
}

/** What somebody else's question comes to may take long. */
function aborted(signal: AbortSignal): Promise<false> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(false);
    else signal.addEventListener('abort', () => resolve(false), { once: true });
  });
}
