import { CancelledError, UserError } from '../base/errors';
import { newId } from '../base/ids';
import { strictest } from '../core/approval';
import { isAtRest, type Conversation, type ConversationMessage, type EngineEnd } from '../core/engine';
import { describeVerdict, passed, summarizeChecks, type CheckResult } from '../core/evidence';
import type { ObjectId, SessionId } from '../core/ids';
import type { LimitBreach } from '../core/jail';
import type { RunFeedback, RunState, TaskState } from '../core/liveState';
import { untoldFeedback } from '../core/reviewFold';
import type { Persona } from '../core/persona';
import type { Session } from '../core/session';
import type { Workspace } from '../core/workspace';
import type { ApprovalPolicy } from './approvalGate';
import { ConnectionLog } from './connectionLog';
import { conversationSetup, sharedContextOf } from './conversationSetup';
import { EvidenceCollector, type Evidence } from './evidenceCollector';
import { restoreNews, checkFeedback, refusedNews, taskPrompt } from './instructions';
import type { RunGates } from './requestGates';
import type { ExecutorPorts, ExecutorSettings, SessionRegistry } from './ports';
import { RunDependencies } from './runDependencies';
import { engineOf } from './runEngine';
import { RunHost } from './runHost';
import { RunServers, serverPlan } from './runServers';
import { RunSnapshots } from './runSnapshots';
import { maxCostOf, endOf, narrowed, sessionPolicy, wallMsOf, type SessionEnd } from './runSession';
import type { RunEnding } from './runReport';
import type { WarmStart } from './warmStart';

export interface RunWorkOptions {
  readonly task: TaskState;
  readonly run: RunState;
  readonly workspace: Workspace;
  readonly persona: Persona;
  readonly checks: readonly string[];
  readonly signal: AbortSignal;
  readonly onProgress: (percent: number | null, message: string) => void;
  /** The session that was prepared ahead for this run and created with it. */
  readonly warm: WarmStart | undefined;
  /** Called once its session is there. */
  readonly onSession: () => void;
}

/** What the work came to: how it ended, and the tree that this is about. */
export interface WorkResult {
  readonly ending: RunEnding;
  readonly tree: ObjectId;
  /** Everything that was in the folder is in the tree. */
  readonly complete: boolean;
}

/** A tree and what the checks said of it. */
interface Judged {
  readonly tree: ObjectId;
  /** 0 for the first verdict of the run. */
  readonly round: number;
  readonly evidence: Evidence;
}

/**
 * The work of one run between its workspace and its verdict: the session, the conversation, and the checks, whose failures
 * go back to the agent a few times. It leaves no session behind, however it ends.
 */
export class RunWork {
  private readonly evidence: EvidenceCollector;
  private readonly connections: ConnectionLog;
  /** As the task has it: with a network that is no wider than the persona's. */
  private readonly persona: Persona;
  private readonly snapshots: RunSnapshots;
  private readonly dependencies: RunDependencies;
  private session: Session | undefined;
  private host: RunHost | undefined;
  private servers: RunServers | undefined;

  constructor(
    private readonly ports: ExecutorPorts,
    private readonly settings: ExecutorSettings,
    private readonly gates: RunGates,
    private readonly registry: SessionRegistry,
    private readonly options: RunWorkOptions,
  ) {
    this.evidence = new EvidenceCollector(ports);
    const { persona, task, run, workspace, warm } = options;
    this.persona = narrowed(persona, task.spec.limits);
    this.connections = new ConnectionLog(ports, run.id, (words) => {
      this.session?.note(`Network: ${words}`);
      this.host?.tell(refusedNews(words));
    });
    const living = {
      note: (text: string): void => this.session?.note(text),
      tell: (news: string): void => this.host?.tell(news),
      isPaused: () => this.session?.status === 'paused',
    };
    this.snapshots = new RunSnapshots(ports, { runId: run.id, workspace, settings, living });
    this.dependencies = new RunDependencies(ports, settings, options.workspace, {
      signal: options.signal,
      onConnection: (connection) => this.connections.record('setup', connection),
    });
    if (warm) this.dependencies.adopt(workspace.baseTree, warm.preparation);
  }

