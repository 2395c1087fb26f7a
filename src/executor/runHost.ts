import { CancelledError, messageOf, UserError } from '../base/errors';
import {
  conversationMessageSchema,
  type ConversationMessage,
  type EngineHost,
  type EngineNotice,
  type OwnToolLeave,
  type OwnToolUse,
  type LaneAllowance,
  type RequestSize,
  type ToolCall,
  type ToolResult,
} from '../core/engine';
import type { EventBody } from '../core/events';
import type { RunId } from '../core/ids';
import { toolCallOf, type RunState, type ToolCallState } from '../core/liveState';
import type { Persona } from '../core/persona';
import type { Session } from '../core/session';
import type { TokenUsage } from '../core/usage';
import { CallBreaker } from './callBreaker';
import { takeOverNews } from './instructions';
import { interruptionOf } from './interruption';
import type { ExecutorPorts } from './ports';
import type { RequestGates } from './requestGates';
import type { RunSnapshots } from './runSnapshots';
import { answerTo } from './userQuestions';

export interface RunHostOptions {
  readonly runId: RunId;
  readonly persona: Persona;
  readonly session: Session;
  readonly snapshots: RunSnapshots;
  /** US dollars that the run may cost; `null` for no limit. */
  readonly maxCostUsd: number | null;
  /** That limit is the task's own. */
  readonly isCostTasksOwn: boolean;
  /** As in `ExecutorSettings`. */
  readonly maxSameCalls: number;
  readonly signal: AbortSignal;
  /** The agent said how far it is. */
  readonly onProgress: (percent: number | null, message: string) => void;
}

/** More at once would hide the result of the tool. */
const maxNews = 20;

/** A lane that is held for longer than this shows on the task. */
const shownHoldMs = 3_000;

/** About so many bytes of a prompt are one token. Only for spacing: money is counted otherwise. */
const bytesOfToken = 4;

/** What an interrupted tool call is answered with, so that the model can look before it repeats it. */
const interruptedAnswer =
  'This call was interrupted by a restart before its result was kept. It may or may not have taken effect. Look before you repeat it.';

/** Characters of the result of an engine's own tool that the terminal shows. */
const maxShownResult = 4000;

/** Tools of an engine's own program are known by the model's id alone: after a crash they may be asked for at any place. */
function ownCallId(id: string): string {
  return `own/${id}`;
}

function jailGoneAnswer({ message }: UserError): string {
  return `The sandbox ended while this ran: ${message} You are in a new one: the files in /workspace are as they were, processes and everything elsewhere are gone. Do not repeat what used too much.`;
}

/**
 * What an engine asks of the executor, for one run: makes messages durable, does tool calls at most once, keeps to the
 * budget and to the lane.
 */
export class RunHost implements EngineHost {
  /** Calls that were begun in this process; others that are begun and not finished were interrupted. */
  private readonly begun = new Set<string>();
  private readonly breaker: CallBreaker;
  /** Calls of the engine's own tools that are at work. */
  private readonly ownTools = new Map<string, { readonly startedMs: number; readonly over: () => void }>();
  /** What the model is to learn with the next result of a tool. */
  private news: string[] = [];
  /** An answer of the model is on its way. */
  private requesting = false;
  /** The task is said to wait for its lane. */
  private waits = false;
  private readonly ending = new AbortController();
  /** Ends with the run's own signal; for want of room only when the answer that is on its way has been kept. */
  readonly engineSignal = this.ending.signal;

  constructor(
    private readonly ports: ExecutorPorts,
    private readonly gates: RequestGates,
    private readonly options: RunHostOptions,
  ) {
    this.breaker = new CallBreaker(options.maxSameCalls, (words) => this.tell(words));
    const { signal } = options;
    const follow = (): void => {
      if (interruptionOf(signal) !== 'disk' || !this.requesting) this.ending.abort(signal.reason);
    };
    if (signal.aborted) follow();
    else signal.addEventListener('abort', follow, { once: true });
    options.session.onDidGiveBack((handedBack) => {
      this.tell(takeOverNews(handedBack));
      if (handedBack.changedFiles?.length !== 0) options.snapshots.touch();
    });
  }

  /** The model learns it with the next result of a tool. */
  tell(news: string): void {
    if (this.news.length < maxNews) this.news.push(news);
  }

