import { DisposableStore, type Disposable } from '../base/disposable';
import { CancelledError, messageOf } from '../base/errors';
import type { ExecutorPorts, ExecutorSettings } from './ports';
import type { WarmMaker, WarmStart, WarmWish } from './warmStart';

/** None waits longer: the repository moves on, and a proof gets old. */
const maxAgeMs = 30 * 60_000;

/** A session's own wall time runs while it waits: it must not lose more than this part of it. */
const maxPartOfWall = 1 / 2;

/** With less memory left than that nothing is prepared, and what waits is thrown away. */
export const minFreeBytes = 1024 ** 3;

const lookEveryMs = 10_000;

interface Held {
  readonly start: WarmStart;
  readonly sinceMs: number;
  /** By the clock on the wall: a machine that slept has aged too. */
  readonly sinceWallMs: number;
  readonly watches: DisposableStore;
}

/** What the machine has left. */
export interface HostRoom {
  readonly freeBytes: () => number;
  /** So busy that no new run starts. */
  readonly isBusy: () => boolean;
}

type Ports = Pick<ExecutorPorts, 'clock' | 'logger' | 'room'>;

/**
 * Workspaces with proven sessions that wait for the next task of their repository. Each is used once, by a task that wants
 * the very same, after it was looked at; at any doubt it is thrown away, and the task gets a new one. They have no slot: only
 * tasks have. One is prepared at a time, and when memory or disk is short none is, and those that wait go.
 */
export class WarmSessions implements Disposable {
  private readonly disposables = new DisposableStore();
  private readonly held = new Map<string, Held>();
  private readonly stop = new AbortController();
  private readonly ends = new Set<Promise<unknown>>();
  private preparing: Promise<void> = Promise.resolve();
  /** What is still to be prepared, of each repository the last wish. */
  private readonly wishes = new Map<string, WarmWish>();
  private looking: Disposable | undefined;

  constructor(
    private readonly ports: Ports,
    private readonly settings: Pick<ExecutorSettings, 'warmSessions' | 'concurrency'>,
    private readonly maker: WarmMaker,
    private readonly host: HostRoom,
  ) {
    this.disposables.add(ports.room.onDidChange(() => this.letGoWhenShort()));
  }

  /** How many wait. */
  get size(): number {
    return this.held.size;
  }

  /** Something may soon want this: it is prepared when there is room for it. */
  expect(wish: WarmWish): void {
    if (!this.mayPrepare()) return;
    this.wishes.set(wish.repo, wish);
    this.preparing = this.preparing.then(() => this.prepare(wish.repo));
  }

  /** @returns one that is as good as new, and that nobody else gets; `undefined` when there is none. Never rejects. */
  async claim(wish: WarmWish): Promise<WarmStart | undefined> {
    for (const { start } of [...this.held.values()]) {
      if (!isSame(start.wish, wish)) continue;
      const held = this.take(start);
      if (!held) continue;
      const doubt = this.isTooOld(held) ? 'it waited too long' : await this.doubt(start);
      if (doubt === undefined && !this.stop.signal.aborted) return start;
      this.discard(start, doubt ?? 'Airlock is shutting down');
    }
    return undefined;
  }

  /** Throws one away that was claimed and could not be used. */
  discard(start: WarmStart, reason: string): void {
    this.ports.logger.info('A session that was prepared ahead is thrown away', { runId: start.runId, reason });
    const end = this.maker.discard(start, reason).finally(() => this.ends.delete(end));
    this.ends.add(end);
  }

  /** Ends and deletes all of them. */
  async shutdown(): Promise<void> {
    this.stop.abort();
    this.wishes.clear();
    await this.preparing;
    this.discardAll('Airlock is shutting down');
    await Promise.all(this.ends);
    this.dispose();
  }

  dispose(): void {
    this.stop.abort();
    this.looking?.dispose();
    this.disposables.dispose();
  }