  async toItsEnd(): Promise<WorkResult> {
    const registered = this.registry.addSnapshots(this.options.run.id, this.snapshots);
    try {
      return await this.work(await this.openSession());
    } finally {
      await this.servers?.close();
      await this.closeSession('the run ended');
      await this.snapshots.close();
      registered.dispose();
      await this.dependencies.release();
    }
  }

  private async work(session: Session): Promise<WorkResult> {
    const { run, task, signal, warm } = this.options;
    const { persona } = this;
    const servers = await RunServers.start(this.ports, serverPlan(this.options.persona, task.spec), {
      account: run.id,
      note: (text) => session.note(text),
      connections: this.connections,
    });
    this.servers = servers;
    const host = new RunHost(this.ports, this.gates, {
      runId: run.id,
      persona,
      session,
      servedTools: () => servers.tools(),
      snapshots: this.snapshots,
      maxSameCalls: this.settings.maxSameCalls,
      approvals: this.approvals(),
      breakers: this.settings,
      agents: {
        maxDepth: this.settings.maxSubtaskDepth,
        maxSubtasks: this.settings.maxSubtasks,
        queue: this.gates.queue,
      },
      isCostTasksOwn: task.spec.limits.maxCostUsd !== undefined,
      maxCostUsd: maxCostOf(task, persona, this.settings),
      signal,
      onProgress: this.options.onProgress,
    });
    this.host = host;
    await this.tellOfRestoring(host);
    const history = await host.history();
    const sharedContext = sharedContextOf(task, persona, run.model);
    const conversation = await engineOf(this.ports, persona).open({
      ...conversationSetup(this.ports, this.settings, persona, { model: run.model, maxTurns: this.maxTurns(history) }),
      ...(servers.served ? { served: servers.served } : {}),
      ...(sharedContext === undefined ? {} : { sharedContext }),
      history,
      host,
      signal: host.engineSignal,
      place: {
        session,
        folder: this.ports.engineFolder(run.id),
        ...(warm?.prestarted ? { prestarted: warm.prestarted } : {}),
      },
    });
    try {
      return await this.converse(conversation, history);
    } finally {
      await conversation.close();
    }
  }

  private approvals(): ApprovalPolicy {
    const { approvalMode, approvalTimeoutMs: timeoutMs, approvalHoldMs: holdMs } = this.settings;
    const { approvals } = this.options.task.spec.limits;
    return { mode: strictest([approvalMode, this.persona.approvals, approvals]), timeoutMs, holdMs };
  }

  /** Each time that the user sends a result back, its agent has as many turns as at first; what it may cost counts on. */
  private maxTurns(history: readonly ConversationMessage[]): number {
    const { task, run } = this.options;
    const before = history.slice(0, run.feedback?.at ?? 0).filter(({ role }) => role === 'assistant').length;
    return before + (task.spec.limits.maxTurns ?? this.persona.limits.maxTurns ?? this.settings.maxTurns);
  }

  /** What was put back while the run was not at work. */
  private async tellOfRestoring(host: RunHost): Promise<void> {
    const { run, workspace } = this.options;
    if (!run.untoldRestore) return;
    const [from, to] = [run.untoldRestore.savedAs, run.untoldRestore.index].map((index) =>
      index === 0 ? run.baseTree : run.snapshots.find((snapshot) => snapshot.index === index)?.tree,
    );
    host.tell(restoreNews(from && to ? await workspace.changes(from, to) : null));
  }

