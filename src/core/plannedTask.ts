import type { Diagnostic } from './diagnostic';
import type { NewTask } from './task';

/** One task definition, for people who want to know what will happen. */
export interface PlannedTask {
  /** Its name in `.airlock/tasks`. */
  readonly file: string;
  /** Absolute path of the file. */
  readonly path: string;
  /** Empty when the file cannot be used. */
  readonly name: string;
  readonly enabled: boolean;
  /** What starts it, in words. */
  readonly startedBy: string;
  /** The next starts in ISO 8601. */
  readonly next: readonly string[];
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
