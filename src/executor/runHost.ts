import { CancelledError } from '../base/errors';
import type {
  ConversationMessage,
  EngineHost,
  EngineNotice,
  LaneAllowance,
  OwnToolLeave,
  OwnToolUse,
  RequestSize,
  ToolCall,
  ToolResult,
} from '../core/engine';
import type { TokenUsage } from '../core/usage';
import { AgentNews } from './agentNews';
import { ApprovalGate } from './approvalGate';
import { CallBreaker } from './callBreaker';
import { DurableConversation } from './durableConversation';
import { appendLater, stateOf, type HostedRun } from './hostedRun';
import { takeOverNews } from './instructions';
import { interruptionOf } from './interruption';
import { LaneWait } from './laneWait';
import { OwnTools } from './ownTools';
import type { ExecutorPorts } from './ports';
import { ProgressBreaker } from './progressBreaker';
import type { RequestGates } from './requestGates';
import { ToolCalls } from './toolCalls';
import { ToolResults } from './toolResults';

/** About so many bytes of a prompt are one token. Only for spacing: money is counted otherwise. */
const bytesOfToken = 4;

/**
 * What an engine asks of the executor, for one run: makes messages durable, does tool calls at most once, keeps to the
 * budget and to the lane.
 */
export class RunHost implements EngineHost {
  private readonly conversation: DurableConversation;
  private readonly news = new AgentNews();
  private readonly toolCalls: ToolCalls;
  private readonly ownTools: OwnTools;
  private readonly lane: LaneWait;
  private readonly progress: ProgressBreaker;
  /** An answer of the model is on its way. */
  private requesting = false;
  private readonly ending = new AbortController();
  /** Ends with the run's own signal; for want of room only when the answer that is on its way has been kept. */
  readonly engineSignal = this.ending.signal;

  constructor(
    private readonly ports: ExecutorPorts,
    private readonly gates: RequestGates,
    private readonly options: HostedRun,
  ) {
    const { signal, session, snapshots, runId, maxSameCalls } = options;
    const breaker = new CallBreaker(maxSameCalls, (words) => this.tell(words));
    this.conversation = new DurableConversation(ports, runId);
    const approvals = new ApprovalGate(ports, options);
    this.progress = new ProgressBreaker(ports, options, (words) => this.tell(words));
    const onProgress: HostedRun['onProgress'] = (percent, message) => {
      this.progress.reported(percent, message);
      options.onProgress(percent, message);
    };
    const results = new ToolResults(ports, options, this.news);
    this.toolCalls = new ToolCalls(ports, { ...options, onProgress }, results, breaker, approvals);
    this.ownTools = new OwnTools(ports, options, results, breaker, approvals);
    this.lane = new LaneWait(ports, gates.lanes, runId);
    const follow = (): void => {
      if (interruptionOf(signal) !== 'disk' || !this.requesting) this.ending.abort(signal.reason);
    };
    if (signal.aborted) follow();
    else signal.addEventListener('abort', follow, { once: true });
    session.onDidGiveBack((handedBack) => {
      this.tell(takeOverNews(handedBack));
      this.progress.reset();
      if (handedBack.changedFiles?.length !== 0) snapshots.touch();
    });
  }

  /** The model learns it with the next result of a tool. */
  tell(news: string): void {
    this.news.tell(news);
  }

  /** The conversation so far, from the journal and the blobs. */
  history(): Promise<ConversationMessage[]> {
    return this.conversation.history();
  }

  async record(message: ConversationMessage): Promise<void> {
    const { runId, maxCostUsd } = this.options;
    const isAnswer = message.role === 'assistant';
    await this.conversation.record(
      message,
      () => (isAnswer ? this.lane.end() : []),
      // An answer without its usage has cost something, and nobody says how much.
      () => (isAnswer ? this.gates.ledger.settled(runId, message.usage === null) : []),
    );
    if (isAnswer) await this.gates.ledger.tellAlerts(runId, maxCostUsd);
    this.answerKept();
  }

  callTool(call: ToolCall): Promise<ToolResult> {
    return this.toolCalls.call(call);
  }

  beginOwnTool(use: OwnToolUse): Promise<OwnToolLeave> {
    return this.ownTools.begin(use);
  }

  endOwnTool(id: string, result: ToolResult): Promise<string> {
    return this.ownTools.end(id, result);
  }

  async beforeRequest(request: RequestSize): Promise<void> {
    this.throwIfEnded();
    this.options.snapshots.turnEnded();
    await this.progress.look();
    await this.throwIfNoRoom();
    await this.lane.untilFree(this.newTokens(request), this.options.signal);
    this.throwIfEnded();
    await this.reserve(request);
    this.requesting = true;
  }

  /** About what of a prompt is new to the server. What it has in its cache hardly counts against its limits. */
  private newTokens({ promptBound, goesOn }: RequestSize): number {
    const known = goesOn ? (stateOf(this.ports, this.options.runId).lastPrompt?.bound ?? 0) : 0;
    return Math.max(1, promptBound - known) / bytesOfToken;
  }

  private reserve(request: RequestSize): Promise<void> {
    const { runId, signal, maxCostUsd, isCostTasksOwn: isTasksOwn } = this.options;
    // What its sub-tasks may cost is not its own any more.
    const { givenUsd = 0 } = stateOf(this.ports, runId);
    const maxRunUsd = maxCostUsd === null ? null : Math.max(0, maxCostUsd - givenUsd);
    return this.gates.ledger.reserve({ ...request, runId, maxRunUsd, isTasksOwn }, signal);
  }

  async requestOver(cost: 'nothing' | 'unknown'): Promise<void> {
    const { runId, maxCostUsd } = this.options;
    const bodies = this.gates.ledger.settled(runId, cost === 'unknown');
    if (bodies.length === 0) return;
    await this.ports.events.append(bodies);
    if (cost === 'unknown') await this.gates.ledger.tellAlerts(runId, maxCostUsd);
  }

  recordLostUsage(usage: TokenUsage, model: string): Promise<void> {
    return this.conversation.recordLostUsage(usage, model);
  }

  laneTold(allowances: readonly LaneAllowance[]): void {
    this.lane.told(allowances);
  }

  pauseLane(untilMs: number, reason: string): void {
    this.lane.hold(untilMs, reason);
  }

  notify(notice: EngineNotice): void {
    const { session, runId } = this.options;
    switch (notice.kind) {
      case 'text':
        this.lane.answers();
        session.note(notice.text);
        return;
      case 'retrying':
        this.answerKept();
        session.note(`${notice.reason} Trying again in ${Math.round(notice.delayMs / 1000)} s.`);
        this.lane.retrying(notice);
        return;
      case 'warning':
        session.note(notice.text);
        this.ports.logger.warn(notice.text, { runId });
        return;
      case 'contextCut':
        session.note(notice.text);
        appendLater(this.ports, [{ kind: 'run.progress', runId, message: notice.text, percent: null }]);
        return;
      case 'thinking':
        this.lane.answers();
        return;
      case 'requestStarted':
        return;
    }
  }

  private answerKept(): void {
    this.requesting = false;
    const { signal } = this.options;
    if (signal.aborted) this.ending.abort(signal.reason);
  }

  /** An answer that cannot be kept would have to be paid for again. */
  private async throwIfNoRoom(): Promise<void> {
    const shortage = await this.ports.room.look();
    if (shortage !== undefined) throw shortage;
  }

  private throwIfEnded(): void {
    if (this.options.signal.aborted) throw new CancelledError();
  }
}
