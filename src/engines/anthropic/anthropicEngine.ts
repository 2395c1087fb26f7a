import type { Conversation, ConversationOptions, Engine } from '../../core/engine';
import { offeredTools } from '../../core/engine';
import { readAllowances } from './allowances';
import { AnthropicConversation } from './anthropicConversation';
import { type Authorization, type Endpoint, laneOf, parseEndpoint, readAuthorization, withoutKey } from './endpoint';
import { type AnthropicEngineOptions, defaultEngineLimits, type EngineLimits } from './engineOptions';
import { ContextRoom } from './contextRoom';
import { knownModel } from './knownModels';
import { createModelClient } from './modelClient';
import { promptBound } from './promptBound';
import { requestBody } from './requestBody';
import { RequestShape } from './requestShape';
import { ResponseGuard } from './responseGuard';
import { effortIgnored } from './thinking';
import { ToolProbe } from './toolProbe';
import { TurnRequester } from './turnRequester';

/**
 * An engine that talks to a Messages API: Anthropic's own, a compatible server, a local model, or the bundled script.
 * Nothing is loaded or read before the first conversation is opened.
 * @throws {UserError} `model-url-invalid`. `open` throws `model-key-missing`, `model-key-malformed` and `model-without-tools`.
 */
export function createAnthropicEngine(options: AnthropicEngineOptions): Engine {
  return new AnthropicEngine(options, parseEndpoint(options.baseUrl));
}

class AnthropicEngine implements Engine {
  readonly kind: string;
  readonly defaultModel: string;
  private readonly limits: EngineLimits;
  private readonly probe: ToolProbe;
  private authorization: Authorization | undefined;

  constructor(
    private readonly options: AnthropicEngineOptions,
    private readonly endpoint: Endpoint,
  ) {
    this.kind = options.kind ?? 'anthropic';
    this.defaultModel = options.defaultModel;
    this.limits = { ...defaultEngineLimits, ...options.limits };
    const { isFree = () => false, clock } = options;
    this.probe = new ToolProbe({ endpoint, limits: this.limits, isFree, clock });
  }

  /** Which key is known once a conversation was opened; before that it is the server alone. */
  get lane(): string {
    return laneOf(this.endpoint, this.authorization);
  }

  async open(conversation: ConversationOptions): Promise<Conversation> {
    const { clock, logger, credential, promptCaching = 'auto', random = Math.random } = this.options;
    const authorization = await readAuthorization(credential, this.endpoint);
    this.authorization = authorization;
    await this.probe.require(conversation, authorization);
    const guard = new ResponseGuard(clock, this.limits, (headers) =>
      conversation.host.laneTold(readAllowances(headers)),
    );
    const ending = new AbortController();
    const client = await createModelClient(this.endpoint, authorization, guard, this.limits);
    const withCaching = promptCaching === 'on' || (promptCaching === 'auto' && this.endpoint.isAnthropic);
    const room: ContextRoom = new ContextRoom({
      contextTokens: this.contextTokensOf(conversation.model),
      maxOutputTokens: conversation.maxOutputTokens,
      boundOf: (sent) => promptBound(bodyOf(sent)),
    });
    const shape = new RequestShape(conversation.model, conversation.effort ?? null);
    const bodyOf = (history: typeof conversation.history): ReturnType<typeof requestBody> =>
      requestBody({
        ...conversation,
        tools: offeredTools(conversation),
        maxOutputTokens: room.maxOutputTokens,
        history: shape.of(history),
        promptCaching: withCaching,
        thinking: shape.thinking,
      });
    const requester = new TurnRequester({
      conversation,
      ask: (history, signal) => client.messages.create(bodyOf(history), { signal }),
      promptBound: (history) => promptBound(bodyOf(history)),
      guard,
      limits: this.limits,
      server: this.endpoint.baseUrl,
      redact: (text) => withoutKey(text, authorization),
      signal: AbortSignal.any([conversation.signal, ending.signal]),
      clock,
      logger,
      random,
    });
    const ignored = effortIgnored(conversation.model, conversation.effort ?? null);
    if (ignored !== undefined) conversation.host.notify({ kind: 'warning', text: ignored });
    const { maxContinuations } = this.limits;
    return new AnthropicConversation(conversation, { requester, room, shape, maxContinuations, ending });
  }

  /** `null`: it shows when it is full. */
  private contextTokensOf(model: string): number | null {
    return this.options.contextTokens ?? knownModel(model)?.contextTokens ?? null;
  }
}
