import { sha256 } from '../base/digest';
import { UserError } from '../base/errors';

/** To look again whether something that runs in the background has come further is no loop. */
const looksAgain = new Set(['bash_output', 'ask_user']);

/**
 * Stops an agent that does the same thing again and again: each time costs the whole conversation. It tells the agent at half
 * of the way.
 */
export class CallBreaker {
  private last = '';
  private times = 0;

  /**
   * @param maxTimes The same call in a row that is still done; 0: as often as it likes.
   * @param onHalfWay Called with what the agent is to be told.
   */
  constructor(
    private readonly maxTimes: number,
    private readonly onHalfWay: (words: string) => void,
  ) {}

  /** @throws {UserError} `runaway-loop` when it is the same call once too often. When the run goes on, it counts anew. */
  look(name: string, input: unknown): void {
    if (this.maxTimes === 0 || looksAgain.has(name)) return;
    const call = sha256(JSON.stringify([name, input]) ?? '');
    this.times = call === this.last ? this.times + 1 : 1;
    this.last = call;
    if (this.times === Math.ceil(this.maxTimes / 2) && this.times > 1) {
      this.onHalfWay(
        `You have made this very call ${this.times} times in a row. If it does not get you further, do something else.`,
      );
    }
    if (this.times <= this.maxTimes) return;
    throw new UserError(
      'runaway-loop',
      `The agent called ${name.slice(0, 100)} ${this.times} times in a row with the same input, so it was stopped before ` +
        'it costs more. Look at what it does, then let it go on (Retry) or cancel it. The setting airlock.breaker.sameCalls says how often is too often.',
      { times: this.times },
    );
  }
}
