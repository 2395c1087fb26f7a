import { type Clock, sleep } from '../../base/clock';
import type { Disposable } from '../../base/disposable';
import { CancelledError, isUserError, messageOf, UserError } from '../../base/errors';
import type { Logger } from '../../base/logger';
import { makeVisible } from '../../base/visible';
import {
  offeredTools,
  type Conversation,
  type ConversationOptions,
  type EngineEnd,
  type EnginePlace,
} from '../../core/engine';
import { type ApiSocket, openApiSocket } from './apiSocket';
import { ClaudeProcess } from './claudeProcess';
import { isDoneByClaude } from './claudeTools';
import type { ClaudeCodeLimits, ProcessMode } from './engineOptions';
import { Attempt, type AttemptEnd } from './exchange';
import { type Joining, launchOf, runFolders, sessionIdOf } from './launch';
import { ModelRelay, wordsOf, type ModelRelayOptions } from './modelRelay';
import { ContextSharing, type SharedContexts } from './sharedContext';
import { ToolBridge } from './toolBridge';
import { ToolGate } from './toolGate';
import { WaitingClaude } from './waitingClaude';
import { type ClaudeMessage, controlAnswer, controlRefusal, initializeLine, toolsChangedLine, userLine } from './wire';

export interface ConversationParts {
  readonly conversation: ConversationOptions;
  readonly place: EnginePlace;
  /** Its path in the jail. */
  readonly programPath: string;
  readonly processMode: ProcessMode;
  readonly contexts: SharedContexts;
  readonly limits: ClaudeCodeLimits;
  readonly ask: ModelRelayOptions['ask'];
  readonly clock: Clock;
  readonly logger: Logger;
}

const questionGraceMs = 500;
const goOnText = 'You were interrupted. Go on where you were.';
const newTaskText =
  'A new task begins. /workspace is a fresh checkout: what you changed for an earlier task is in it only if it was landed, so look before you rely on what you remember. What you were told for earlier tasks does not hold for this one.';
const lostSessionText = 'Your earlier notes on this task are lost; what you did is in the workspace. Look there first.';

/** The user is asked something, and the run is left until there is an answer. */
const leftForUser: ReadonlySet<string> = new Set(['question-open', 'approval-open']);

/**
 * A conversation that Claude Code leads, in the run's jail. Its process is kept from one exchange to the next; when it dies,
 * falls silent or belonged to an earlier life of the executor, another one takes up its session.
 */
export class ClaudeCodeConversation implements Conversation {
  private readonly relay: ModelRelay;
  private readonly bridge: ToolBridge;
  private readonly gate: ToolGate;
  private readonly sessionId: string;
  private readonly sharing: ContextSharing | undefined;
  private socket: ApiSocket | undefined;
  private process: ClaudeProcess | undefined;
  private attempt: Attempt | undefined;
  private saidGarbage = false;
  private following: Disposable | undefined;
  private toolsTold = 0;
  /** There is a session of Claude Code's to be resumed. */
  private hasSession: boolean;

  constructor(private readonly parts: ConversationParts) {
    const { conversation, place, ask } = parts;
    this.hasSession = conversation.history.length > 0;
    this.sessionId = sessionIdOf(place.folder);
    this.sharing = sharingOf(parts);
    this.bridge = new ToolBridge({
      tools: () => offeredTools(conversation).filter(({ name }) => !isDoneByClaude(name)),
      servers: conversation.served?.servers ?? [],
      callTool: (call) => conversation.host.callTool(call),
    });
    this.gate = new ToolGate(conversation.host, this.bridge);
    this.relay = new ModelRelay({
      conversation,
      ask,
      onEnd: (end) => this.attempt?.end(end),
      onToolResult: async (id, ok, text) => void (await this.gate.end(id, ok, text)),
    });
  }

  async open(): Promise<void> {
    this.following = this.parts.conversation.served?.onDidChange(() => this.tellOfTools());
    this.socket = await openApiSocket({
      folder: runFolders(this.parts.place.folder).api,
      answer: (json, headers) => this.relay.answer(json, headers).finally(() => this.attempt?.touch()),
    });
  }

  send(text: string): Promise<EngineEnd> {
    return this.exchange(text);
  }

  resume(): Promise<EngineEnd> {
    return this.exchange(null);
  }

  async close(): Promise<void> {
    const { process } = this;
    this.following?.dispose();
    this.process = undefined;
    await process?.end();
    await this.socket?.close();
  }