  private async converse(conversation: Conversation, history: readonly ConversationMessage[]): Promise<WorkResult> {
    const untold = untoldFeedback(this.options.run);
    const wasAtRest = history.length > 0 && isAtRest(history);
    let judged = wasAtRest ? this.judgedBefore() : undefined;
    let isNew = judged !== undefined && !untold;
    let end =
      wasAtRest && !untold
        ? ({ kind: 'done', text: lastWords(history) } as const)
        : await this.firstExchange(conversation, history, untold);
    for (;;) {
      await this.whenGivenBack();
      if (end.kind !== 'done') return this.unfinished(end);
      const { tree } = await this.snapshots.take('verdict', 'after the agent’s turn');
      // Told what fails, the agent changed nothing: to tell it again would only cost more.
      if (judged?.tree === tree && !isNew) return this.conclude(end.text, judged.evidence, tree);
      if (judged?.tree !== tree) judged = await this.judge(tree);
      isNew = false;
      const { evidence, round } = judged;
      const rounds = round - (this.options.run.feedback?.rounds ?? 0);
      if (evidence.verdict !== 'contradicted' || rounds >= this.settings.maxFixRounds) {
        return this.conclude(end.text, evidence, tree);
      }
      await this.phase('working');
      end = await conversation.send(checkFeedback(evidence.results, await this.outputsOf(evidence.results)));
    }
  }

  private async firstExchange(
    conversation: Conversation,
    history: readonly ConversationMessage[],
    untold: RunFeedback | undefined,
  ): Promise<EngineEnd> {
    await this.phase('working');
    if (untold) return conversation.send(await this.textOf(untold.text));
    if (history.length > 0) return conversation.resume();
    const { task, checks } = this.options;
    const prompt = await this.textOf(task.spec.prompt);
    const context = task.spec.context === null ? null : await this.textOf(task.spec.context);
    return conversation.send(taskPrompt(task.spec, prompt, checks, context));
  }

  /** The last verdict of an earlier process. Whether it has been told to the agent shows in the conversation. */
  private judgedBefore(): Judged | undefined {
    const { run } = this.options;
    if (!run.verdict || !run.resultTree) return undefined;
    return { tree: run.resultTree, round: run.rounds - 1, evidence: { verdict: run.verdict, results: run.checks } };
  }

  /** The final snapshot follows the death of the session's processes: what they changed after the checks is checked again. */
  private async conclude(words: string, evidence: Evidence, checkedTree: ObjectId): Promise<WorkResult> {
    await this.whenGivenBack();
    await this.snapshots.close();
    await this.closeSession('the agent is done');
    const last = await this.snapshots.take('verdict', 'at the end of the session');
    const final = last.tree === checkedTree ? evidence : (await this.judge(last.tree)).evidence;
    return {
      ending: { outcome: final.verdict, reason: reasonOf(final), response: words },
      tree: last.tree,
      complete: last.skipped.length === 0,
    };
  }

  private async unfinished(end: Exclude<EngineEnd, { kind: 'done' }>): Promise<WorkResult> {
    await this.snapshots.close();
    await this.closeSession('the agent stopped');
    const last = await this.snapshots.take('turn', 'at the end of the session');
    return {
      ending: { outcome: 'failed', reason: describeEnd(end), response: end.kind === 'refused' ? end.text : '' },
      tree: last.tree,
      complete: last.skipped.length === 0,
    };
  }

  private async judge(tree: ObjectId): Promise<Judged> {
    const { run, workspace, checks, signal } = this.options;
    await this.phase('checking');
    const round = run.rounds;
    const evidence = await this.evidence.collect({
      workspace,
      persona: this.persona,
      dependencies: this.dependencies,
      checks,
      tree,
      round,
      earlier: run.checks,
      timeoutMs: this.settings.checkTimeoutMs,
      signal,
      onConnection: (connection) => this.connections.record('check', connection),
    });
    return { tree, round, evidence };
  }

  private async openSession(): Promise<Session> {
    const { warm } = this.options;
    const session = warm ? this.takeWarm(warm) : await this.openCold();
    this.session = session;
    const ended = warm?.ended ?? endOf(session);
    this.registry.add(session);
    if (!warm) {
      const { id, process, proof } = session;
      const runId = this.options.run.id;
      await this.ports.events.append([{ kind: 'session.created', sessionId: id, runId, process, proof }]);
    }
    void ended.then((end) => this.sayEnd(session.id, end));
    session.onDidMeetLimit((breach) => this.sayLimit(session.id, breach));
    this.options.onSession();
    return session;
  }

