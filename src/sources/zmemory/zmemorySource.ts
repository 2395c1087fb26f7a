import type { Clock } from '../../base/clock';
import { DisposableStore } from '../../base/disposable';
import { CancelledError, messageOf, UserError } from '../../base/errors';
import type { Logger } from '../../base/logger';
import { artifactKinds, type Artifact, type ArtifactKind } from '../../core/artifact';
import {
  SourceUnreachableError,
  type AcceptAnswer,
  type HoldAnswer,
  type Offer,
  type Report,
  type ReportBody,
  type ReportOptions,
  type SourceListener,
  type TaskSource,
} from '../../core/source';
import type { ZMemoryApi } from './api';
import { ZMemoryClient, type ZMemoryClientOptions } from './client';
import { EventFeed } from './eventFeed';
import { Holding } from './holding';
import { offerOf, type ResolveRepository } from './offer';
import { Pace } from '../pace';
import { Poller, type LookResult } from '../poller';
import { WakeWatch } from '../wakeWatch';
import { sendReport } from './report';
import type { TaskFilter } from './taskFilter';

export const defaultPollMs = 30_000;
/** A look that asks for everything, whatever its tag says, so that an offer that got lost here comes again. */
const fullLookEveryMs = 600_000;
/** One lost answer is no outage. */
const failuresUntilDown = 2;

export interface ZMemorySourceOptions {
  /** `zmemory:<name>`: origin of every task from here. */
  readonly id: string;
  readonly api: ZMemoryApi;
  /** The executor's name at the server. */
  readonly agent: string;
  /** Milliseconds between two looks while nothing happens. */
  readonly pollMs?: number;
  readonly resolveRepository: ResolveRepository;
  /** Absent: every task is wanted. */
  readonly filter?: TaskFilter;
  /** What of a run is handed over beside its report. Absent: all that there is. */
  readonly artifacts?: readonly ArtifactKind[];
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random?: () => number;
}

/** A source on ZMemory, whatever carries its calls. The API stays the caller's to close. */
export function createZMemorySource(options: ZMemorySourceOptions): TaskSource {
  return new ZMemorySource(options);
}

/** A source on a ZMemory server. @throws {UserError} `source-url-invalid`, `source-key-malformed`. */
export function connectZMemory(
  options: Omit<ZMemorySourceOptions, 'api'> & Pick<ZMemoryClientOptions, 'url' | 'token' | 'limits' | 'query'>,
): TaskSource {
  const client = new ZMemoryClient(options);
  return new ZMemorySource({ ...options, api: client }, [client]);
}

class ZMemorySource implements TaskSource {
  readonly id: string;
  readonly artifacts: readonly ArtifactKind[];
  readonly amends: boolean;
  private readonly poller: Poller;
  private readonly holding: Holding;
  private readonly pace: Pace;
  /** Absent where the API tells of news by itself, or cannot. */
  private readonly feed: EventFeed | undefined;
  /** What was on offer at the last look; `undefined` before the first one. */
  private seen: string | undefined;
  private readonly owned = new DisposableStore();
  private listener: SourceListener | undefined;
  private tag: string | null = null;
  private fullLookAtMs = 0;
  private health = 'unknown';
  private failuresInARow = 0;
  /** Accepts whose answer never came: the server may have given them to us. */
  private readonly unanswered = new Set<string>();

  constructor(
    private readonly options: ZMemorySourceOptions,
    owned: readonly { dispose(): void }[] = [],
  ) {
    this.id = options.id;
    this.artifacts = options.artifacts ?? artifactKinds;
    this.amends = this.artifacts.includes('pullRequest');
    for (const item of owned) this.owned.add(item);
    this.holding = new Holding(options.api, options.agent, options.clock);
    this.pace = new Pace(options.pollMs ?? defaultPollMs);
    this.feed = this.feedOf(options);
    this.poller = this.owned.add(
      new Poller({
        look: () => this.look(),
        intervalMs: () => this.pace.next(this.feed?.isListening ?? false),
        clock: options.clock,
        ...(options.random ? { random: options.random } : {}),
      }),
    );
  }

  start(listener: SourceListener): void {
    this.listener = listener;
    const news = this.options.api.onDidChange?.(() => this.poller.within(0));
    if (news) this.owned.add(news);
    const watch = this.owned.add(new WakeWatch(this.options.clock));
    this.owned.add(
      watch.onDidWake(() => {
        this.feed?.reopen();
        this.poller.wake();
      }),
    );
    this.feed?.open();
    this.poller.now();
  }

  refresh(): void {
    if (!this.listener) return;
    this.fullLookAtMs = 0;
    this.feed?.open();
    this.poller.now();
  }

  async accept(externalId: string, options?: { readonly isRepeat: boolean }): Promise<AcceptAnswer> {
    const mayBeOurs = options?.isRepeat !== false || this.unanswered.has(externalId);
    try {
      const answer = await this.options.api.accept(externalId, this.options.agent);
      const taken = answer.kind === 'refused' && !(mayBeOurs && (await this.holding.isOurs(externalId)));
      this.unanswered.delete(externalId);
      if (taken) return { kind: 'unavailable', reason: answer.reason };
      this.holding.noteHeld(externalId);
      this.poller.within(this.pace.quicken());
      return { kind: 'accepted' };
    } catch (error) {
      if (error instanceof SourceUnreachableError) this.unanswered.add(externalId);
      throw error;
    }
  }

