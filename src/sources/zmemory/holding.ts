import type { Clock } from '../../base/clock';
import { UserError } from '../../base/errors';
import type { HoldAnswer } from '../../core/source';
import type { ZMemoryApi } from './api';
import { reportedEnds } from './report';
import type { WireTaskState } from './wire';

/** What servers call a task that somebody is at. */
const heldStates = new Set(['accepted', 'in_progress', 'in progress', 'running', 'claimed', 'assigned']);
/** What they call one that they have on offer. */
const freeStates = new Set(['pending', 'queued', 'open', 'todo']);
/**
 * What they call one that is over, however it ended. A word that is on none of these lists tells nothing: work that was paid for
 * is not ended for it.
 */
const endedStates = new Set([
  ...Object.keys(reportedEnds),
  ...['succeeded', 'cancelled', 'canceled', 'aborted', 'expired', 'timed_out', 'rejected', 'deleted'],
]);
/** A server that was heard of it so long ago may have given it to somebody else meanwhile. */
const trustedMs = 120_000;

/**
 * Which tasks of a server are ours. The wire knows no leases: that one was lost shows in the server's answer to a change, or in
 * its list of tasks. What a server does not say counts as ours.
 */
export class Holding {
  private readonly heard = new Map<string, { readonly wallMs: number; readonly monotonicMs: number }>();

  constructor(
    private readonly api: Pick<ZMemoryApi, 'accept' | 'setStatus' | 'stateOf'>,
    private readonly agent: string,
    private readonly clock: Clock,
  ) {}

  /** The server has just said that it is ours. */
  noteHeld(id: string): void {
    this.heard.set(id, { wallMs: this.clock.nowMs(), monotonicMs: this.clock.monotonicMs() });
  }

  /** It is over, or somebody else's. */
  forget(id: string): void {
    this.heard.delete(id);
  }

  /** The server has it as given to us, whoever it was that asked for it with our name. */
  async isOurs(id: string): Promise<boolean> {
    const state = await this.api.stateOf(id);
    return state?.agent === this.agent && heldStates.has(state.status.toLowerCase());
  }

  /** Says that it is alive. */
  async keep(id: string, progress: number | null): Promise<HoldAnswer> {
    const answer = await this.api.setStatus(id, {
      status: 'in_progress',
      ...(progress === null ? {} : { progress: Math.round(Math.min(100, Math.max(0, progress))) }),
    });
    const held = answer.kind === 'done' ? this.judge(answer.task) : await this.look(id);
    if (held.kind === 'held') this.noteHeld(id);
    else this.forget(id);
    return held;
  }

  /**
   * Before something is told that would change what somebody else does.
   * @throws {UserError} `source-gave-elsewhere`.
   */
  async throwIfLost(id: string): Promise<void> {
    const heard = this.heard.get(id);
    const agoMs = heard
      ? Math.max(this.clock.nowMs() - heard.wallMs, this.clock.monotonicMs() - heard.monotonicMs)
      : Infinity;
    if (agoMs < trustedMs) return;
    const state = await this.api.stateOf(id);
    if (!state) return;
    // One that is on offer may be somebody else's in a moment.
    if (!this.isOthers(state)) return isFree(state) ? undefined : this.noteHeld(id);
    throw new UserError('source-gave-elsewhere', `ZMemory is not told of task ${id}: ${elsewhere(state)}`, { id });
  }

  private async look(id: string): Promise<HoldAnswer> {
    const state = await this.api.stateOf(id);
    // It was given back, or its time was up there: it is asked for once more.
    if (state && isFree(state)) {
      const again = await this.api.accept(id, this.agent);
      return again.kind === 'done' ? { kind: 'held' } : { kind: 'lost', reason: again.reason };
    }
    return this.judge(state);
  }

  private judge(state: WireTaskState | undefined): HoldAnswer {
    if (!state) return { kind: 'held' };
    if (this.isOthers(state)) return { kind: 'lost', reason: elsewhere(state) };
    return endedStates.has(state.status.toLowerCase())
      ? { kind: 'lost', reason: `The server has it as ${state.status}.` }
      : { kind: 'held' };
  }

  private isOthers({ agent }: WireTaskState): boolean {
    return typeof agent === 'string' && agent !== '' && agent !== this.agent;
  }
}

function isFree({ status }: WireTaskState): boolean {
  return freeStates.has(status.toLowerCase());
}

function elsewhere({ agent }: WireTaskState): string {
  return `The server has given it to “${String(agent).slice(0, 100)}”.`;
}
