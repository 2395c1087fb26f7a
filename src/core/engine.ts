import { z } from 'zod';
import type { Event } from '../base/emitter';
import type { ToolName } from './persona';
import { digestSchema } from './ids';
import type { Mount } from './jailPolicy';
import type { Session } from './session';
import { tokenUsageSchema, type TokenUsage } from './usage';

/** A part of a message, in the shape that the Messages API has. Kinds that we do not know are kept as they came. */
export const contentBlockSchema = z.looseObject({ type: z.string() });
export type ContentBlock = z.infer<typeof contentBlockSchema>;

/** Made once: making a schema takes longer than using it. */
export const contentBlocksSchema = z.array(contentBlockSchema);

/**
 * How an engine made room in the model's context window. It stands on the message from which on less is sent; what was said
 * stays as it was kept.
 */
export const contextCutSchema = z.discriminatedUnion('kind', [
  /** Of the messages before that place, the results and the long inputs of tool calls are left out. */
  z.object({ kind: z.literal('results'), before: z.number().int().nonnegative() }),
  /** The model is asked for a summary. `trimmed`: of a conversation whose tool calls are left out. */
  z.object({ kind: z.literal('ask'), trimmed: z.boolean() }),
  /** The model's summary: it stands for everything before it but the task. */
  z.object({ kind: z.literal('summary') }),
  /** There was no room for a summary: everything before it but the task is left out. */
  z.object({ kind: z.literal('forgotten') }),
]);
export type ContextCut = z.infer<typeof contextCutSchema>;

/** One message of a conversation, as it is kept: turn by turn, in the order in which it was said. */
export const conversationMessageSchema = z.object({
  role: z.enum(['user', 'assistant']),
  content: contentBlocksSchema,
  /** The model's own id of an assistant's message. */
  messageId: z.string().nullable().default(null),
  stopReason: z.string().nullable().default(null),
  /** The model that answered, and what the request used; `null` on a user's message. */
  model: z.string().nullable().default(null),
  usage: tokenUsageSchema.nullable().default(null),
  /** From sending the request to the first part of its answer, where that was seen. */
  firstTokenMs: z.number().nonnegative().nullish(),
  /**
   * Which request an assistant's message answers, for an engine that does not write its requests itself: the same one,
   * asked again after a crash, is answered with it.
   */
  request: digestSchema.nullish(),
  cut: contextCutSchema.nullish(),
});
export type ConversationMessage = z.infer<typeof conversationMessageSchema>;

/** The words of an assistant's message as it is kept; nothing when it is no such message. */
export function spokenText(json: string): string {
  try {
    const parsed = conversationMessageSchema.safeParse(JSON.parse(json));
    if (!parsed.success || parsed.data.role !== 'assistant') return '';
    return parsed.data.content
      .flatMap((block) => (block.type === 'text' && typeof block['text'] === 'string' ? [block['text']] : []))
      .join('\n\n');
  } catch {
    return '';
  }
}

/** How much a model thinks and writes, where it can be told. */
export const efforts = ['low', 'medium', 'high', 'xhigh', 'max'] as const;
export const effortSchema = z.enum(efforts);
export type Effort = z.infer<typeof effortSchema>;

/** A tool as the model is told of it. */
export interface ToolDefinition {
  readonly name: string;
  readonly description: string;
  /** A JSON schema of an object. */
  readonly inputSchema: Readonly<Record<string, unknown>>;
  /** It changes nothing, so several may run at once. */
  readonly readOnly: boolean;
}

export interface ToolCall {
  /** The model's id of this call: a call is done at most once. */
  readonly id: string;
  readonly name: string;
  /** As the model gave it: not yet validated. */
  readonly input: unknown;
  /** The id alone names the call: after a crash it may be asked for at any place of the conversation. Absent: no. */
  readonly isIdLasting?: boolean;
}

export interface ToolResult {
  readonly ok: boolean;
  /** What the model is given back. */
  readonly text: string;
  /** What it is shown beside that. Absent: nothing. */
  readonly images?: readonly ToolImage[];
}

/** Kinds of images that models look at. */
export const imageTypeSchema = z.enum(['image/png', 'image/jpeg', 'image/gif', 'image/webp']);
export type ImageType = z.infer<typeof imageTypeSchema>;

/** An image that a tool gave. */
export interface ToolImage {
  readonly mediaType: ImageType;
  readonly bytes: Uint8Array;
}

