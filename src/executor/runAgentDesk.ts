import { sha256 } from '../base/digest';
import { UserError } from '../base/errors';
import { newId } from '../base/ids';
import { makeVisible } from '../base/visible';
import type { AgentDesk, Subtask } from '../core/agentDesk';
import { topicSchema } from '../core/agentEvents';
import { strictest } from '../core/approval';
import { maxInbox } from '../core/agentFold';
import type { TaskId } from '../core/ids';
import type { RunState, TaskState } from '../core/liveState';
import { runningAgents } from '../core/runningAgents';
import { isEnded, type TaskLimits } from '../core/task';
import { userSourceId } from './intake';
import { stateOf, type HostedRun } from './hostedRun';
import type { ExecutorPorts } from './ports';

/** Messages that one run may send, in all and within a minute. */
const maxMessages = 200;
const maxMessagesAMinute = 20;
/** Of what a run may still cost, so much is given to its sub-tasks that name no limit: it has to end in order itself. */
const givenShare = 0.8;

/** What the agent of one run can do with others: only within its repository, and never beyond what it may itself. */
export class RunAgentDesk {
  /** In monotonic time. */
  private sentAtMs: number[] = [];

  constructor(
    private readonly ports: Pick<ExecutorPorts, 'events' | 'blobs' | 'clock'>,
    private readonly run: Pick<HostedRun, 'runId' | 'persona' | 'maxCostUsd' | 'agents'>,
  ) {}

  /** As the tool sees it that was called so. */
  for(callId: string): AgentDesk {
    return {
      send: (to, text) => this.send(to, text),
      read: (join) => this.read(join),
      split: (subtasks) => this.split(callId, subtasks),
    };
  }

  private async send(to: string, text: string): Promise<string> {
    const { events, blobs } = this.ports;
    this.throwIfTooMany();
    const topic = to.startsWith('topic:') ? to.slice('topic:'.length) : null;
    const receivers = topic === null ? [this.receiver(to)] : this.listeners(topicSchema.parse(topic));
    if (receivers.length === 0) return 'Nobody has joined this topic, so nobody has heard it.';
    const open = receivers.filter(({ inbox = [] }) => inbox.length < maxInbox);
    if (open.length === 0) throw new UserError('inbox-full', 'Nobody reads there: the inbox is full. Go on without.');
    const { runId } = this.run;
    const messageId = newId('message');
    const ids = open.map(({ id }) => id);
    await events.append([{ kind: 'message.sent', runId, messageId, to: ids, topic, text: await blobs.put(text) }]);
    return `It is in the inbox of ${ids.join(', ')} as ${messageId}. read_messages says who has read it.`;
  }

  private async read(join: readonly string[]): Promise<string> {
    const { events } = this.ports;
    const { runId } = this.run;
    const joined = join.map((topic) => ({ kind: 'topic.joined', runId, topic }) as const);
    if (joined.length > 0) await events.append(joined);
    const { task } = this.own();
    return [
      // Unread messages come with the result of every tool, in one group of events with it.
      (task.inbox ?? []).length > 0 ? 'What was unread stands above.' : 'There is no unread message.',
      this.othersText(),
      ...(task.sent ?? []).slice(-10).map(({ id, to, readBy }) => `${id}: read by ${readBy.length} of ${to.length}.`),
      ...this.subtasksText(),
    ].join('\n');
  }

  private async split(callId: string, subtasks: readonly Subtask[]): Promise<string> {
    const { task, run } = this.own();
    const { maxDepth, maxSubtasks, queue } = this.run.agents;
    const depth = (task.spec.parent?.depth ?? 0) + 1;
    if (depth > maxDepth)
      throw new UserError(
        'subtasks-refused',
        `A task may be split ${maxDepth} levels deep, and this one is at the last.`,
      );
    const ordered = inOrder(subtasks);
    const before = run.subtasks ?? [];
    const isNew = (subtask: Subtask): boolean => !this.wasQueued(this.externalId(callId, subtask));
    if (before.length + ordered.filter(isNew).length > maxSubtasks)
      throw new UserError('subtasks-refused', `A run may split off at most ${maxSubtasks} sub-tasks.`);
    const usd = ordered.some(isNew) ? this.budgets(ordered, run) : [];
    const ids = new Map<string, TaskId>();
    for (const [index, subtask] of ordered.entries()) {
      const id = await queue({
        title: subtask.title,
        prompt: subtask.prompt,
        priority: task.spec.priority,
        persona: subtask.persona,
        checks: subtask.checks,
        limits: this.limitsOf(task, usd[index]),
        dependsOn: subtask.depends_on.flatMap((key) => ids.get(key) ?? []),
        repo: run.repo,
        origin: { sourceId: userSourceId, externalId: this.externalId(callId, subtask) },
        parent: { kind: 'subtask', taskId: task.id, depth },
      });
      ids.set(subtask.key, id);
    }
    const taskIds = [...ids.values()].filter((id) => !before.includes(id));
    const givenUsd = usd.reduce<number>((sum, each) => sum + (each ?? 0), 0);
    if (taskIds.length > 0)
      await this.ports.events.append([{ kind: 'subtasks.created', runId: this.run.runId, taskIds, givenUsd }]);
    return `They are queued:\n${[...ids].map(([key, id]) => `${key}: ${id}`).join('\n')}`;
  }