  private async prepare(repo: string): Promise<void> {
    const wish = this.wishes.get(repo);
    this.wishes.delete(repo);
    if (!wish || !this.mayPrepare() || !this.makeRoomFor(wish)) return;
    try {
      const start = await this.maker.prepare(wish, this.stop.signal);
      if (this.stop.signal.aborted) this.discard(start, 'Airlock is shutting down');
      else this.hold(start);
    } catch (error) {
      if (error instanceof CancelledError) return;
      this.ports.logger.debug('Nothing could be prepared ahead', { repo, reason: messageOf(error) });
    }
  }

  private mayPrepare(): boolean {
    if (this.settings.warmSessions === 0 || this.stop.signal.aborted) return false;
    if (this.host.isBusy()) return false;
    return this.ports.room.shortage === undefined && this.host.freeBytes() >= minFreeBytes;
  }

  /** What has waited longest goes. @returns false when there are enough of the same already. */
  private makeRoomFor(wish: WarmWish): boolean {
    const ofRepository = this.starts().filter(({ wish: { repo } }) => repo === wish.repo);
    const { warmSessions, concurrency } = this.settings;
    if (ofRepository.filter((start) => isSame(start.wish, wish)).length >= warmSessions) return false;
    const tooMany = ofRepository.slice(0, Math.max(0, ofRepository.length + 1 - warmSessions));
    for (const start of tooMany) this.letGo(start, 'another one is more likely to be wanted');
    const others = this.starts();
    for (const start of others.slice(0, Math.max(0, others.length + 1 - Math.max(concurrency, warmSessions)))) {
      this.letGo(start, 'there are as many as there are slots');
    }
    return true;
  }

  private hold(start: WarmStart): void {
    const { clock } = this.ports;
    const watches = new DisposableStore();
    this.held.set(start.runId, { start, sinceMs: clock.monotonicMs(), sinceWallMs: clock.nowMs(), watches });
    watches.add(clock.setTimer(maxAgeOf(start), () => this.letGo(start, 'it waited too long')));
    void start.ended.then(({ reason }) => this.letGo(start, `its session ended: ${reason}`));
    this.looking ??= clock.setTimer(lookEveryMs, () => this.look());
  }

  private look(): void {
    this.looking = undefined;
    this.letGoWhenShort();
    if (this.held.size > 0) this.looking = this.ports.clock.setTimer(lookEveryMs, () => this.look());
  }

  private letGoWhenShort(): void {
    const { shortage } = this.ports.room;
    if (shortage?.code === 'disk-full') this.discardAll('the disk is full');
    else if (shortage !== undefined) this.discardAll('the storage cannot be written to');
    else if (this.host.freeBytes() < minFreeBytes) this.discardAll('memory is short');
  }

  private isTooOld({ start, sinceMs, sinceWallMs }: Held): boolean {
    const { clock } = this.ports;
    return Math.max(clock.monotonicMs() - sinceMs, clock.nowMs() - sinceWallMs) >= maxAgeOf(start);
  }

  private async doubt(start: WarmStart): Promise<string | undefined> {
    try {
      return await this.maker.doubt(start);
    } catch (error) {
      return messageOf(error);
    }
  }

  private starts(): WarmStart[] {
    return [...this.held.values()].map(({ start }) => start);
  }

  /** From here on it is nobody else's. */
  private take({ runId }: WarmStart): Held | undefined {
    const held = this.held.get(runId);
    this.held.delete(runId);
    held?.watches.dispose();
    return held;
  }

  private letGo(start: WarmStart, reason: string): void {
    if (this.take(start)) this.discard(start, reason);
  }

  private discardAll(reason: string): void {
    for (const start of this.starts()) this.letGo(start, reason);
  }
}

function maxAgeOf({ wish: { wallMs } }: WarmStart): number {
  return Math.min(maxAgeMs, wallMs * maxPartOfWall);
}

/** Everything but what must be looked at: whether the repository is still where it was. */
function isSame(one: WarmWish, other: WarmWish): boolean {
  return JSON.stringify(facts(one)) === JSON.stringify(facts(other));
}

function facts({ repo, base, persona, wallMs }: WarmWish): unknown {
  return [repo, base ?? null, wallMs, persona];
}
