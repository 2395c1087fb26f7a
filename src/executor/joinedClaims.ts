import { DisposableStore, type Disposable } from '../base/disposable';
import { messageOf } from '../base/errors';
import type { EventBody } from '../core/events';
import type { JoinedOrigin, TaskState } from '../core/liveState';
import type { TaskSource } from '../core/source';
import { isEnded, type TaskOrigin } from '../core/task';
import { isOurs } from './intake';
import type { ExecutorPorts } from './ports';
import { treatmentOf } from './retryPolicy';
import { originKey } from './taskIds';

const againMs = 10_000;

interface OpenClaim {
  readonly task: TaskState;
  readonly joined: JoinedOrigin;
  readonly source: TaskSource;
}

/**
 * Asks the other sources of a task for it as soon as it is ours, so that nobody else begins it there. One that cannot be asked
 * is asked again, at the latest before it is told the outcome; the work does not wait for it.
 */
export class JoinedClaims implements Disposable {
  private readonly disposables = new DisposableStore();
  private timer: Disposable | undefined;
  private asking: Promise<void> | undefined;
  private ended = false;
  /** They cannot have given it to us before. */
  private readonly neverAsked = new Set<string>();

  constructor(private readonly ports: Pick<ExecutorPorts, 'events' | 'sources' | 'clock' | 'logger'>) {}

  start(): void {
    this.disposables.add(
      this.ports.events.onDidAppend((events) => {
        for (const event of events) if (event.kind === 'task.joined') this.neverAsked.add(originKey(event.origin));
        if (events.some(({ kind }) => kind === 'task.joined' || kind === 'task.accepted')) this.ask();
      }),
    );
    this.ask();
  }

  dispose(): void {
    this.ended = true;
    this.timer?.dispose();
    this.disposables.dispose();
  }

  /** Resolves when nobody is being asked any more. */
  async drain(): Promise<void> {
    await this.asking;
  }

  private ask(): void {
    if (this.ended || this.asking) return;
    const open = this.open();
    if (open.length === 0) return;
    this.timer?.dispose();
    this.asking = this.askAll(open).finally(() => {
      this.asking = undefined;
      if (!this.ended) this.timer = this.ports.clock.setTimer(this.open().length > 0 ? againMs : 0, () => this.ask());
    });
  }

  /** Those of sources that are set up. Another one is told the outcome when it is there again, and asked for the task first. */
  private open(): OpenClaim[] {
    return [...this.ports.events.state.tasks.values()].flatMap((task) => {
      if (task.joined === undefined || !isOurs(task) || isEnded(task.status)) return [];
      return task.joined.flatMap((joined) => {
        const source = this.ports.sources.find(({ id }) => id === joined.origin.sourceId);
        return joined.accepted === null && source ? [{ task, joined, source }] : [];
      });
    });
  }

  private async askAll(open: readonly OpenClaim[]): Promise<void> {
    for (const { task, joined, source } of open) {
      if (this.ended) return;
      try {
        const accepted = await claimed(source, joined.origin, !this.neverAsked.delete(originKey(joined.origin)));
        await this.ports.events.append([answered(task, joined, accepted)]);
      } catch (error) {
        this.ports.logger.debug('Another source of a task could not be asked for it', { reason: messageOf(error) });
      }
    }
  }
}

function answered({ id: taskId }: TaskState, { origin }: JoinedOrigin, accepted: boolean): EventBody {
  return { kind: 'task.joinAnswered', taskId, origin, accepted };
}

/** @throws {SourceUnreachableError} when it may be asked again. */
async function claimed(source: TaskSource, { externalId }: TaskOrigin, isRepeat: boolean): Promise<boolean> {
  try {
    return (await source.accept(externalId, { isRepeat })).kind === 'accepted';
  } catch (error) {
    if (treatmentOf(error) === 'fail') return false;
    throw error;
  }
}