/** A tool that the engine's own program does in the run's session. */
export interface OwnToolUse {
  /** The model's id of it. */
  readonly id: string;
  /** As the engine's program calls it. */
  readonly name: string;
  /** The tool of a persona's list that allows it; `null` when none does. */
  readonly tool: ToolName | null;
  /** One line for people. */
  readonly summary: string;
  /** What it is to be done with, as the engine's program says it. Absent: nothing. */
  readonly input?: unknown;
}

/** Whether a tool of the engine's own program is to be done. */
export type OwnToolLeave =
  | { readonly kind: 'go' }
  /** It is not: it was denied, or begun before. The model is told this instead. */
  | { readonly kind: 'answered'; readonly result: ToolResult };

/** Something worth showing while the engine works. None of these is needed to resume. */
export type EngineNotice =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'thinking'; readonly text: string }
  | { readonly kind: 'requestStarted'; readonly turn: number }
  /** A request failed in a way that is tried again. `reason` is for people. `unreached`: no server took it at all. */
  | {
      readonly kind: 'retrying';
      readonly reason: string;
      readonly attempt: number;
      readonly delayMs: number;
      readonly unreached: boolean;
    }
  | { readonly kind: 'warning'; readonly text: string }
  /** Something of the conversation is no longer sent, so that it fits into the model's context window. */
  | { readonly kind: 'contextCut'; readonly text: string };

/** How an exchange ended. */
export type EngineEnd =
  | { readonly kind: 'done'; readonly text: string }
  | { readonly kind: 'turnLimit'; readonly turns: number }
  | { readonly kind: 'refused'; readonly text: string }
  /** The answer was cut at the token limit, more than once. */
  | { readonly kind: 'tooLong' };

/** What a server allows its key until it allows more. */
export interface LaneAllowance {
  readonly of: 'requests' | 'inputTokens' | 'outputTokens';
  /** All that there is at most; `null` when that was not told. */
  readonly limit: number | null;
  readonly remaining: number;
  /** When everything is there again, in wall time. */
  readonly resetMs: number;
}

/** What bounds the cost of a request. */
export interface RequestSize {
  readonly model: string;
  readonly maxOutputTokens: number;
  /** No more tokens than this are in the prompt: the bytes of its whole body, as each token has at least one. */
  readonly promptBound: number;
  /** The prompt is that of the run's last answered request, its answer, and something behind it. */
  readonly goesOn: boolean;
}

/**
 * What an engine asks of the executor. The engine acts only after the promise has resolved: then it is durable.
 */
export interface EngineHost {
  /** Keeps a message. It is on disk when this resolves. */
  record(message: ConversationMessage): Promise<void>;
  /**
   * Does a tool call, or answers what it gave when it was done before. Never rejects for what the tool did wrong: that is
   * an answer with `ok: false`.
   * @throws {CancelledError} when the run is being ended.
   */
  callTool(call: ToolCall): Promise<ToolResult>;
  /**
   * Asked before a tool of the engine's own program runs; that it was called is on disk when this resolves.
   * @throws {CancelledError} when the run is being ended.
   */
  beginOwnTool(use: OwnToolUse): Promise<OwnToolLeave>;
  /** Keeps what such a tool gave. @returns what the model is to learn along with it; empty for nothing. */
  endOwnTool(id: string, result: ToolResult): Promise<string>;
  /**
   * Called before each request, one at a time: waits while the lane is held, and reserves the most that the request can cost.
   * It is settled by the `record` of its answer, or by `requestOver`.
   * @throws {UserError} `budget-spent`, `price-unknown`, `turn-limit`.
   */
  beforeRequest(request: RequestSize): Promise<void>;
  /**
   * A request is over and gave no message. `nothing`: it was refused, or no server took it, so that it costs nothing.
   * `unknown`: it was sent, and what it costs was not told to its end.
   */
  requestOver(cost: 'nothing' | 'unknown'): Promise<void>;
  /** Usage of a request that failed after it had begun: it was paid for, and no message was kept. */
  recordLostUsage(usage: TokenUsage, model: string): Promise<void>;
  /** What the server said of its limits with an answer. */
  laneTold(allowances: readonly LaneAllowance[]): void;
  /** The lane is to be left alone until then, for every session that uses it. */
  pauseLane(untilMs: number, reason: string): void;
  notify(notice: EngineNotice): void;
}

/** Tools of servers that come and go while the agent works. */
export interface ServedTools {
  /** Servers that are named from the start, though their tools may come later. */
  readonly servers: readonly string[];
  definitions(): readonly ToolDefinition[];
  readonly onDidChange: Event<void>;
}

