import { messageOf } from '../base/errors';
import type { EventBody } from '../core/events';
import type { TaskState } from '../core/liveState';
import { SourceUnreachableError } from '../core/source';
import { userSourceId } from './intake';
import type { ExecutorPorts } from './ports';
import { treatmentOf } from './retryPolicy';

/** How long nothing is asked of a source that could not be asked. */
const pauseMs = 10_000;

/** Asks the source of a task for it, so that nobody else works on it. */
export class Acceptance {
  /** Sources that could not be asked, and until when they are left alone, in monotonic time. */
  private readonly heldUntilMs = new Map<string, number>();

  constructor(private readonly ports: Pick<ExecutorPorts, 'events' | 'sources' | 'clock'>) {}

  /** How long this source is left alone yet; 0 or less when it can be asked. */
  heldForMs(sourceId: string): number {
    return (this.heldUntilMs.get(sourceId) ?? 0) - this.ports.clock.monotonicMs();
  }

  /** @returns whether the task is ours now and still wanted. */
  async accept(task: TaskState, signal: AbortSignal): Promise<boolean> {
    const { events, sources } = this.ports;
    const { origin } = task.spec;
    if (origin.sourceId === userSourceId) {
      await events.append([{ kind: 'task.accepted', taskId: task.id }]);
      return true;
    }
    const source = sources.find((candidate) => candidate.id === origin.sourceId);
    if (!source) {
      await events.append([
        {
          kind: 'task.waiting',
          taskId: task.id,
          on: 'user',
          reason: `Its source ${origin.sourceId} is not set up any more.`,
        },
      ]);
      return false;
    }
    const isRepeat = task.status === 'accepting';
    if (!isRepeat) await events.append([{ kind: 'task.accepting', taskId: task.id }]);
    try {
      const answer = await source.accept(origin.externalId, { isRepeat });
      const answers = this.sourceAnswers(source.id);
      if (answer.kind === 'accepted') {
        await events.append([{ kind: 'task.accepted', taskId: task.id }, ...answers]);
        return !signal.aborted;
      }
      const goesOn = task.joined?.some(({ accepted }) => accepted !== false) === true;
      await events.append([
        goesOn
          ? { kind: 'task.handedOn', taskId: task.id }
          : { kind: 'task.ended', taskId: task.id, outcome: 'cancelled', reason: answer.reason, runId: null },
        ...answers,
      ]);
      return false;
    } catch (error) {
      if (treatmentOf(error) === 'pause') throw error;
      return this.acceptLater(task, error);
    }
  }

  /** What was said of a source when it could not be asked is taken back. */
  private sourceAnswers(sourceId: string): EventBody[] {
    if (!this.heldUntilMs.delete(sourceId)) return [];
    return [{ kind: 'source.changed', sourceId, healthy: true, message: '' }];
  }

  /** Its source is left alone for a while; tasks of others go on. */
  private async acceptLater(task: TaskState, error: unknown): Promise<false> {
    const reason = messageOf(error);
    const { sourceId } = task.spec.origin;
    const asked = error instanceof SourceUnreachableError ? error.retryAfterMs : null;
    this.heldUntilMs.set(sourceId, this.ports.clock.monotonicMs() + (asked ?? pauseMs));
    await this.ports.events.append([
      treatmentOf(error) === 'fail'
        ? { kind: 'task.waiting', taskId: task.id, on: 'user', reason }
        : // It stays `accepting`: the source may have given it, and is asked again as a repeat.
          { kind: 'source.changed', sourceId, healthy: false, message: reason.slice(0, 1000) },
    ]);
    return false;
  }
}
