import { type Clock, sleep } from '../../base/clock';
import { messageOf } from '../../base/errors';
import type { Logger } from '../../base/logger';
import type { ExecOptions, Session } from '../../core/session';
import { configInJail } from './launch';

/** What Claude Code wrote down of a conversation, as a jail gave it: nothing outside looks into it. */
interface Transcript {
  readonly sessionId: string;
  /** Where it lies in the configuration folder. */
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly keptMs: number;
}

const maxBytes = 8 * 1024 ** 2;
const maxContexts = 16;
/** After a day the repository is another one, and the agent remembers what is no longer so. */
const maxAgeMs = 24 * 3_600_000;
const lookMs = 100;
const looks = 20;
const finding: ExecOptions = { timeoutMs: 10_000, maxOutputBytes: 4096 };

/**
 * What was said last, by the name of the context: in memory, so that it ends with the executor and is on no disk. The oldest go
 * when there are many.
 */
export class SharedContexts {
  private readonly kept = new Map<string, Transcript>();

  constructor(private readonly clock: Clock) {}

  get(name: string): Transcript | undefined {
    const found = this.kept.get(name);
    if (!found || this.clock.nowMs() - found.keptMs < maxAgeMs) return found;
    this.kept.delete(name);
    return undefined;
  }

  put(name: string, transcript: Omit<Transcript, 'keptMs'>): void {
    this.kept.delete(name);
    this.kept.set(name, { ...transcript, keptMs: this.clock.nowMs() });
    for (const oldest of [...this.kept.keys()].slice(0, -maxContexts)) this.kept.delete(oldest);
  }

  delete(name: string): void {
    this.kept.delete(name);
  }

  clear(): void {
    this.kept.clear();
  }
}

export interface SharingParts {
  readonly contexts: SharedContexts;
  readonly name: string;
  readonly session: Session;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Lets one conversation begin with what was said in the last one of its context, and leaves its own for the next. Only words are
 * shared: they are written down in the new run's jail, and taken from there, by the jail's own hand.
 */
export class ContextSharing {
  private isBegun = false;

  constructor(private readonly parts: SharingParts) {}

  /** @returns the session of Claude Code's that the new one is to begin from. It is lent once; never rejects. */
  async borrow(): Promise<string | undefined> {
    const { contexts, name, session, logger } = this.parts;
    const found = this.isBegun ? undefined : contexts.get(name);
    this.isBegun = true;
    if (!found) return undefined;
    try {
      await session.files.write(`${configInJail}/${found.path}`, found.bytes);
      return found.sessionId;
    } catch (error) {
      logger.warn('A task begins without what was said before', { reason: messageOf(error) });
      return undefined;
    }
  }

  /** @param lastMessageId The model's id of the answer that ended the exchange: what is written down without it is not whole. */
  async keep(sessionId: string, lastMessageId: string): Promise<void> {
    const { contexts, name, logger } = this.parts;
    try {
      const whole = await this.writtenDown(sessionId, lastMessageId);
      if (whole) contexts.put(name, { sessionId, ...whole });
      // The next task would not know what this one did, but what one before it did.
      else contexts.delete(name);
    } catch (error) {
      contexts.delete(name);
      logger.warn('What was said in a task is not kept for the next', { reason: messageOf(error) });
    }
  }

  /** It is written down a moment after it was said. */
  private async writtenDown(
    sessionId: string,
    lastMessageId: string,
  ): Promise<Pick<Transcript, 'path' | 'bytes'> | undefined> {
    const { clock } = this.parts;
    for (let look = 0; look < looks; look += 1) {
      if (look > 0) await sleep(clock, lookMs);
      const path = await this.pathOf(sessionId);
      if (path === undefined) continue;
      const { bytes, size } = await this.parts.session.files.read(`${configInJail}/${path}`, { maxBytes });
      if (size > maxBytes) return undefined;
      // The last line may be half written.
      const whole = bytes.subarray(0, bytes.lastIndexOf(0x0a) + 1);
      if (Buffer.from(whole).includes(lastMessageId)) return { path, bytes: whole };
    }
    return undefined;
  }

  private async pathOf(sessionId: string): Promise<string | undefined> {
    const name = `${sessionId}.jsonl`;
    const argv = ['find', configInJail, '-maxdepth', '3', '-type', 'f', '-name', name, '-printf', String.raw`%P\n`];
    const { stdout } = await this.parts.session.files.run(argv, finding);
    const [path = ''] = Buffer.from(stdout).toString('utf8').split('\n');
    return /^projects\/[\w.-]{1,255}\/[\w-]+\.jsonl$/.test(path) && !path.includes('..') ? path : undefined;
  }
}