/** What is known of a conversation before there is a task. */
export interface ConversationSetup {
  readonly systemPrompt: string;
  readonly model: string;
  readonly tools: readonly ToolDefinition[];
  readonly maxTurns: number;
  readonly maxOutputTokens: number;
  /** Absent or `null`: as the model has it. */
  readonly effort?: Effort | null;
}

export interface ConversationOptions extends ConversationSetup {
  /** Beside `tools`, anew for each request. Absent: none. */
  readonly served?: ServedTools;
  /**
   * Conversations of the same name may know of each other: an engine that can do so lets a new one begin where the last of
   * them ended. Absent: it knows of none.
   */
  readonly sharedContext?: string;
  /** What was said so far; empty for a new conversation. It may end anywhere, after a crash too. */
  readonly history: readonly ConversationMessage[];
  readonly host: EngineHost;
  readonly signal: AbortSignal;
  /** Where the program of an engine with `furnish` can run. Others do not look at it. */
  readonly place?: EnginePlace;
}

/** All that the model is offered now. */
export function offeredTools({
  tools,
  served,
}: Pick<ConversationOptions, 'tools' | 'served'>): readonly ToolDefinition[] {
  return served ? [...tools, ...served.definitions()] : tools;
}

/** What an engine may use of the run, when its program runs inside. */
export interface EnginePlace {
  readonly session: Session;
  /** A folder of the host, this run's alone. It stays between the sessions of the run. It may not exist yet. */
  readonly folder: string;
  /** What the engine started in that session before there was a run. */
  readonly prestarted?: Prestarted;
}

/** A program of an engine's that waits in a session for its first conversation. It dies with the session. */
export interface Prestarted {
  /** @returns why it must not be used, in words; `undefined` when nothing speaks against it. */
  doubt(): Promise<string | undefined>;
}

export interface Conversation {
  /**
   * Says something to the agent and lets it work until it ends its turn.
   * @throws {CancelledError} when the signal is aborted. @throws {UserError} `model-key-refused`, `model-request-refused`,
   * `model-unreachable`, `context-full`, …: facts say whether another try makes sense (`retryable`).
   */
  send(text: string): Promise<EngineEnd>;
  /** Goes on with a conversation whose last message was not the end of the agent's turn. */
  resume(): Promise<EngineEnd>;
  /** Lets go of what it holds (sockets, processes). */
  close(): Promise<void>;
}

/** What thinks. Engines know nothing of tasks, jails or journals. */
export interface Engine {
  /** `anthropic`, `scripted`, `claude-code`, … */
  readonly kind: string;
  /** The lane: which key at which server. Rate limits are per lane and model. Never the key itself. */
  readonly lane: string;
  /** The model that is used when persona and task name none. */
  readonly defaultModel: string;
  /**
   * For an engine whose program runs in the run's session: called before that is opened.
   * @param folder as in `EnginePlace`.
   * @returns what the session is to see, beside the workspace. Folders that it may write to are handed over to its account.
   * @throws {UserError} when the program is not there or too old.
   */
  furnish?(folder: string): Promise<readonly Mount[]>;
  /**
   * For an engine whose program takes a while to start: starts it in a session that waits for a run, and waits until it is ready.
   * It is used for one conversation, if that is as was said here, or for none.
   * @param servers as in `ServedTools`. @returns `undefined` when it is not to be started ahead.
   * @throws when it does not get ready; then nothing of it lives.
   */
  prestart?(
    setup: ConversationSetup,
    place: EnginePlace,
    servers: readonly string[],
    signal: AbortSignal,
  ): Promise<Prestarted | undefined>;
  /** Forgets what it kept of conversations that have ended. */
  forget?(): void;
  open(options: ConversationOptions): Promise<Conversation>;
}

/** Ends of an answer after which there is more to do, or something other than success to tell. */
const unfinishedStops = new Set(['max_tokens', 'pause_turn', 'refusal', 'model_context_window_exceeded']);

/** True when a conversation ended with the agent's own end of turn, so that nothing is left to resume. */
export function isAtRest(history: readonly ConversationMessage[]): boolean {
  const last = history.at(-1);
  if (last === undefined) return true;
  if (last.role !== 'assistant' || last.cut || unfinishedStops.has(last.stopReason ?? '')) return false;
  return !last.content.some((block) => block.type === 'tool_use');
}
