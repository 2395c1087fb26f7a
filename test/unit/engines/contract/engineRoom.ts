import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { systemClock } from '../../../../src/base/clock';
import { silentLogger } from '../../../../src/base/logger';
import type {
  Conversation,
  ConversationOptions,
  Engine,
  OwnToolLeave,
  OwnToolUse,
  RequestSize,
  ToolCall,
  ToolResult,
} from '../../../../src/core/engine';
import type { Mount } from '../../../../src/core/jailPolicy';
import { createAnthropicEngine } from '../../../../src/engines/anthropic/anthropicEngine';
import { createClaudeCodeEngine } from '../../../../src/engines/claudeCode/claudeCodeEngine';
import type { ClaudeCodeLimits, ProcessMode } from '../../../../src/engines/claudeCode/engineOptions';
import {
  type ScriptedModel,
  scriptedModelName,
  startScriptedModel,
} from '../../../../src/engines/scripted/scriptedModel';
import { scriptedPrefix } from '../../../../src/engines/scripted/scriptPlayer';
import {
  type FakeMessagesApi,
  type FakeScript,
  type FakeTurn,
  type SeenRequest,
  startFakeMessagesApi,
} from '../../../fakes/messagesApi';
import { fakeClaude, realClaude } from '../../../fakes/claudePrograms';
import { calls } from '../../../fakes/messagesApiTurns';
import { ProgramSession } from '../../../fakes/programSession';
import { MemoryHost, testKey, tool } from '../harness';

/** A host that keeps what was done with tools as the executor does, whoever does them. */
export class KeepingHost extends MemoryHost {
  /** What a tool came to, by the model's id. */
  readonly results = new Map<string, ToolResult | undefined>();
  /** Why no tool may be used. */
  denial: string | undefined;
  /** What a tool of the executor's own was asked. */
  readonly asked: unknown[] = [];
  /** Thrown before each request. */
  obstacle: Error | undefined;

  override async callTool(call: ToolCall): Promise<ToolResult> {
    // A question is asked again until it is answered, and its answer is the same each time.
    if (call.name === 'ask_user') {
      this.asked.push([call.id, call.input]);
      return this.tool(call);
    }
    const leave = await this.beginOwnTool({ id: call.id, name: call.name, tool: 'bash', summary: '' });
    if (leave.kind === 'answered') return leave.result;
    const result = await this.tool(call);
    await this.endOwnTool(call.id, result);
    return result;
  }

  override async beginOwnTool({ id }: OwnToolUse): Promise<OwnToolLeave> {
    if (this.denial !== undefined) return { kind: 'answered', result: { ok: false, text: this.denial } };
    if (this.results.has(id))
      return { kind: 'answered', result: this.results.get(id) ?? { ok: false, text: 'interrupted' } };
    this.results.set(id, undefined);
    this.log.push(`tool ${id}`);
    return { kind: 'go' };
  }

  override async endOwnTool(id: string, result: ToolResult): Promise<string> {
    if (this.results.get(id) === undefined) this.results.set(id, result);
    return '';
  }

  override async beforeRequest(request: RequestSize): Promise<void> {
    if (this.obstacle) throw this.obstacle;
    await super.beforeRequest(request);
  }
}

/** One of the engines, as the contract sees it. */
export interface ContractEngine {
  readonly name: string;
  /** `undefined`: it is not here. */
  readonly program: string | undefined;
  readonly isClaudeCode: boolean;
  /** What it answers is played by the bundled script. */
  readonly isScripted?: boolean;
}

export const contractEngines: readonly ContractEngine[] = [
  { name: 'the Anthropic engine', program: 'none', isClaudeCode: false },
  { name: 'the scripted engine', program: 'none', isClaudeCode: false, isScripted: true },
  { name: 'Claude Code, a fake', program: fakeClaude, isClaudeCode: true },
  { name: 'Claude Code, the real one', program: realClaude, isClaudeCode: true },
];

/** An engine with a fake API, a host that keeps everything, and a session. */
export class EngineRoom {
  readonly host = new KeepingHost();
  abort = new AbortController();
  /** What the model is called. */
  readonly model: string;
  private readonly open_: Conversation[] = [];
  private readonly scripts: ScriptedModel[] = [];
  /** Ids of tool calls as tests name them, in the order in which they were made. */
  private readonly callIds: string[] = [];

  private constructor(
    private readonly kind: ContractEngine,
    readonly api: FakeMessagesApi,
    readonly session: ProgramSession,
    private readonly folder: string,
  ) {
    this.model = kind.isScripted ? scriptedModelName : 'claude-sonnet-5-5';
  }

  static async make(kind: ContractEngine, script: FakeScript): Promise<EngineRoom> {
    const folder = mkdtempSync(path.join(tmpdir(), 'airlock-engine-'));
    chmodSync(folder, 0o700);
    const answers: FakeScript = async (request) => room.played(await turnOf(script, request), request);
    const api = await startFakeMessagesApi(answers);
    const room: EngineRoom = new EngineRoom(kind, api, await ProgramSession.create(), folder);
    return room;
  }

  /** Words of the model's, as this engine's model says them. */
  said(words: string): string {
    return this.kind.isScripted ? scriptedPrefix + words : words;
  }