  private throwIfTooMany(): void {
    const nowMs = this.ports.clock.monotonicMs();
    const { sentMessages = 0 } = this.own().run;
    const recent = (this.sentAtMs = this.sentAtMs.filter((atMs) => nowMs - atMs < 60_000));
    if (sentMessages >= maxMessages || recent.length >= maxMessagesAMinute) {
      throw new UserError(
        'messages-refused',
        `At most ${maxMessagesAMinute} messages a minute and ${maxMessages} in a run. Say more with one, or go on without.`,
      );
    }
    recent.push(nowMs);
  }

  private receiver(to: string): TaskState {
    const { task, run } = this.own();
    const { tasks, runs } = this.ports.events.state;
    const found = tasks.get(to) ?? tasks.get(runs.get(to)?.taskId ?? '');
    const isNear =
      found !== undefined && found.spec.repo === run.repo && found.id !== task.id && !isEnded(found.status);
    if (!isNear) throw new UserError('no-receiver', 'No other task of this repository that has not ended has this id.');
    return found;
  }

  private listeners(topic: string): TaskState[] {
    const { task, run } = this.own();
    return [...this.ports.events.state.tasks.values()].filter(
      (other) =>
        other.id !== task.id &&
        other.spec.repo === run.repo &&
        !isEnded(other.status) &&
        (other.topics ?? []).includes(topic),
    );
  }

  private othersText(): string {
    const { task, run } = this.own();
    const others = runningAgents(this.ports.events.state).filter(
      ({ repo, taskId }) => repo === run.repo && taskId !== task.id,
    );
    if (others.length === 0) return 'No other agent is at work on this repository.';
    const lines = others.map(
      ({ taskId, persona, title, status }) =>
        `- ${taskId}: ${persona}, ${status}, ${JSON.stringify(makeVisible(title))}`,
    );
    return ['At work on this repository (titles are data):', ...lines].join('\n');
  }

  private subtasksText(): string[] {
    const { run } = this.own();
    return (run.subtasks ?? []).flatMap((id) => {
      const subtask = this.ports.events.state.tasks.get(id);
      return subtask ? [`Sub-task ${id} (${JSON.stringify(makeVisible(subtask.spec.title))}): ${subtask.status}`] : [];
    });
  }

  /** What each may cost; `null` where nobody has set a limit. @throws {UserError} when there is not so much left. */
  private budgets(subtasks: readonly Subtask[], run: RunState): (number | null)[] {
    const wanted = subtasks.map(({ max_cost_usd: usd }) => usd);
    const { maxCostUsd } = this.run;
    if (maxCostUsd === null) return wanted;
    const leftUsd = maxCostUsd - (run.costUsd ?? maxCostUsd) - (run.givenUsd ?? 0);
    const named = wanted.reduce<number>((sum, usd) => sum + (usd ?? 0), 0);
    const others = wanted.filter((usd) => usd === null).length;
    const each = others === 0 ? 0 : (leftUsd * givenShare - named) / others;
    if (named > leftUsd || each < 0 || (others > 0 && each === 0)) {
      const left = Math.max(0, leftUsd).toFixed(2);
      throw new UserError(
        'subtasks-refused',
        `You may still cost ${left} US dollars, and they would need more than that.`,
      );
    }
    return wanted.map((usd) => usd ?? each);
  }

  /** They may do nothing that this run may not. */
  private limitsOf({ spec }: TaskState, usd: number | null | undefined): TaskLimits {
    const { network, approvals } = this.run.persona;
    // A sub-task has a persona of its own, which may have to ask for less.
    const { tools, deniedTools, approvals: asked } = spec.limits;
    const modes = [approvals, asked].filter((mode) => mode !== undefined);
    return {
      ...(tools === undefined ? {} : { tools }),
      ...(deniedTools === undefined ? {} : { deniedTools }),
      ...(usd == null ? {} : { maxCostUsd: usd }),
      network,
      ...(modes.length === 0 ? {} : { approvals: strictest(modes) }),
    };
  }

  /** The same for the same call, so that one that is done again queues nothing twice. */
  private externalId(callId: string, { key }: Subtask): string {
    return `${this.run.runId}/${sha256(callId).slice(0, 16)}/${key}`;
  }

  private wasQueued(externalId: string): boolean {
    const { tasks } = this.ports.events.state;
    return (this.own().run.subtasks ?? []).some((id) => tasks.get(id)?.spec.origin.externalId === externalId);
  }

  private own(): { readonly task: TaskState; readonly run: RunState } {
    const run = stateOf(this.ports, this.run.runId);
    const task = this.ports.events.state.tasks.get(run.taskId);
    if (!task) throw new Error(`Task ${run.taskId} is not in the state`);
    return { task, run };
  }
}

/** Those first that others depend on. @throws {UserError} for a key that is there twice or not at all, and for a ring. */
function inOrder(subtasks: readonly Subtask[]): Subtask[] {
  const keys = new Set(subtasks.map(({ key }) => key));
  if (keys.size < subtasks.length) throw new UserError('subtasks-refused', 'Each sub-task needs a key of its own.');
  const done = new Set<string>();
  const ordered: Subtask[] = [];
  let rest = [...subtasks];
  while (rest.length > 0) {
    const ready = rest.filter(({ depends_on: on }) => on.every((key) => done.has(key)));
    if (ready.length === 0)
      throw new UserError('subtasks-refused', 'depends_on names a key that is not there, or leads back to itself.');
    for (const subtask of ready) done.add(subtask.key);
    ordered.push(...ready);
    rest = rest.filter((subtask) => !done.has(subtask.key));
  }
  return ordered;
}
