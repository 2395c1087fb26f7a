import { CancelledError } from '../../../src/base/errors';
import { silentLogger } from '../../../src/base/logger';
import type {
  Conversation,
  ConversationMessage,
  ConversationOptions,
  EngineHost,
  EngineNotice,
  LaneAllowance,
  OwnToolLeave,
  OwnToolUse,
  RequestSize,
  ToolCall,
  ToolDefinition,
  ToolResult,
} from '../../../src/core/engine';
import type { TokenUsage } from '../../../src/core/usage';
import { createAnthropicEngine } from '../../../src/engines/anthropic/anthropicEngine';
import type { AnthropicEngineOptions } from '../../../src/engines/anthropic/engineOptions';
import { FakeClock } from '../../fakes/clock';
import { type FakeMessagesApi, type FakeScript, startFakeMessagesApi } from '../../fakes/messagesApi';

/** A host that keeps everything in memory and writes down what happened, in order. */
export class MemoryHost implements EngineHost {
  readonly messages: ConversationMessage[] = [];
  readonly notices: EngineNotice[] = [];
  readonly lost: { readonly usage: TokenUsage; readonly model: string }[] = [];
  readonly pauses: { readonly untilMs: number; readonly reason: string }[] = [];
  /** What happened, in order: `record user`, `request`, `begin bash`, `end bash`, … */
  readonly log: string[] = [];
  requests = 0;
  readonly allowances: LaneAllowance[] = [];
  readonly ends: ('nothing' | 'unknown')[] = [];
  private readonly watchers = new Set<() => void>();

  constructor(public tool: (call: ToolCall) => ToolResult | Promise<ToolResult> = () => ({ ok: true, text: 'fine' })) {}

  async record(message: ConversationMessage): Promise<void> {
    this.log.push(`record ${message.role}`);
    this.messages.push(message);
  }

  async callTool(call: ToolCall): Promise<ToolResult> {
    this.log.push(`begin ${call.name}`);
    const result = await this.tool(call);
    this.log.push(`end ${call.name}`);
    return result;
  }

  async beginOwnTool({ name }: OwnToolUse): Promise<OwnToolLeave> {
    this.log.push(`begin ${name}`);
    return { kind: 'go' };
  }

  async endOwnTool(_id: string, _result: ToolResult): Promise<string> {
    return '';
  }

  async beforeRequest(_request: RequestSize): Promise<void> {
    this.requests += 1;
    this.log.push('request');
  }

  async requestOver(cost: 'nothing' | 'unknown'): Promise<void> {
    this.ends.push(cost);
  }

  async recordLostUsage(usage: TokenUsage, model: string): Promise<void> {
    this.lost.push({ usage, model });
  }

  laneTold(allowances: readonly LaneAllowance[]): void {
    this.allowances.push(...allowances);
  }

  pauseLane(untilMs: number, reason: string): void {
    this.pauses.push({ untilMs, reason });
  }

  notify(notice: EngineNotice): void {
    this.notices.push(notice);
    for (const look of [...this.watchers]) look();
  }

  /** Resolves at the first notice of that kind. */
  noticed(kind: EngineNotice['kind']): Promise<void> {
    return new Promise((resolve) => {
      this.watchers.add(() => {
        if (this.noticesOf(kind).length > 0) resolve();
      });
    });
  }

  noticesOf<K extends EngineNotice['kind']>(kind: K): Extract<EngineNotice, { kind: K }>[] {
    return this.notices.filter((notice): notice is Extract<EngineNotice, { kind: K }> => notice.kind === kind);
  }
}

export function tool(name: string, readOnly = false): ToolDefinition {
  return { name, description: `The ${name} tool.`, inputSchema: { type: 'object', properties: {} }, readOnly };
}

export const testTools = [tool('bash'), tool('read', true), tool('grep', true)];

export const testKey = 'sk-test-1234567890';

/** An engine, a fake API and a host, joined; everything ends with `close`. */
export class EngineHarness {
  readonly clock = new FakeClock();
  readonly abort = new AbortController();
  private readonly conversations: Conversation[] = [];

  private constructor(
    readonly api: FakeMessagesApi,
    readonly host: MemoryHost,
  ) {}

  static async start(script: FakeScript, host = new MemoryHost()): Promise<EngineHarness> {
    return new EngineHarness(await startFakeMessagesApi(script), host);
  }

  engineOptions(changes: Partial<AnthropicEngineOptions> = {}): AnthropicEngineOptions {
    return {
      credential: { kind: 'authToken', read: async () => testKey },
      baseUrl: this.api.baseUrl,
      defaultModel: 'claude-test',
      clock: this.clock,
      logger: silentLogger,
      random: () => 1,
      ...changes,
    };
  }

  async open(
    changes: Partial<ConversationOptions> = {},
    engine: Partial<AnthropicEngineOptions> = {},
  ): Promise<Conversation> {
    const conversation = await createAnthropicEngine(this.engineOptions(engine)).open({
      systemPrompt: 'You are a test.',
      model: 'claude-test',
      tools: testTools,
      maxTurns: 20,
      maxOutputTokens: 1000,
      history: [],
      host: this.host,
      signal: this.abort.signal,
      ...changes,
    });
    this.conversations.push(conversation);
    return conversation;
  }

  /** Lets fake time pass whenever only time is being waited for, until `work` is done. */
  async withTime<T>(work: Promise<T>, stepMs = 1000): Promise<T> {
    let done = false;
    const finished = work.finally(() => {
      done = true;
    });
    // Its failure is the caller's to see, below.
    finished.catch(() => {});
    while (!done) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      if (this.isIdle()) await this.clock.advance(stepMs);
    }
    return finished;
  }

  async close(): Promise<void> {
    for (const conversation of this.conversations) await conversation.close();
    await this.api.close();
  }

  /** Every request the API got is over, or stalls on purpose: nothing moves but the clock. */
  private isIdle(): boolean {
    return this.api.requests.every((request) => request.outcome !== 'pending' || request.isStalled);
  }
}

export async function cancelled(work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return false;
  } catch (error) {
    return error instanceof CancelledError;
  }
}
