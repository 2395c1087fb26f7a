/** The log of a worker as a file: one JSON object a line. */
import type { Clock } from '../base/clock';
import { isDiskFull } from '../base/durableFile';
import { type ErrorFacts, messageOf, UserError } from '../base/errors';
import type { Logger } from '../base/logger';
import { RotatingFile, type RotationLimits } from '../base/rotatingFile';
import { makeVisible } from '../base/visible';
import { tracedLogger } from '../core/runTrace';

export interface LogFileOptions extends RotationLimits {
  readonly file: string;
  readonly verbose: boolean;
  readonly redact: (text: string) => string;
  readonly clock: Clock;
  /** Told once that lines are lost, until one can be written again. */
  readonly onTrouble: (message: string) => void;
}

type Level = 'debug' | 'info' | 'warn' | 'error';

/** Of one text in a line. */
const maxText = 8_192;

/**
 * A logger into a file. What is wrong with the file later, such as a full disk, ends nothing: lines are lost, and the first that can be
 * written again is preceded by one that says how many.
 * @throws {UserError} `log-file-unusable` when it cannot be written to now for another reason than a full disk.
 */
export function openLogFile(options: LogFileOptions): Logger {
  const lines = new LogLines(options);
  lines.begin();
  return tracedLogger({
    debug: (message, facts) => (options.verbose ? lines.write('debug', message, facts) : undefined),
    info: (message, facts) => lines.write('info', message, facts),
    warn: (message, facts) => lines.write('warn', message, facts),
    error: (message, error, facts) => lines.write('error', message, facts, error),
  });
}

/** Every line to each of them. */
export function bothLoggers(first: Logger, second: Logger): Logger {
  const each = [first, second];
  return {
    debug: (message, facts) => each.forEach((logger) => logger.debug(message, facts)),
    info: (message, facts) => each.forEach((logger) => logger.info(message, facts)),
    warn: (message, facts) => each.forEach((logger) => logger.warn(message, facts)),
    error: (message, error, facts) => each.forEach((logger) => logger.error(message, error, facts)),
  };
}

class LogLines {
  private readonly file: RotatingFile;
  private lost = 0;

  constructor(private readonly options: LogFileOptions) {
    this.file = new RotatingFile(options.file, options);
  }

  begin(): void {
    try {
      this.file.append(this.line('info', 'The log begins', { process: process.pid }));
    } catch (error) {
      if (!isDiskFull(error)) throw unusable(this.options.file, error);
      this.lose(error);
    }
  }

  write(level: Level, message: string, facts?: ErrorFacts, error?: unknown): void {
    try {
      if (this.lost > 0)
        this.file.append(this.line('warn', 'Lines of the log could not be written', { count: this.lost }));
      this.lost = 0;
      this.file.append(this.line(level, message, facts, error));
    } catch (cause) {
      this.lose(cause);
    }
  }

  private lose(cause: unknown): void {
    if (this.lost === 0) this.options.onTrouble(`The log file cannot be written to: ${messageOf(cause)}`);
    this.lost += 1;
  }

  private line(level: Level, message: string, { traceId, ...facts }: ErrorFacts = {}, error?: unknown): string {
    const told = Object.entries(facts).filter(([, value]) => value !== undefined);
    return JSON.stringify({
      time: new Date(this.options.clock.nowMs()).toISOString(),
      level,
      message: this.text(message),
      ...(typeof traceId === 'string' ? { traceId } : {}),
      ...(error === undefined ? {} : { error: this.text(messageOf(error)) }),
      ...(error instanceof Error && error.stack ? { stack: this.text(error.stack) } : {}),
      ...(told.length === 0 ? {} : { facts: Object.fromEntries(told.map((fact) => this.fact(...fact))) }),
    });
  }

  private fact(name: string, value: ErrorFacts[string]): [string, ErrorFacts[string]] {
    return [name, typeof value === 'string' ? this.text(value) : value];
  }

  /** Secrets go before anything is cut: what is left of one would be known no more. */
  private text(text: string): string {
    return makeVisible(this.options.redact(text)).slice(0, maxText);
  }
}

function unusable(file: string, cause: unknown): UserError {
  return new UserError(
    'log-file-unusable',
    `The log file ${file} cannot be written to: ${messageOf(cause)}. Name another one with --log-file.`,
    { file },
    { cause },
  );
}
