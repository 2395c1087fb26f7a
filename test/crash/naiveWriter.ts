import type { AirlockEvent, EventBody } from '../../src/core/events';
import { currentVersion } from '../../src/core/events';
import { JournalWriter as DurableWriter, type JournalWriterOptions } from '../../src/store/journalWriter';
import type { JournalPosition } from '../../src/store/journalPosition';

/** How long it keeps in memory what it has promised to keep. */
const flushMs = 300;

/**
 * A journal's writer as a hurried programmer writes it: it promises at once and writes now and then. It stands in the place of
 * the real one in a build of its own, to show that the crash suite sees the difference.
 */
export class JournalWriter {
  private pending: EventBody[] = [];
  private readonly timer = setInterval(() => void this.flush(), flushMs).unref();
  private seq: number;

  static async open(options: JournalWriterOptions): Promise<JournalWriter> {
    const durable = await DurableWriter.open({ ...options, onDurable: () => {} });
    return new JournalWriter(options, durable);
  }

  private constructor(
    private readonly options: JournalWriterOptions,
    private readonly durable: DurableWriter,
  ) {
    this.seq = durable.position.seq;
  }

  get position(): JournalPosition {
    return this.durable.position;
  }

  append(bodies: readonly EventBody[]): Promise<readonly AirlockEvent[]> {
    const atMs = this.options.clock.nowMs();
    const events = bodies.map((body): AirlockEvent => {
      this.seq += 1;
      return { seq: this.seq, atMs, v: currentVersion(body.kind), ...body };
    });
    this.pending.push(...bodies);
    this.options.onDurable(events);
    return Promise.resolve(events);
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    await this.flush();
    await this.durable.close();
  }

  private async flush(): Promise<void> {
    const bodies = this.pending.splice(0);
    if (bodies.length > 0) await this.durable.append(bodies);
  }
}
