import type { Clock } from '../../base/clock';
import { type Disposable, toDisposable } from '../../base/disposable';
import type { EngineLimits } from './engineOptions';

/** Thrown when an answer is not one: it stalls, is far too long, or is of another kind than was asked for. */
export class BadAnswerError extends Error {
  override readonly name = 'BadAnswerError';

  constructor(
    message: string,
    /** What answered is no Messages API. */
    readonly isOfSomebodyElse = false,
  ) {
    super(message);
  }
}

/** After its last event an answer should end at once; if it does not, the connection is given up. */
const endGraceMs = 500;

/**
 * Watches the bytes of one answer at a time: the SDK's own timeout ends with the headers, and it hides pings, so neither
 * can tell a long thought from a dead connection.
 */
export class ResponseGuard {
  private controller = new AbortController();
  private timer: Disposable = toDisposable(() => {});
  private bytes = 0;
  private problem: BadAnswerError | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly limits: EngineLimits,
    /** Told of the headers of every answer, errors too. */
    private readonly onHeaders: (headers: Headers) => void = () => {},
  ) {}

  /** Begins to watch a request. @returns what aborts it when the answer is no good. */
  begin(): AbortSignal {
    this.controller = new AbortController();
    this.bytes = 0;
    this.problem = undefined;
    this.expectWithin(this.limits.firstByteMs, 'began no answer');
    return this.controller.signal;
  }

  /** Why the request was given up, if it was. */
  get failure(): BadAnswerError | undefined {
    return this.problem;
  }

  /** The last event has come. */
  expectEnd(): void {
    this.expectWithin(endGraceMs, 'did not end its answer');
  }

  end(): void {
    this.timer.dispose();
  }

  /** `fetch` for the SDK. */
  readonly fetch = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const response = await fetch(input, init);
    this.onHeaders(response.headers);
    if (response.ok) this.requireEventStream(response);
    if (!response.body) return response;
    const watched = response.body.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform: (chunk, controller) => {
          this.received(chunk.byteLength);
          controller.enqueue(chunk);
        },
      }),
    );
    return new Response(watched, { status: response.status, headers: response.headers });
  };

  private requireEventStream(response: Response): void {
    const type = response.headers.get('content-type') ?? 'nothing named';
    if (type.includes('text/event-stream')) return;
    const reason = `The model server answered with ${type.slice(0, 100)} instead of an event stream. Look at its address.`;
    this.giveUp(reason, type.includes('text/html'));
  }

  private received(bytes: number): void {
    this.bytes += bytes;
    if (this.bytes > this.limits.maxResponseBytes) this.giveUp('The answer of the model server is far too long.');
    else this.expectWithin(this.limits.idleMs, 'went silent in the middle of its answer');
  }

  private expectWithin(delayMs: number, otherwise: string): void {
    this.timer.dispose();
    this.timer = this.clock.setTimer(delayMs, () => {
      this.giveUp(`The model server ${otherwise} for ${delayMs / 1000} s.`);
    });
  }

  private giveUp(reason: string, isOfSomebodyElse = false): void {
    this.problem ??= new BadAnswerError(reason, isOfSomebodyElse);
    this.controller.abort(this.problem);
  }
}
