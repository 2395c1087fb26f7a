import type { Disposable } from '../base/disposable';
import { DisposableStore } from '../base/disposable';
import { messageOf, UserError } from '../base/errors';
import {
  type ApprovalDecision,
  approvalDecisionSchema,
  approvalEffectSchema,
  type ApprovalRule,
  type ApprovalState,
  isOpenApproval,
  plainWords,
} from '../core/approval';
import type { EventBody } from '../core/events';
import type { TaskId } from '../core/ids';
import { runOf, type RunState, type TaskState } from '../core/liveState';
import type { Dispatcher } from './dispatcher';
import type { ExecutorPorts } from './ports';
import { foundTask, wrongState } from './steering';

/** The clock may have stood still while the machine slept: so often it is looked at. */
const lookEveryMs = 60_000;

/** Takes what the user says to what agents ask to be allowed, and says no when nobody says anything. */
export class Approvals implements Disposable {
  private readonly disposables = new DisposableStore();
  private timer: Disposable | undefined;

  constructor(
    private readonly ports: Pick<ExecutorPorts, 'events' | 'blobs' | 'clock' | 'logger'>,
    private readonly dispatcher: Pick<Dispatcher, 'isWorking'>,
  ) {}

  start(): void {
    this.disposables.add(
      this.ports.events.onDidAppend((events) => {
        if (events.some(({ kind }) => kind === 'approval.asked')) this.look();
      }),
    );
    this.look();
  }

  dispose(): void {
    this.timer?.dispose();
    this.disposables.dispose();
  }

  /** @throws {UserError} `unknown-task`, `wrong-state`, `approval-gone`, `approval-invalid`. */
  async decide(taskId: TaskId, input: ApprovalDecision): Promise<void> {
    const { callId, allow, remember, reason } = approvalDecisionSchema.parse(input);
    const { state } = this.ports.events;
    const task = foundTask(state, taskId);
    const run = runOf(state, task);
    const approval = run?.outcome === null ? run.approval : undefined;
    if (!run || !isOpenApproval(approval))
      throw wrongState(task, 'allowed or denied anything, for it asks for nothing');
    if (approval.callId !== callId)
      throw new UserError('approval-gone', 'It asks for something else by now. Look at it again.', { taskId });
    const rule = allow && remember ? await this.ruleOf(approval, remember) : null;
    await this.answer(task, run, approval, { allowed: allow, by: 'user', reason: allow ? '' : reason, rule });
  }

  private async ruleOf(
    { call, effect }: ApprovalState,
    remember: { readonly kind: 'same' } | { readonly kind: 'words'; readonly count: number },
  ): Promise<ApprovalRule> {
    if (remember.kind === 'same') return { kind: 'same', call };
    const bytes = await this.ports.blobs.get(effect);
    const read = approvalEffectSchema.safeParse(JSON.parse(bytes ? Buffer.from(bytes).toString('utf8') : 'null'));
    const words = read.data?.command == null ? null : plainWords(read.data.command);
    if (words === null || remember.count > words.length) {
      throw new UserError(
        'approval-invalid',
        'Only a command of plain words can be remembered by how it begins: without quotes, variables, patterns, ;, &, |, redirections and line breaks.',
      );
    }
    return { kind: 'words', words: words.slice(0, remember.count) };
  }

  private async answer(
    task: TaskState,
    run: RunState,
    { callId }: ApprovalState,
    answer: Pick<Extract<EventBody, { kind: 'approval.answered' }>, 'allowed' | 'by' | 'reason' | 'rule'>,
  ): Promise<void> {
    // A run that still stands there goes on by itself.
    const isLeft = task.status === 'waiting' && !task.paused && !this.dispatcher.isWorking(task.id);
    await this.ports.events.append([
      { kind: 'approval.answered', runId: run.id, callId, ...answer },
      ...(isLeft ? [{ kind: 'task.requeued', taskId: task.id, reason: '', notBeforeMs: 0 } as const] : []),
    ]);
  }

  /** Denies what has waited too long, and comes back when the next one has. */
  private look(): void {
    this.timer?.dispose();
    const { events, clock } = this.ports;
    const nowMs = clock.nowMs();
    let nextMs = Infinity;
    for (const run of events.state.runs.values()) {
      const task = events.state.tasks.get(run.taskId);
      const { approval } = run;
      if (!task || run.outcome !== null || !isOpenApproval(approval) || approval.untilMs === null) continue;
      if (approval.untilMs > nowMs) nextMs = Math.min(nextMs, approval.untilMs);
      else {
        this.answer(task, run, approval, { allowed: false, by: 'timeout', reason: '', rule: null }).catch(
          (error: unknown) => {
            this.ports.logger.warn('That nobody allowed a call could not be kept', { reason: messageOf(error) });
          },
        );
        nextMs = Math.min(nextMs, nowMs + lookEveryMs);
      }
    }
    if (nextMs < Infinity)
      this.timer = clock.setTimer(Math.min(lookEveryMs, Math.max(1, nextMs - nowMs)), () => this.look());
  }
}
