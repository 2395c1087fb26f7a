import type {
  Conversation,
  ConversationMessage,
  ConversationOptions,
  ConversationSetup,
  Engine,
  EnginePlace,
  Prestarted,
} from '../../core/engine';
import { readAllowances } from '../anthropic/allowances';
import type { Mount } from '../../core/jailPolicy';
import {
  type Authorization,
  type Endpoint,
  laneOf,
  parseEndpoint,
  readAuthorization,
  withoutKey,
} from '../anthropic/endpoint';
import { defaultEngineLimits, type EngineLimits } from '../anthropic/engineOptions';
import { createModelClient } from '../anthropic/modelClient';
import { ResponseGuard } from '../anthropic/responseGuard';
import { promptBound } from '../anthropic/promptBound';
import { ToolProbe } from '../anthropic/toolProbe';
import { TurnRequester } from '../anthropic/turnRequester';
import type { ApiRequest } from './apiRequest';
import { allowedBetas } from './betas';
import { ClaudeCodeConversation } from './claudeCodeConversation';
import { type ClaudeProgram, findClaude } from './claudeProgram';
import { type ClaudeCodeEngineOptions, type ClaudeCodeLimits, defaultClaudeCodeLimits } from './engineOptions';
import { furnishFolders, launchOf, sessionIdOf } from './launch';
import type { RelayHeaders } from './modelRelay';
import { SharedContexts } from './sharedContext';
import { serversOf } from './toolBridge';
import { WaitingClaude } from './waitingClaude';

/**
 * An engine that is the user's own Claude Code, inside the run's jail without any network: a socket in the jail leads to
 * the model, and to nothing else.
 * @throws {UserError} `model-url-invalid`. `furnish` throws what `findClaude` throws; `open` throws `model-key-missing`,
 * `model-key-malformed` and `model-without-tools`.
 */
export function createClaudeCodeEngine(options: ClaudeCodeEngineOptions): Engine {
  return new ClaudeCodeEngine(options, parseEndpoint(options.baseUrl));
}

class ClaudeCodeEngine implements Engine {
  readonly kind = 'claude-code';
  readonly defaultModel: string;
  private readonly serverLimits: EngineLimits;
  private readonly probe: ToolProbe;
  private authorization: Authorization | undefined;
  private program: Promise<ClaudeProgram> | undefined;
  private readonly contexts: SharedContexts;

  constructor(
    private readonly options: ClaudeCodeEngineOptions,
    private readonly endpoint: Endpoint,
  ) {
    this.defaultModel = options.defaultModel;
    this.contexts = new SharedContexts(options.clock);
    this.serverLimits = { ...defaultEngineLimits, ...options.serverLimits };
    const { isFree = () => false, clock } = options;
    this.probe = new ToolProbe({ endpoint, limits: this.serverLimits, isFree, clock });
  }

  get lane(): string {
    return laneOf(this.endpoint, this.authorization);
  }

  async furnish(folder: string): Promise<readonly Mount[]> {
    // Looked for each time: a user who updates it does not start this process anew.
    this.program = findClaude(this.options);
    return [(await this.program).mount, ...(await furnishFolders(folder))];
  }

  async prestart(
    setup: ConversationSetup,
    { session, folder }: EnginePlace,
    servers: readonly string[],
    signal: AbortSignal,
  ): Promise<Prestarted | undefined> {
    const { processMode, clock } = this.options;
    if (processMode !== 'prestarted') return undefined;
    const { path: programPath, version } = await this.programNow();
    const sessionId = sessionIdOf(folder);
    const launch = launchOf({ programPath, setup, servers: serversOf(servers), sessionId, joining: { kind: 'new' } });
    const versionNow = async (): Promise<string> => (await this.programNow()).version;
    const { readyMs } = this.limits;
    return WaitingClaude.start({ session, setup, servers, launch, version, versionNow, readyMs, clock }, signal);
  }

  forget(): void {
    this.contexts.clear();
  }

  async open(conversation: ConversationOptions): Promise<Conversation> {
    const { credential, processMode, clock, logger } = this.options;
    const { place } = conversation;
    if (!place) throw new Error('Claude Code needs a session to run in');
    const authorization = await readAuthorization(credential, this.endpoint);
    this.authorization = authorization;
    await this.probe.require(conversation, authorization);
    const program = await this.programNow();
    const guard = new ResponseGuard(clock, this.serverLimits, (headers) =>
      conversation.host.laneTold(readAllowances(headers)),
    );
    const client = await createModelClient(this.endpoint, authorization, guard, this.serverLimits);
    const opened = new ClaudeCodeConversation({
      conversation,
      place,
      programPath: program.path,
      processMode,
      contexts: this.contexts,
      limits: this.limits,
      ask: (request, headers) => this.ask({ conversation, authorization, guard, client }, request, headers),
      clock,
      logger,
    });
    await opened.open();
    return opened;
  }

  private get limits(): ClaudeCodeLimits {
    return { ...defaultClaudeCodeLimits, ...this.options.limits };
  }

  /** As it was found when a session was last furnished. */
  private programNow(): Promise<ClaudeProgram> {
    return (this.program ??= findClaude(this.options));
  }

  private ask(
    { conversation, authorization, guard, client }: Asking,
    request: ApiRequest,
    { betas }: RelayHeaders,
  ): Promise<ConversationMessage> {
    const { clock, logger, random = Math.random } = this.options;
    const requester = new TurnRequester({
      conversation,
      ask: (_history, signal) =>
        client.post('/v1/messages', {
          body: { ...request.body, stream: true },
          stream: true,
          signal,
          headers: { 'anthropic-version': '2023-06-01', 'anthropic-beta': allowedBetas(betas) },
        }),
      promptBound: () => promptBound(request.body),
      guard,
      limits: this.serverLimits,
      server: this.endpoint.baseUrl,
      redact: (text) => withoutKey(text, authorization),
      signal: conversation.signal,
      clock,
      logger,
      random,
    });
    // Whatever it shows first and then, it may be something else.
    return requester.answer(request.history, { goesOn: false });
  }
}

interface Asking {
  readonly conversation: ConversationOptions;
  readonly authorization: Authorization;
  readonly guard: ResponseGuard;
  readonly client: Awaited<ReturnType<typeof createModelClient>>;
}
