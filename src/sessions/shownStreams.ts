import { Redactor, type SecretPatterns } from './redactor';
import { ScreenFilter } from './screenFilter';
import { TerminalFilter } from './terminalFilter';

/** One stream of a session as people see it: without what is not safe to show, and without secrets. */
class StreamView<Filter extends TerminalFilter | ScreenFilter = TerminalFilter | ScreenFilter> {
  private readonly redactor: Redactor;

  constructor(
    readonly filter: Filter,
    patterns: SecretPatterns,
  ) {
    this.redactor = new Redactor(patterns);
  }

  show(bytes: Buffer): string {
    return this.redactor.redact(this.filter.filter(bytes));
  }

  /** What was held back, for something else is shown next. */
  flush(): string {
    return this.redactor.flush();
  }

  /** Something is left out before the next bytes. @returns what is shown before the gap. */
  gap(): string {
    this.filter.reset();
    return this.redactor.gap();
  }
}

/** The streams of a session. */
export class ShownStreams {
  readonly stdout: StreamView;
  readonly stderr: StreamView;
  readonly screen: StreamView<ScreenFilter>;

  constructor(patterns: SecretPatterns) {
    this.stdout = new StreamView(new TerminalFilter(), patterns);
    this.stderr = new StreamView(new TerminalFilter(), patterns);
    this.screen = new StreamView(new ScreenFilter(), patterns);
  }

  /** What was held back of every stream. */
  flush(): string {
    return this.stdout.flush() + this.stderr.flush() + this.screen.flush();
  }

  gap(): string {
    return this.stdout.gap() + this.stderr.gap() + this.screen.gap();
  }

  /** The user has given the terminal back: what brings it back to how it was. */
  closing(): string {
    return this.screen.flush() + this.screen.filter.closing();
  }
}