  /** The id of a tool call that a test gave this one: a script gives ids of its own. */
  idOf(callId: string): string {
    if (!this.kind.isScripted) return callId;
    const uses = this.host.messages.flatMap(({ content }) => content.filter(({ type }) => type === 'tool_use'));
    return String(uses[this.callIds.indexOf(callId)]?.id);
  }

  /** A use of the shell, in the words of this engine's model. */
  runs(command: string, id: string): FakeTurn {
    this.callIds.push(id);
    return this.kind.isClaudeCode ? calls('Bash', { command, description: 'x' }, id) : calls('bash', { command }, id);
  }

  /** A use of a tool of the executor's own, in the words of this engine's model. */
  calls(name: string, input: Record<string, unknown>, id: string): FakeTurn {
    this.callIds.push(id);
    return calls(this.kind.isClaudeCode ? `mcp__airlock__${name}` : name, input, id);
  }

  async open(
    changes: Partial<ConversationOptions> = {},
    limits: Partial<ClaudeCodeLimits> = {},
    processMode: ProcessMode = 'perRun',
  ): Promise<Conversation> {
    const engine = this.engine(limits, processMode);
    this.session.mounts = (await engine.furnish?.(this.folder)) ?? [];
    const conversation = await engine.open({
      systemPrompt: 'You are a test.',
      model: this.model,
      tools: [tool('bash'), tool('read', true), tool('ask_user', true)],
      maxTurns: 20,
      maxOutputTokens: 1000,
      history: [...this.host.messages],
      host: this.host,
      signal: this.abort.signal,
      place: { session: this.session, folder: this.folder },
      ...changes,
    });
    this.open_.push(conversation);
    return conversation;
  }

  /** Makes another folder of a run. @returns what the session is to see of it. */
  async furnish(folder: string): Promise<readonly Mount[]> {
    return (await this.engine({}, 'perRun').furnish?.(folder)) ?? [];
  }

  /** The executor is killed: nothing is let go of in order, and another one opens what was kept. */
  async crash(changes: Partial<ConversationOptions> = {}): Promise<Conversation> {
    this.abort.abort();
    for (const conversation of this.open_.splice(0)) await conversation.close();
    this.abort = new AbortController();
    const mounts = this.session.mounts;
    const conversation = await this.open(changes);
    if (changes.place) this.session.mounts = mounts;
    return conversation;
  }

  async close(): Promise<void> {
    this.abort.abort();
    for (const conversation of this.open_) await conversation.close();
    await this.session.close();
    await this.api.close();
    for (const script of this.scripts) await script.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** A real script answers what a script can; refusals and faults are of what stands between. */
  private async played(turn: FakeTurn, { body }: SeenRequest): Promise<FakeTurn> {
    if (!this.kind.isScripted || turn.kind !== 'reply' || turn.reply.stopReason !== undefined) return turn;
    const content = turn.reply.content ?? [];
    const step = {
      say: content.map((block) => (block.type === 'text' ? block.text : '')).join('') || 'I call a tool.',
      calls: content.flatMap((block) =>
        block.type === 'tool_use' ? [{ tool: block.name, input: inputSchema.parse(JSON.parse(block.inputJson)) }] : [],
      ),
    };
    // A script finds its place by the number of answers.
    const place = body.messages.filter(({ role }) => role === 'assistant').length;
    const marker = firstWordsOf(body);
    const scenario = { name: 'contract', marker, steps: Array.from({ length: place + 1 }, () => step) };
    const script = await startScriptedModel({ scenarios: [scenario] });
    this.scripts.push(script);
    return { kind: 'forward', to: script.baseUrl, token: script.token };
  }

  private engine(limits: Partial<ClaudeCodeLimits>, processMode: ProcessMode): Engine {
    const server = {
      baseUrl: this.api.baseUrl,
      defaultModel: this.model,
      clock: systemClock,
      logger: silentLogger,
    };
    const credential = { kind: 'authToken', read: () => Promise.resolve(testKey) } as const;
    const serverLimits = { firstDelayMs: 5, maxDelayMs: 20 };
    if (!this.kind.isClaudeCode) {
      const engine = this.kind.isScripted ? 'scripted' : 'anthropic';
      return createAnthropicEngine({ ...server, kind: engine, credential, limits: serverLimits });
    }
    return createClaudeCodeEngine({
      ...server,
      credential,
      serverLimits,
      // The real one needs a while for its start.
      limits: { resumeGraceMs: this.kind.program === realClaude ? 6000 : 1500, ...limits },
      path: this.kind.program ?? null,
      searchPath: '',
      processMode,
    });
  }
}

const inputSchema = z.record(z.string(), z.unknown());

function turnOf(script: FakeScript, request: SeenRequest): FakeTurn | Promise<FakeTurn> {
  const turn = typeof script === 'function' ? script(request) : script[request.index];
  if (turn === undefined) throw new Error(`there is no turn ${request.index}`);
  return turn;
}

function firstWordsOf({ messages }: SeenRequest['body']): string {
  const content = messages[0]?.content ?? '';
  if (typeof content === 'string') return content;
  return content.map(({ text }) => (typeof text === 'string' ? text : '')).join('\n');
}