  async record(message: ConversationMessage): Promise<void> {
    const { runId } = this.options;
    const blob = await this.ports.blobs.put(JSON.stringify(message));
    const bodies: EventBody[] = [
      ...(message.role === 'assistant' ? this.endOfWait() : []),
      { kind: 'message.recorded', runId, index: this.run().messages.length, role: message.role, blob },
    ];
    if (message.usage && message.model !== null) {
      bodies.push(this.usageEvent(message.usage, message.model));
    }
    // An answer without its usage has cost something, and nobody says how much.
    if (message.role === 'assistant') bodies.push(...this.gates.ledger.settled(runId, message.usage === null));
    await this.ports.events.append(bodies);
    if (message.role === 'assistant') await this.gates.ledger.tellAlerts(runId, this.options.maxCostUsd);
    this.answerKept();
  }

  async callTool(call: ToolCall): Promise<ToolResult> {
    this.throwIfEnded();
    const { runId, persona } = this.options;
    // Some servers count their ids anew in each message, so that the message is a part of what names a call.
    const callId = `${this.lastAssistantIndex()}/${call.id}`;
    const known = toolCallOf(this.run(), callId);
    if (known?.output) return this.storedResult(known.output, known.ok ?? false);
    const tool = this.ports.tools.find((candidate) => candidate.definition.name === call.name);
    if (known && !this.begun.has(callId) && !tool?.repeatable)
      return this.finish(callId, this.withNews({ ok: false, text: interruptedAnswer }), 0);
    this.breaker.look(call.name, call.input);
    this.begun.add(callId);
    const allowed = tool !== undefined && persona.tools.some((name) => name === call.name);
    const summary = tool ? tool.summarize(call.input) : `unknown tool ${call.name}`;
    if (!known) {
      await this.ports.events.append([
        { kind: 'tool.called', runId, callId, name: call.name.slice(0, 200), summary: summary.slice(0, 300) },
      ]);
    }
    const startedMs = this.ports.clock.monotonicMs();
    const result = allowed
      ? await this.runTool(tool, call, callId)
      : { ok: false, text: this.denial(call.name, tool !== undefined) };
    return this.finish(callId, this.withNews(result), this.ports.clock.monotonicMs() - startedMs);
  }

  async beginOwnTool({ id, name, tool, summary }: OwnToolUse): Promise<OwnToolLeave> {
    this.throwIfEnded();
    const { runId, persona, session } = this.options;
    const callId = ownCallId(id);
    const known = toolCallOf(this.run(), callId);
    // Whoever asks again was restarted, perhaps while it ran.
    if (known) return { kind: 'answered', result: await this.resultBefore(callId, known) };
    this.breaker.look(name, summary);
    await this.ports.events.append([
      { kind: 'tool.called', runId, callId, name: name.slice(0, 200), summary: summary.slice(0, 300) },
    ]);
    if (tool !== null && persona.tools.includes(tool)) {
      await this.ownToolStarts(callId);
      session.note(`${name}: ${summary}`);
      return { kind: 'go' };
    }
    return { kind: 'answered', result: await this.finish(callId, { ok: false, text: this.denial(name, true) }, 0) };
  }

  async endOwnTool(id: string, result: ToolResult): Promise<string> {
    const callId = ownCallId(id);
    const known = toolCallOf(this.run(), callId);
    if (!known || known.output) return '';
    const { startedMs, over } = this.ownTools.get(callId) ?? { startedMs: this.ports.clock.monotonicMs(), over() {} };
    this.ownTools.delete(callId);
    over();
    await this.finish(callId, result, this.ports.clock.monotonicMs() - startedMs);
    this.options.session.note(result.text.slice(0, maxShownResult));
    return this.news.splice(0).join('\n\n');
  }