  async progress(externalId: string, percent: number | null, _message: string): Promise<void> {
    const progress = percent === null ? {} : { progress: Math.round(Math.min(100, Math.max(0, percent))) };
    const answer = await this.options.api.setStatus(externalId, { status: 'in_progress', ...progress });
    if (answer.kind === 'refused') {
      this.options.logger.debug('ZMemory does not take the progress', { externalId, reason: answer.reason });
    }
  }

  /** A server that knows no artifacts, or does not want this one, has none: that is no failure. */
  async attach(report: Report, { name, content }: Artifact): Promise<boolean> {
    const { externalId, reportId } = report;
    await this.holding.throwIfLost(externalId);
    try {
      const options = { idempotencyKey: `${reportId}/${name}` };
      const answer = await this.options.api.addArtifact(externalId, { name, content }, options);
      if (answer.kind === 'done') return true;
      this.options.logger.debug('ZMemory takes no artifact', { externalId, name, reason: answer.reason });
    } catch (error) {
      if (!(error instanceof UserError) || error.facts['retryable'] === true) throw error;
      this.options.logger.debug('ZMemory takes no artifact', { externalId, name, reason: error.message });
    }
    return false;
  }

  hold(externalId: string, percent: number | null): Promise<HoldAnswer> {
    return this.holding.keep(externalId, percent);
  }

  async report(report: Report, body: ReportBody, options: ReportOptions): Promise<void> {
    // A task that is over takes no second outcome there: what came to it since was handed over as an artifact.
    if (report.amends) return;
    await this.holding.throwIfLost(report.externalId);
    await sendReport(this.options.api, report, body, options);
    this.holding.forget(report.externalId);
    this.poller.within(this.pace.quicken());
  }

  async forget(beforeMs: number): Promise<void> {
    await this.options.api.forget?.(beforeMs);
  }

  dispose(): void {
    this.listener = undefined;
    this.owned.dispose();
  }

  private feedOf({ api, clock, logger, random }: ZMemorySourceOptions): EventFeed | undefined {
    const open = api.openEvents?.bind(api);
    if (!open) return undefined;
    const feed = this.owned.add(new EventFeed({ open, clock, logger, ...(random ? { random } : {}) }));
    this.owned.add(feed.onDidHear(() => this.poller.within(0)));
    // Nobody tells any more: it is looked as often as without a stream.
    this.owned.add(
      feed.onDidChangeListening((isListening) => {
        if (!isListening) this.poller.within(this.pace.next(false));
      }),
    );
    return feed;
  }

  /** Looks once. Never rejects: what goes wrong is told as health. */
  private async look(): Promise<LookResult> {
    try {
      await this.lookAndOffer();
      this.failuresInARow = 0;
      this.tellHealth('ok', '');
      return { kind: 'looked' };
    } catch (error) {
      if (!(error instanceof CancelledError)) this.noteFailure(error);
      return { kind: 'failed', notBeforeMs: error instanceof SourceUnreachableError ? error.retryAfterMs : null };
    }
  }

  private async lookAndOffer(): Promise<void> {
    const { api, agent, clock, resolveRepository, filter } = this.options;
    const nowMs = clock.monotonicMs();
    if (nowMs >= this.fullLookAtMs) {
      this.tag = null;
      this.fullLookAtMs = nowMs + fullLookEveryMs;
    }
    const answer = await api.pending(agent, this.tag);
    if (answer.kind === 'unchanged' || !this.listener) return;
    // Until the listener has taken the offer: one that it could not take must come again.
    this.tag = null;
    try {
      const offer = offerOf(answer.entries, { agent, resolveRepository, ...(filter ? { filter } : {}) });
      this.listener.offer(offer);
      this.noteOffer(offer);
      this.tag = answer.tag;
    } catch (error) {
      this.options.logger.error('An offer could not be taken', error, { source: this.id });
    }
  }

  /** Where something came or went there is often more. */
  private noteOffer({ tasks }: Offer): void {
    const now = JSON.stringify(tasks.map(({ externalId }) => externalId).sort());
    if (this.seen !== undefined && this.seen !== now) this.pace.quicken();
    this.seen = now;
  }

  private noteFailure(error: unknown): void {
    this.failuresInARow += 1;
    const mayPass = error instanceof SourceUnreachableError;
    if (!mayPass && !(error instanceof UserError)) this.options.logger.error('Looking for tasks failed', error);
    if (mayPass && this.health === 'ok' && this.failuresInARow < failuresUntilDown) return;
    this.tellHealth(error instanceof UserError ? error.code : 'unreachable', messageOf(error));
  }

  /** `condition`: `ok`, or what kind of thing is wrong. Told when it changes; the words alone may differ every time. */
  private tellHealth(condition: string, message: string): void {
    if (this.health === condition) return;
    this.health = condition;
    try {
      this.listener?.health(condition === 'ok' ? { kind: 'ok' } : { kind: 'down', message });
    } catch (error) {
      this.options.logger.error('The health of a source could not be told', error, { source: this.id });
    }
  }
}
