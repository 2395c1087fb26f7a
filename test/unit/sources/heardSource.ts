import { diagnosticLine, type Diagnostic } from '../../../src/core/diagnostic';
import type { Offer, SourceHealth, TaskSource } from '../../../src/core/source';
import type { FakeClock } from '../../fakes/clock';

/** Listens to a source, and waits for what it says. */
export class HeardSource {
  readonly offers: Offer[] = [];
  readonly health: SourceHealth[] = [];
  readonly cancelled: string[] = [];
  /** What is wrong now, one line each, paths left out. */
  diagnostics: string[] = [];

  start(source: TaskSource): void {
    source.start({
      offer: (offer) => {
        this.offers.push(offer);
      },
      cancel: (externalId) => this.cancelled.push(externalId),
      health: (health) => {
        this.health.push(health);
      },
    });
  }

  readonly onDiagnostics = (_owner: string, diagnostics: readonly Diagnostic[]): void => {
    this.diagnostics = diagnostics.map((each) => diagnosticLine(each).slice(each.path.length + 1));
  };

  /** The ids that are on offer. */
  get ids(): string[] {
    return (this.offers.at(-1)?.tasks ?? []).map(({ externalId }) => externalId);
  }

  /** Lets time pass until what was heard fits. */
  async until(clock: FakeClock, fits: () => boolean, stepMs = 2_000): Promise<void> {
    for (let tries = 0; tries < 2_000; tries += 1) {
      if (fits()) return;
      await clock.advance(stepMs);
      // Files are read in the time of the machine, not of the clock.
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    throw new Error(
      `it was never heard; last: ${JSON.stringify([this.offers.at(-1), this.health.at(-1), this.diagnostics])}`,
    );
  }
}