  /** Resolves when it may start; until its end it counts as a tool that is at work. */
  private ownToolStarts(callId: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const work = (): Promise<void> => {
        resolve();
        const startedMs = this.ports.clock.monotonicMs();
        return new Promise((over) => this.ownTools.set(callId, { startedMs, over }));
      };
      // What a program of the engine's own may change is not known from its name.
      this.options.snapshots.during(true, work).catch(reject);
    });
  }

  private async resultBefore(callId: string, { output, ok }: ToolCallState): Promise<ToolResult> {
    if (!output) return this.finish(callId, { ok: false, text: interruptedAnswer }, 0);
    const stored = await this.storedResult(output, ok ?? false);
    return { ok: stored.ok, text: `This was done before a restart and is not done again. It gave:\n${stored.text}` };
  }

  async beforeRequest(request: RequestSize): Promise<void> {
    this.throwIfEnded();
    this.options.snapshots.turnEnded();
    await this.throwIfNoRoom();
    await this.sayIfHeld();
    await this.gates.lanes.waitUntilFree(this.lane, this.options.signal, this.newTokens(request));
    this.throwIfEnded();
    await this.reserve(request);
    this.requesting = true;
  }

  /** About what of a prompt is new to the server. What it has in its cache hardly counts against its limits. */
  private newTokens({ promptBound, goesOn }: RequestSize): number {
    const known = goesOn ? (this.run().lastPrompt?.bound ?? 0) : 0;
    return Math.max(1, promptBound - known) / bytesOfToken;
  }

  private reserve(request: RequestSize): Promise<void> {
    const { runId, signal, maxCostUsd: maxRunUsd, isCostTasksOwn: isTasksOwn } = this.options;
    return this.gates.ledger.reserve({ ...request, runId, maxRunUsd, isTasksOwn }, signal);
  }

  async requestOver(cost: 'nothing' | 'unknown'): Promise<void> {
    const { runId, maxCostUsd } = this.options;
    const bodies = this.gates.ledger.settled(runId, cost === 'unknown');
    if (bodies.length === 0) return;
    await this.ports.events.append(bodies);
    if (cost === 'unknown') await this.gates.ledger.tellAlerts(runId, maxCostUsd);
  }

  async recordLostUsage(usage: TokenUsage, model: string): Promise<void> {
    await this.ports.events.append([this.usageEvent(usage, model)]);
  }

  laneTold(allowances: readonly LaneAllowance[]): void {
    if (allowances.length > 0) this.gates.lanes.told(this.lane, allowances);
  }

  /** A key at a server, and the model: that is what servers limit. */
  private get lane(): string {
    return `${this.ports.engine.lane} ${this.run().model}`;
  }

  pauseLane(untilMs: number, reason: string): void {
    this.gates.lanes.hold(this.lane, untilMs, reason);
  }

  notify(notice: EngineNotice): void {
    if (notice.kind === 'retrying') this.answerKept();
    const { session, runId } = this.options;
    switch (notice.kind) {
      case 'text':
        this.laneAnswers();
        session.note(notice.text);
        return;
      case 'retrying':
        session.note(`${notice.reason} Trying again in ${Math.round(notice.delayMs / 1000)} s.`);
        this.appendLater([this.retryEvent(notice)]);
        return;
      case 'warning':
        session.note(notice.text);
        this.ports.logger.warn(notice.text, { runId });
        return;
      case 'thinking':
        this.laneAnswers();
        return;
      case 'requestStarted':
        return;
    }
  }

  /** The first try that fails for long shows on the task; those after it show as tries. */
  private retryEvent(notice: Extract<EngineNotice, { kind: 'retrying' }>): EventBody {
    const { runId } = this.options;
    const { reason, attempt, delayMs } = notice;
    const isLong = notice.unreached || delayMs >= shownHoldMs;
    if (isLong && !this.waits) return this.beginWait(reason);
    return { kind: 'request.retried', runId, reason, attempt, delayMs };
  }

  private async sayIfHeld(): Promise<void> {
    const reason = this.gates.lanes.heldBecause(this.lane, shownHoldMs);
    if (reason !== undefined && !this.waits) await this.ports.events.append([this.beginWait(reason)]);
  }

  private beginWait(reason: string): EventBody {
    this.waits = true;
    return { kind: 'task.waiting', taskId: this.run().taskId, on: 'lane', reason };
  }

  private endOfWait(): EventBody[] {
    if (!this.waits) return [];
    this.waits = false;
    return [{ kind: 'task.resumed', taskId: this.run().taskId }];
  }

  private laneAnswers(): void {
    const bodies = this.endOfWait();
    if (bodies.length > 0) this.appendLater(bodies);
  }

  private answerKept(): void {
    this.requesting = false;
    const { signal } = this.options;
    if (signal.aborted) this.ending.abort(signal.reason);
  }

  /** The conversation so far, from the journal and the blobs. */
  async history(): Promise<ConversationMessage[]> {
    const messages: ConversationMessage[] = [];
    for (const digest of this.run().messages) {
      const bytes = await this.ports.blobs.get(digest);
      if (!bytes)
        throw new UserError('conversation-lost', 'A part of the conversation was deleted: start the task again.');
      messages.push(conversationMessageSchema.parse(JSON.parse(Buffer.from(bytes).toString('utf8'))));
    }
    return messages;
  }

  private async runTool(tool: ExecutorPorts['tools'][number], call: ToolCall, callId: string): Promise<ToolResult> {
    const { session, signal, runId, snapshots } = this.options;
    try {
      const run = (): Promise<ToolResult> =>
        tool.run(call.input, {
          session,
          signal,
          progress: (message, percent) => {
            this.appendLater([{ kind: 'run.progress', runId, message: message.slice(0, 500), percent }]);
            this.options.onProgress(percent, message);
          },
          ask: (text) => answerTo(this.ports, runId, { callId, text }),
          claim: async (claims) => {
            const blob = await this.ports.blobs.put(JSON.stringify(claims));
            await this.ports.events.append([{ kind: 'run.claimed', runId, claims: blob }]);
          },
        });
      return await snapshots.during(!tool.definition.readOnly, run);
    } catch (error) {
      this.throwIfEnded();
      // Asked again when the run goes on, it is answered.
      if (error instanceof UserError && error.code === 'question-open') throw error;
      // The jail is gone, and every other call would fail in the same way. The model learns it in the next jail.
      if (error instanceof UserError && error.code === 'session-closed') {
        await this.finish(callId, this.withNews({ ok: false, text: jailGoneAnswer(error) }), 0);
        throw error;
      }
      return { ok: false, text: `The tool failed: ${messageOf(error)}` };
    }
  }

  private withNews({ ok, text }: ToolResult): ToolResult {
    return { ok, text: [...this.news.splice(0), text].join('\n\n') };
  }

  private async finish(callId: string, result: ToolResult, durationMs: number): Promise<ToolResult> {
    const { runId } = this.options;
    const output = await this.ports.blobs.put(result.text);
    await this.ports.events.append([
      { kind: 'tool.finished', runId, callId, ok: result.ok, output, durationMs: Math.round(durationMs) },
    ]);
    return result;
  }

  private async storedResult(output: string, ok: boolean): Promise<ToolResult> {
    const bytes = await this.ports.blobs.get(output);
    return { ok, text: bytes ? Buffer.from(bytes).toString('utf8') : interruptedAnswer };
  }

  private denial(name: string, exists: boolean): string {
    const tools = this.options.persona.tools.join(', ');
    return exists
      ? `The persona “${this.options.persona.name}” may not use ${name}. It may use: ${tools}.`
      : `There is no tool named ${JSON.stringify(name.slice(0, 100))}. There are: ${tools}.`;
  }

  /** An answer that cannot be kept would have to be paid for again. */
  private async throwIfNoRoom(): Promise<void> {
    const shortage = await this.ports.room.look();
    if (shortage !== undefined) throw new UserError('disk-full', shortage);
  }

  private usageEvent(usage: TokenUsage, model: string): EventBody {
    const { runId } = this.options;
    return { kind: 'usage.recorded', runId, model, usage, costUsd: this.ports.costOf(model, usage) };
  }

  private appendLater(bodies: readonly EventBody[]): void {
    // Only for what is shown: losing one is no harm, and the next durable step meets the same trouble and says it.
    this.ports.events.append(bodies).catch((error: unknown) => {
      this.ports.logger.warn('An event for the display could not be kept', { reason: messageOf(error) });
    });
  }

  private lastAssistantIndex(): number {
    return this.run().messages.length - 1;
  }

  private run(): RunState {
    const run = this.ports.events.state.runs.get(this.options.runId);
    if (!run) throw new Error(`Run ${this.options.runId} is not in the state`);
    return run;
  }

  private throwIfEnded(): void {
    if (this.options.signal.aborted) throw new CancelledError();
  }
}
