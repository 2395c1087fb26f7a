/** Sends to a collector of the user's: OTLP over HTTP with JSON. Written by hand: the libraries for it need a newer Node than VS Code's. */
import type { Clock } from '../base/clock';
import { messageOf } from '../base/errors';
import type { Logger } from '../base/logger';
import { attributesOf } from './otlpJson';

export interface TelemetryOptions {
  /** The collector's base address, as `http://127.0.0.1:4318`. */
  readonly endpoint: string;
  readonly version: string;
  /** Tells this executor's numbers from those of every other one, also of one before it on the same storage. */
  readonly instanceId: string;
  /** The convention's word for whose models an engine asks. */
  readonly providerOf: (engine: string) => string;
  readonly clock: Clock;
  readonly logger: Logger;
}

const timeoutMs = 10_000;
/** At the end, for all that waits: somebody waits for the process to be over. */
const closingMs = 2_000;

/** One kind of what is sent. A collector that is away or refuses never fails anything; the log says so once until that changes. */
export class OtlpSender {
  private isAway = false;
  private refusedWith: number | undefined;
  private readonly ending = new AbortController();
  private readonly url: string;

  /** @param signal Posted to `/v1/<signal>` below the endpoint. */
  constructor(
    private readonly signal: 'traces' | 'metrics',
    private readonly options: TelemetryOptions,
  ) {
    this.url = `${options.endpoint.replace(/\/+$/, '')}/v1/${signal}`;
  }

  /** Whose telemetry it is, and what made it. */
  get origin(): { readonly resource: object; readonly scope: object } {
    const { version, instanceId } = this.options;
    const names = { 'service.name': 'airlock', 'service.version': version, 'service.instance.id': instanceId };
    return { resource: { attributes: attributesOf(names) }, scope: { name: 'airlock', version } };
  }

  /** @returns false: the collector is away, and it is worth sending again. What it will never take counts as sent. */
  async send(body: object): Promise<boolean> {
    const { logger } = this.options;
    const { signal } = this;
    try {
      const status = await this.post(JSON.stringify(body));
      if (this.isAway) logger.info('The collector of telemetry answers again', { signal });
      this.isAway = false;
      const refused = status >= 300 ? status : undefined;
      if (refused !== undefined && refused !== this.refusedWith)
        logger.warn('The collector refused telemetry', { signal, status });
      this.refusedWith = refused;
      return true;
    } catch (error) {
      if (!this.isAway) logger.warn('Telemetry could not be sent', { signal, reason: messageOf(error) });
      this.isAway = true;
      return false;
    }
  }

  /**
   * Waits for what is on its way and then for `last`, for two seconds at most in all. Nothing more is sent to a collector that is known
   * to be away.
   */
  async close(underWay: Promise<unknown>, last: () => Promise<unknown>): Promise<void> {
    const deadline = this.options.clock.setTimer(closingMs, () =>
      this.ending.abort(new Error(`no answer within ${closingMs / 1000} seconds at the end`)),
    );
    await underWay;
    if (!this.isAway) await last();
    deadline.dispose();
  }

  private async post(body: string): Promise<number> {
    const response = await fetch(this.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      // Not to where the user has not said that it may go.
      redirect: 'error',
      signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), this.ending.signal]),
    });
    await response.body?.cancel();
    if (response.status === 429 || response.status >= 500) throw new Error(`the collector answered ${response.status}`);
    return response.status;
  }
}
