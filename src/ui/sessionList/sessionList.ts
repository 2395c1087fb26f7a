import type { Clock } from '../../base/clock';
import { type Disposable, DisposableStore } from '../../base/disposable';
import { Emitter } from '../../base/emitter';
import type { AirlockEvent } from '../../core/events';
import type { SessionId, TaskId } from '../../core/ids';
import type { LiveState } from '../../core/liveState';
import { Coalescer } from '../coalescer';
import type { ExecutorLink } from '../executorLink';
import { type SessionGroup, sessionGroups } from './sessionNode';
import { type SessionRow, sessionRowOf, sessionViewOf } from './sessionRow';
import { UseWatch } from './useWatch';

/** What must be shown anew. `all`: a session came or went. */
export type SessionChange =
  { readonly kind: 'all' } | { readonly kind: 'some'; readonly sessions: ReadonlySet<SessionId> };

/** As often as tasks are shown anew, and for the same reason. */
const intervalMs = 100;
/** Ages are told in minutes. */
const ageMs = 60_000;

/** The sessions as their view sees them, and told what changed and nothing more. Ages and use go on while somebody looks. */
export class SessionList implements Disposable {
  private readonly store = new DisposableStore();
  private readonly changed = this.store.add(new Emitter<SessionChange>());
  private readonly coalescer: Coalescer;
  private readonly use: UseWatch;
  private ageTimer: Disposable | undefined;
  private isWatched = false;
  private all = false;
  private touched = new Set<SessionId>();

  constructor(
    private readonly link: ExecutorLink,
    private readonly clock: Clock,
  ) {
    this.coalescer = this.store.add(new Coalescer(clock, intervalMs, () => this.flush()));
    this.use = this.store.add(new UseWatch(link, clock, (sessions) => this.show(sessions)));
    this.store.add(link.onDidAppend((events) => this.follow(events)));
    this.store.add(
      link.onDidReset(() => {
        this.all = true;
        this.coalescer.trigger();
      }),
    );
  }

  get onDidChange() {
    return this.changed.event;
  }

  /** Groups that have a session, in their order. */
  shownGroups(): SessionGroup[] {
    return sessionGroups.filter((group) => this.idsOf(group).length > 0);
  }

  /** The newest first. */
  idsOf(group: SessionGroup): SessionId[] {
    const { sessions, pastSessions } = this.link.state;
    return [...(group === 'living' ? sessions : pastSessions).keys()].reverse();
  }

  groupOf(sessionId: SessionId): SessionGroup | undefined {
    return sessionViewOf(this.link.state, sessionId)?.kind;
  }

  /** The task that a session works on, or worked on. */
  taskOf(sessionId: SessionId): TaskId | undefined {
    return sessionViewOf(this.link.state, sessionId)?.task?.id;
  }

  rowOf(sessionId: SessionId): SessionRow | undefined {
    const view = sessionViewOf(this.link.state, sessionId);
    return view && sessionRowOf(view, this.clock.nowMs(), this.use.of(sessionId));
  }

  /** Says whether anybody sees the sessions: then the ages of the living ones go on, and what they use is asked for. */
  setWatched(isWatched: boolean): void {
    this.isWatched = isWatched;
    this.use.setWatched(isWatched);
    // They may have grown old unseen.
    if (isWatched) this.age();
    else this.ageTimer?.dispose();
  }

  dispose(): void {
    this.ageTimer?.dispose();
    this.store.dispose();
  }

  private follow(events: readonly AirlockEvent[]): void {
    for (const event of events) {
      if (comesOrGoes(event)) this.all = true;
      else this.touch(touchedBy(this.link.state, event));
    }
    if (this.all || this.touched.size > 0) this.coalescer.trigger();
  }

  private show(sessions: readonly SessionId[]): void {
    for (const sessionId of sessions) this.touch(sessionId);
    if (this.touched.size > 0) this.coalescer.trigger();
  }

  private touch(sessionId: SessionId | null | undefined): void {
    if (sessionId != null && this.link.state.sessions.has(sessionId)) this.touched.add(sessionId);
  }

  private age(): void {
    this.ageTimer?.dispose();
    for (const sessionId of this.link.state.sessions.keys()) this.touched.add(sessionId);
    if (this.touched.size === 0) return;
    this.ageTimer = this.clock.setTimer(ageMs, () => this.age());
    this.coalescer.trigger();
  }

  private flush(): void {
    const change: SessionChange = this.all ? { kind: 'all' } : { kind: 'some', sessions: this.touched };
    const came = this.all && this.isWatched;
    this.all = false;
    this.touched = new Set();
    this.changed.fire(change);
    if (!came) return;
    this.restartAging();
    this.use.begin();
  }

  private restartAging(): void {
    this.ageTimer?.dispose();
    if (this.link.state.sessions.size > 0) this.ageTimer = this.clock.setTimer(ageMs, () => this.age());
  }
}

function comesOrGoes({ kind }: AirlockEvent): boolean {
  return kind === 'session.created' || kind === 'session.closed' || kind === 'session.deleted';
}

/** The session whose row an event makes look different. */
function touchedBy(state: LiveState, event: AirlockEvent): SessionId | null | undefined {
  switch (event.kind) {
    case 'session.takenOver':
    case 'session.givenBack':
    case 'session.limited':
      return event.sessionId;
    case 'run.phase':
      return state.runs.get(event.runId)?.sessionId;
    default:
      return undefined;
  }
}
