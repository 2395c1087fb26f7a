import type { Disposable } from '../base/disposable';
import { messageOf } from '../base/errors';
import type { EventBody } from '../core/events';
import type { TaskSource } from '../core/source';
import type { Intake } from './intake';
import type { ExecutorPorts } from './ports';

/**
 * Sources that come and go while the executor works: those of the folders of other windows. While its lender is there, one is as good
 * as the executor's own. When the last lender has gone, what was taken from it goes on, and its reports wait until it is there again.
 */
export class LentSources implements Disposable {
  /** How often each is lent, by its id. The executor's own are not in here. */
  private readonly loans = new Map<string, number>();
  private ended = false;

  constructor(
    private readonly ports: Pick<ExecutorPorts, 'events' | 'logger'>,
    /** Those that are followed; what is lent is put into it. */
    private readonly sources: TaskSource[],
    private readonly intake: Pick<Intake, 'begin'>,
  ) {}

  /** Takes them. One that is followed already is not followed twice, and disposed of at once. */
  async lend(lent: readonly TaskSource[]): Promise<Disposable> {
    if (this.ended) {
      for (const source of lent) source.dispose();
      return { dispose: () => {} };
    }
    const ids = new Set<string>();
    const fresh: TaskSource[] = [];
    for (const source of lent) {
      const { id } = source;
      const isFollowed = this.sources.some((other) => other.id === id);
      const isOwn = isFollowed && !this.loans.has(id);
      if (!isOwn && !ids.has(id)) this.loans.set(id, (this.loans.get(id) ?? 0) + 1);
      if (!isOwn) ids.add(id);
      if (isFollowed) source.dispose();
      else fresh.push(source);
      // Before anybody hears of it: reports that have waited for it are sent at once.
      if (!isFollowed) this.sources.push(source);
    }
    const loan = {
      dispose: () => {
        this.giveBack([...ids]);
        ids.clear();
      },
    };
    try {
      await this.tell('source.added', fresh, this.waitingFor(fresh));
    } catch (error) {
      loan.dispose();
      throw error;
    }
    // The lender may be gone by now.
    for (const source of fresh) if (this.sources.includes(source)) this.intake.begin(source);
    return loan;
  }

  /** Nothing is told any more: the executor ends. */
  dispose(): void {
    this.ended = true;
  }

  private giveBack(ids: readonly string[]): void {
    const gone = ids.filter((id) => {
      const loans = this.loans.get(id) ?? 1;
      if (loans > 1) this.loans.set(id, loans - 1);
      else this.loans.delete(id);
      return loans === 1;
    });
    const left = this.sources.filter(({ id }) => gone.includes(id));
    for (const source of left) {
      this.sources.splice(this.sources.indexOf(source), 1);
      source.dispose();
    }
    this.tell('source.removed', left).catch((error: unknown) => {
      this.ports.logger.warn('That sources are gone could not be kept', { reason: messageOf(error) });
    });
  }

  /** Tasks that could not be asked for while their source was away go on. */
  private waitingFor(sources: readonly TaskSource[]): EventBody[] {
    const ids = new Set(sources.map(({ id }) => id));
    return [...this.ports.events.state.tasks.values()]
      .filter(({ status, waitingOn, accepted, spec }) => {
        return status === 'waiting' && waitingOn === 'user' && !accepted && ids.has(spec.origin.sourceId);
      })
      .map(({ id }) => ({ kind: 'task.requeued', taskId: id, reason: '', notBeforeMs: 0 }));
  }

  private async tell(
    kind: 'source.added' | 'source.removed',
    sources: readonly TaskSource[],
    more: readonly EventBody[] = [],
  ): Promise<void> {
    if (this.ended || sources.length === 0) return;
    await this.ports.events.append([...sources.map(({ id }) => ({ kind, sourceId: id })), ...more]);
  }
}