  private sayLimit(sessionId: SessionId, { limit, detail }: LimitBreach): void {
    this.ports.events.append([{ kind: 'session.limited', sessionId, limit, detail }]).catch((error: unknown) => {
      this.ports.logger.error('A limit that was met could not be kept', error);
    });
  }

  private async sayEnd(sessionId: SessionId, { reason, breach }: SessionEnd): Promise<void> {
    const words = breach ? `${breach.limit}: ${breach.detail}` : null;
    try {
      await this.ports.events.append([{ kind: 'session.closed', sessionId, reason, breach: words }]);
    } catch (error) {
      this.ports.logger.error('The end of a session could not be kept', error);
    }
  }

  /** It was created with the run. */
  private takeWarm({ session, connections }: WarmStart): Session {
    connections.tell = (connection) => this.connections.record('session', connection);
    return session;
  }

  private async openCold(): Promise<Session> {
    const { run, workspace, task, signal } = this.options;
    const { persona, ports } = this;
    const id = newId('session');
    const wallMs = wallMsOf(task, persona, this.settings);
    return ports.sessions.open({
      id,
      runId: run.id,
      policy: await sessionPolicy(ports, workspace, await this.dependencies.ofBase(), { persona, wallMs }),
      stateFolder: ports.sessionFolder(run.id, id),
      onConnection: (connection) => this.connections.record('session', connection),
      signal,
    });
  }

  /** What the user is doing belongs to the result, and no session is ended under the user's hands. */
  private async whenGivenBack(): Promise<void> {
    const { signal } = this.options;
    await this.session?.whenGivenBack(signal);
    if (signal.aborted) throw new CancelledError();
  }

  private async closeSession(reason: string): Promise<void> {
    const { session } = this;
    this.session = undefined;
    await session?.close(reason);
  }

  private async phase(phase: RunState['phase']): Promise<void> {
    const { run } = this.options;
    if (run.phase !== phase) await this.ports.events.append([{ kind: 'run.phase', runId: run.id, phase }]);
  }

  private async textOf(digest: string): Promise<string> {
    const bytes = await this.ports.blobs.get(digest);
    if (!bytes) throw new UserError('prompt-lost', 'The text of this task was deleted. Queue it again.');
    return Buffer.from(bytes).toString('utf8');
  }

  private async outputsOf(results: readonly CheckResult[]): Promise<Map<string, string>> {
    const outputs = new Map<string, string>();
    for (const { output } of results) {
      const bytes = await this.ports.blobs.get(output);
      if (bytes) outputs.set(output, Buffer.from(bytes).toString('utf8'));
    }
    return outputs;
  }
}

function lastWords(history: readonly ConversationMessage[]): string {
  const blocks = history.at(-1)?.content ?? [];
  return blocks.flatMap((block) => (typeof block['text'] === 'string' ? [block['text']] : [])).join('\n');
}

function reasonOf({ verdict, results }: Evidence): string {
  if (verdict !== 'contradicted' && verdict !== 'partial') return '';
  const failing = summarizeChecks(results)
    .filter(({ onResult, onRestored }) => {
      const decisive = verdict === 'contradicted' ? onResult : onRestored;
      return !decisive || !passed(decisive);
    })
    .map(({ command }) => `“${command.replace(/\s+/g, ' ').slice(0, 100)}”`);
  return `${describeVerdict(verdict)}: ${failing.join(', ')}`;
}

function describeEnd(end: Exclude<EngineEnd, { kind: 'done' }>): string {
  switch (end.kind) {
    case 'turnLimit':
      return `The agent was not done after ${end.turns} turns, which is its limit.`;
    case 'refused':
      return 'The model refused the task.';
    case 'tooLong':
      return 'The model’s answer did not fit into its token limit, more than once.';
  }
}