  /** `null`: it goes on with what it was at. */
  private async exchange(text: string | null): Promise<EngineEnd> {
    const { limits, conversation, logger } = this.parts;
    let intent = text;
    for (let restarts = 0, isAnew = false; ;) {
      const end = this.seenThrough(await this.tryOnce(intent));
      if (isSessionLost(end) && !isAnew) {
        await this.endProcess();
        isAnew = true;
        this.hasSession = false;
        intent = this.anew(text);
        continue;
      }
      if (end.kind !== 'died' && end.kind !== 'silent') return this.concluded(end);
      await this.endProcess();
      if (restarts >= limits.maxRestarts) throw restartedInVain(end, restarts);
      restarts += 1;
      const reason = describeLoss(end);
      logger.warn('Claude Code is started again', { reason });
      conversation.host.notify({ kind: 'warning', text: `${reason} It is started again.` });
      // What was said to it may be lost: that is found out when it takes up its session.
      intent = this.hasSession ? null : intent;
    }
  }

  /** It may say that it succeeded when it has not done what the model asked for last. */
  private seenThrough(end: AttemptEnd): AttemptEnd {
    const isMidway = end.kind === 'result' && end.ok && this.relay.lastStopReason === 'tool_use';
    return isMidway ? { kind: 'died', words: 'it stopped in the middle of its work' } : end;
  }

  private async tryOnce(text: string | null): Promise<AttemptEnd> {
    const { conversation, clock } = this.parts;
    if (conversation.signal.aborted) throw new CancelledError();
    this.relay.reopen();
    const attempt = new Attempt({ clock, limitMs: () => this.silenceLimitMs() });
    this.attempt = attempt;
    const onAbort = (): void => attempt.end({ kind: 'failed', error: new CancelledError() });
    conversation.signal.addEventListener('abort', onAbort, { once: true });
    try {
      await this.begin(attempt, text);
      return await attempt.ended;
    } catch (error) {
      attempt.end({ kind: 'failed', error });
      return { kind: 'failed', error };
    } finally {
      conversation.signal.removeEventListener('abort', onAbort);
    }
  }

  private async begin(attempt: Attempt, text: string | null): Promise<void> {
    const living = this.process?.isAlive ? this.process : undefined;
    const joining = living ? undefined : await this.joining(text === null);
    const process = living ?? (await this.startProcess(joining ?? { kind: 'new' }));
    this.hasSession = true;
    if (text !== null) process.write(userLine(joining?.kind === 'fork' ? `${newTaskText}\n\n${text}` : text));
    else this.pushOn(attempt, process);
  }

  private async joining(interrupted: boolean): Promise<Joining> {
    if (this.hasSession) return { kind: 'resume', interrupted };
    const from = await this.sharing?.borrow();
    return from === undefined ? { kind: 'new' } : { kind: 'fork', from };
  }

  /** It takes up its session by itself, if that shows that it was interrupted; if not, it is told. */
  private pushOn(attempt: Attempt, process: ClaudeProcess): void {
    const { clock, limits } = this.parts;
    this.began = false;
    const timer = clock.setTimer(limits.resumeGraceMs, () => {
      if (!this.began) process.write(userLine(this.relay.unanswered ?? goOnText));
    });
    void attempt.ended.then(() => timer.dispose());
  }
  private began = false;

  private async startProcess(joining: Joining): Promise<ClaudeProcess> {
    const { conversation: setup, place, programPath, clock } = this.parts;
    const { sessionId } = this;
    const launch = launchOf({ programPath, setup, servers: this.bridge.servers, sessionId, joining });
    const listener = {
      onMessage: (message: ClaudeMessage) => this.receive(process, message),
      onGarbage: () => this.noteGarbage(),
    };
    const waiting =
      place.prestarted instanceof WaitingClaude ? await place.prestarted.take(place.session, launch) : undefined;
    const process: ClaudeProcess =
      waiting ?? (await ClaudeProcess.start({ session: place.session, ...launch, clock, ...listener }));
    waiting?.heardBy(listener);
    this.process = process;
    void process.ended.then((words) => {
      if (this.process === process) this.attempt?.end({ kind: 'died', words });
    });
    if (waiting) this.tellOfTools();
    else process.write(initializeLine());
    return process;
  }

  private receive(process: ClaudeProcess, message: ClaudeMessage): void {
    const { attempt } = this;
    if (process !== this.process || !attempt) return;
    attempt.touch();
    switch (message.kind) {
      case 'result':
        attempt.end(message);
        return;
      case 'asks':
        this.answer(process, attempt, message).catch((error: unknown) => attempt.end({ kind: 'failed', error }));
        return;
      case 'begins':
        this.began = true;
        return;
      case 'answered':
      case 'other':
        return;
    }
  }

  private async answer(
    process: ClaudeProcess,
    attempt: Attempt,
    { id, asked }: Extract<ClaudeMessage, { kind: 'asks' }>,
  ): Promise<void> {
    if (!asked) return process.write(controlRefusal(id, 'Airlock does not do that.'));
    const response = await this.gate.answer(asked);
    attempt.touch();
    process.write(controlAnswer(id, response));
  }

