import type { Diagnostic } from './diagnostic';
import type { TaskId } from './ids';
import type { NewTask } from './task';

/** A start that comes later than this, in milliseconds, was missed. */
export const lateStartMs = 60_000;

/** What happens to a start while the one before it is not over. */
export type OverlapPolicy = 'skip' | 'queue' | 'replace';

/** A start that was not made at its time: Airlock did not run, or the machine slept. */
export interface MissedStart {
  /** In ISO 8601. Of several the latest. */
  readonly at: string;
  /** How many were missed in a row, this one counted. */
  readonly count: number;
  /** The task that was started for it afterwards; `null` while there is none. */
  readonly madeUpBy: TaskId | null;
}

/** One task definition, for people who want to know what will happen. */
export interface PlannedTask {
  /** Its name in `.airlock/tasks`. */
  readonly file: string;
  /** Absolute path of the file. */
  readonly path: string;
  /** Empty when the file cannot be used. */
  readonly name: string;
  readonly enabled: boolean;
  /** The source that starts it by itself, where somebody works on that. */
  readonly sourceId: string;
  /** What starts it: the clock, files that change, or nothing but that it is there; `null` when the file cannot be used. */
  readonly trigger: 'clock' | 'files' | 'once' | null;
  /** The same in words. */
  readonly startedBy: string;
  readonly overlap: OverlapPolicy;
  /** The next starts in ISO 8601. */
  readonly next: readonly string[];
  /** Its last start, if that was missed; `null` when it was not, or when nobody knows what was started. */
  readonly missed: MissedStart | null;
  readonly diagnostics: readonly Diagnostic[];
}

/** Reads the task definitions of repositories as they are now. */
export interface TaskPlanner {
  /** What they will start from now on, at most `count` times each. */
  planOf(repo: string, count: number): Promise<readonly PlannedTask[]>;
  /**
   * The task that is started when a person wants it now, switched off or not.
   * @param name The definition's name, or that of its file. @throws {UserError} `no-definition`, `definition-wrong`.
   */
  startNow(repo: string, name: string): Promise<NewTask>;
}
