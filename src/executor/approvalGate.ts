import { CancelledError, messageOf, UserError } from '../base/errors';
import { Mutex } from '../base/mutex';
import { makeVisible } from '../base/visible';
import { allowsCall, type ApprovalMode, type ApprovalState, type AskedCall, mustAsk } from '../core/approval';
import type { SessionFiles } from '../core/session';
import { askedCallOf, effectOf, type WantedCall } from './approvalEffect';
import { stateOf, type HostedRun } from './hostedRun';
import type { ExecutorPorts } from './ports';

/** What a run may do without asking, and how long it waits for an answer. */
export interface ApprovalPolicy {
  readonly mode: ApprovalMode;
  /** After so long nobody has allowed it; `null`: it waits for as long as it takes. */
  readonly timeoutMs: number | null;
  /** So long it waits where it is, with its jail and its slot; after that it is left, and goes on with the answer. */
  readonly holdMs: number;
}

/** The part of a run that it takes to ask. */
export interface AskingRun extends Pick<HostedRun, 'runId' | 'approvals' | 'signal'> {
  readonly session: { readonly files: Pick<SessionFiles, 'read'>; note(text: string): void };
}

/** Errors that are no answer: the run is left and asks again, or nothing can be kept any more. */
const leaving: ReadonlySet<string> = new Set(['approval-open', 'disk-full', 'journal-failed', 'storage-unwritable']);

type Answer = NonNullable<ApprovalState['answer']>;

/**
 * Stands before each tool call of a run. What must be asked about waits for the user; whatever goes wrong on the way is a no,
 * and nothing but a clear yes to this very call is a yes.
 */
export class ApprovalGate {
  /** One question at a time. */
  private readonly mutex = new Mutex();
  /** Why the run is being left, once it is. */
  private left: UserError | undefined;

  constructor(
    private readonly ports: Pick<ExecutorPorts, 'events' | 'blobs' | 'clock' | 'logger'>,
    private readonly run: AskingRun,
  ) {}

  /**
   * @returns why a call is not to be done; `undefined` when it may be.
   * @throws {UserError} `approval-open`: the run is to be left until there is an answer. @throws {CancelledError}
   */
  async denialOf(wanted: WantedCall): Promise<string | undefined> {
    if (!mustAsk(this.run.approvals.mode, wanted.tool ?? wanted.name)) return undefined;
    return this.mutex.run(async () => {
      // There is room for one question: a call at its side must not take the place of the one that the user still has.
      if (this.left) throw this.left;
      try {
        const answer = await this.answerTo(wanted, askedCallOf(wanted));
        return answer?.allowed === true ? undefined : denialWords(answer);
      } catch (error) {
        if (error instanceof CancelledError) throw error;
        if (error instanceof UserError && leaving.has(error.code)) throw (this.left = error);
        this.ports.logger.warn('A call is denied, because it could not be asked about', { reason: messageOf(error) });
        return 'This could not be asked about, so it is not allowed.';
      }
    });
  }

  private async answerTo(wanted: WantedCall, asked: AskedCall): Promise<Answer | null | undefined> {
    const before = this.known(wanted.callId, asked);
    if (before?.answer) return before.answer;
    if (!before) {
      const isAllowed = await this.ask(wanted, asked);
      if (isAllowed) return this.known(wanted.callId, asked)?.answer;
    } else await this.say(before);
    await this.wait(wanted.callId, asked);
    return this.known(wanted.callId, asked)?.answer;
  }

  /** What was asked and answered for one input holds for no other under the same id. */
  private known(callId: string, { call }: AskedCall): ApprovalState | undefined {
    const { approval } = stateOf(this.ports, this.run.runId);
    return approval?.callId === callId && approval.call === call ? approval : undefined;
  }

  /** @returns true when the user has allowed it before. */
  private async ask(wanted: WantedCall, asked: AskedCall): Promise<boolean> {
    const { events, blobs, clock } = this.ports;
    const { runId, session, approvals } = this.run;
    const { callId } = wanted;
    const effect = await blobs.put(JSON.stringify(await effectOf(wanted, session.files)));
    const summary = makeVisible(wanted.summary.replace(/\s+/g, ' ')).slice(0, 300);
    const untilMs = approvals.timeoutMs === null ? null : clock.nowMs() + approvals.timeoutMs;
    const { tool, call } = asked;
    const question = { kind: 'approval.asked', runId, callId, tool, call, summary, effect, untilMs } as const;
    if (allowsCall(this.task().allowed ?? [], asked)) {
      const yes = {
        kind: 'approval.answered',
        runId,
        callId,
        allowed: true,
        by: 'rule',
        reason: '',
        rule: null,
      } as const;
      await events.append([question, yes]);
      return true;
    }
    await events.append([question, this.waiting(summary)]);
    session.note(`Waiting for you to allow: ${summary}`);
    return false;
  }

  /** A run that asks again shows as waiting again. */
  private async say({ summary }: ApprovalState): Promise<void> {
    await this.ports.events.append([this.waiting(summary)]);
  }

  private waiting(summary: string) {
    return { kind: 'task.waiting', taskId: this.task().id, on: 'user', reason: askWords(summary) } as const;
  }

  /** Resolves when there is an answer. @throws {UserError} `approval-open` when it has not come soon. */
  private async wait(callId: string, asked: AskedCall): Promise<void> {
    const { events, clock } = this.ports;
    const { approvals, signal } = this.run;
    const over = new AbortController();
    const isAnswered = (): boolean => this.known(callId, asked)?.answer !== null;
    const disposables = [
      events.onDidAppend(() => isAnswered() && over.abort()),
      clock.setTimer(approvals.holdMs, () => over.abort()),
    ];
    try {
      const either = AbortSignal.any([signal, over.signal]);
      if (!isAnswered() && !either.aborted)
        await new Promise<void>((resolve) => either.addEventListener('abort', () => resolve(), { once: true }));
    } finally {
      for (const each of disposables) each.dispose();
    }
    if (signal.aborted) throw new CancelledError();
    if (!isAnswered())
      throw new UserError('approval-open', askWords(this.known(callId, asked)?.summary ?? ''), { retryable: false });
    if (this.task().status === 'waiting') await events.append([{ kind: 'task.resumed', taskId: this.task().id }]);
  }

  private task() {
    const { taskId } = stateOf(this.ports, this.run.runId);
    const task = this.ports.events.state.tasks.get(taskId);
    if (!task) throw new Error(`Task ${taskId} is not in the state`);
    return task;
  }
}

function askWords(summary: string): string {
  return `The agent asks to be allowed: ${summary}`;
}

function denialWords(answer: Answer | null | undefined): string {
  if (answer?.by === 'timeout')
    return 'Nobody allowed this in time, so it is not allowed. Go on without it, or say that it cannot be done without.';
  const reason = answer?.reason ? ` They say: ${answer.reason}` : '';
  return `The user did not allow this.${reason} Do not try to reach the same in another way.`;
}