  private async concluded(end: Exclude<AttemptEnd, { kind: 'died' | 'silent' }>): Promise<EngineEnd> {
    if (end.kind === 'failed' && isUserError(end.error) && leftForUser.has(end.error.code)) {
      // That it got so far is to be there when it takes up its session: it writes that down a moment later. Asked to end, it
      // would take the call for interrupted and tell the model so.
      await sleep(this.parts.clock, questionGraceMs);
    }
    if (end.kind === 'result' && end.ok) await this.shareContext();
    if (end.kind !== 'result') await this.endProcess();
    else if (this.parts.processMode === 'perExchange') await this.letGo();
    switch (end.kind) {
      case 'failed':
        throw end.error;
      case 'turnLimit':
      case 'refused':
        return end;
      case 'result':
        return this.endOf(end);
    }
  }

  private endOf({ ok, subtype, text }: Extract<AttemptEnd, { kind: 'result' }>): EngineEnd {
    const { lastStopReason, turnCount } = this.relay;
    if (subtype === 'error_max_turns') return { kind: 'turnLimit', turns: turnCount };
    if (lastStopReason === 'max_tokens') return { kind: 'tooLong' };
    if (ok) return { kind: 'done', text };
    const words = makeVisible(text).slice(0, 500) || subtype;
    if (/prompt is too long/i.test(text)) {
      const message =
        'The conversation no longer fits into the model’s context window, and Claude Code could not shorten it.';
      throw new UserError('context-full', message, { retryable: false });
    }
    throw new UserError('claude-code-failed', `Claude Code ended its turn with an error: ${words}`, {
      subtype,
      retryable: true,
    });
  }

  /** `null` while somebody else is waited for: the user, or the model's server, which has a watch of its own. */
  private silenceLimitMs(): number | null {
    const { limits, place } = this.parts;
    if (place.session.status === 'paused' || this.relay.isBusy) return null;
    return this.gate.isRunning ? limits.toolSilenceMs : limits.silenceMs;
  }

  private anew(text: string | null): string {
    const [first] = this.parts.conversation.history;
    const task = first && wordsOf(first);
    if (!task && text !== null) return text;
    return [task || goOnText, lostSessionText, ...(text === null ? [] : [text])].join('\n\n');
  }

  private async shareContext(): Promise<void> {
    const { lastAnswerId } = this.relay;
    if (lastAnswerId !== null) await this.sharing?.keep(this.sessionId, lastAnswerId);
  }

  private noteGarbage(): void {
    this.attempt?.touch();
    if (this.saidGarbage) return;
    this.saidGarbage = true;
    this.parts.conversation.host.notify({
      kind: 'warning',
      text: 'Claude Code said something that is none of its messages.',
    });
  }

  private tellOfTools(): void {
    for (const server of this.bridge.servers) this.process?.write(toolsChangedLine(server, (this.toolsTold += 1)));
  }

  private async letGo(): Promise<void> {
    const { process } = this;
    this.process = undefined;
    await process?.end();
  }

  private async endProcess(): Promise<void> {
    const { process } = this;
    this.process = undefined;
    await process?.kill();
    await this.gate.endAll().catch((error: unknown) => {
      this.parts.logger.warn('The end of a tool could not be kept', { reason: messageOf(error) });
    });
  }
}

function sharingOf({
  conversation,
  place,
  processMode,
  contexts,
  clock,
  logger,
}: ConversationParts): ContextSharing | undefined {
  const { sharedContext: name } = conversation;
  if (processMode !== 'shared' || name === undefined) return undefined;
  return new ContextSharing({ contexts, name, session: place.session, clock, logger });
}

/** It says so in its last words, or as a result, as its version has it. */
function isSessionLost(end: AttemptEnd): boolean {
  const words = end.kind === 'died' ? end.words : end.kind === 'result' && !end.ok ? end.text : '';
  return /No conversation found/i.test(words);
}

function describeLoss(end: Extract<AttemptEnd, { kind: 'died' | 'silent' }>): string {
  return end.kind === 'died'
    ? `Claude Code ended without a result: ${makeVisible(end.words).slice(0, 500)}.`
    : `Nothing was heard of Claude Code for ${Math.round(end.forMs / 1000)} s.`;
}

function restartedInVain(end: Extract<AttemptEnd, { kind: 'died' | 'silent' }>, restarts: number): UserError {
  const code = end.kind === 'died' ? 'claude-code-died' : 'claude-code-silent';
  return new UserError(code, `${describeLoss(end)} It was started again ${restarts} times.`, { retryable: true });
}
