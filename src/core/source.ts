import type { Disposable } from '../base/disposable';
import { z } from 'zod';
import type { Artifact, ArtifactKind } from './artifact';
import { digestSchema, reportIdSchema, taskIdSchema } from './ids';
import type { NewTask } from './task';

/** A task that a source has on offer. */
export interface OfferedTask {
  /** Its id at the source: offered twice, it is one task. */
  readonly externalId: string;
  readonly task: NewTask;
  /** What it depends on, by their ids at the same source. Absent: nothing. One that it never offered blocks the task. */
  readonly dependsOnExternal?: readonly string[];
}

/** A task that is understood and can never be worked on, such as one whose prompt is too long. */
export interface RejectedTask {
  readonly externalId: string;
  readonly title: string;
  /** What is wrong with it, in words for whoever wrote it. */
  readonly reason: string;
}

export interface Offer {
  readonly tasks: readonly OfferedTask[];
  /** To be accepted and then reported as failed, so that the source hears of it. Absent: none. */
  readonly rejected?: readonly RejectedTask[];
  /** All that the source has: a task of this source that is still queued here and not in the list was withdrawn. */
  readonly complete: boolean;
  /** Entries that could not be understood, in words for the user. They harm no other. */
  readonly problems: readonly string[];
}

export type SourceHealth =
  | { readonly kind: 'ok' }
  /** What it takes tasks from is not there, and need not be. */
  | { readonly kind: 'absent'; readonly message: string }
  | { readonly kind: 'down'; readonly message: string };

/** What a source tells the executor. */
export interface SourceListener {
  offer(offer: Offer): void;
  health(health: SourceHealth): void;
  /** Ends a task of this source as cancelled, wherever it is: another one has taken its place. */
  cancel(externalId: string, reason: string): void;
}

export type AcceptAnswer =
  | { readonly kind: 'accepted' }
  /** Somebody else has it, or it is over. */
  | { readonly kind: 'unavailable'; readonly reason: string };

export type HoldAnswer =
  /** It is ours, as far as the source can tell. */
  | { readonly kind: 'held' }
  /** Somebody else has it now, or it is over there. */
  | { readonly kind: 'lost'; readonly reason: string };

/** What the source is told at a task's verdict. */
export const reportBodySchema = z.object({
  outcome: z.enum(['verified', 'partial', 'unchecked', 'contradicted', 'failed', 'cancelled']),
  /** What the agent said at its end, and the verdict in words. */
  response: z.string(),
  /** Why it failed; empty when it did not. */
  error: z.string(),
  model: z.string().nullable(),
  inputTokens: z.number().int().nonnegative(),
  outputTokens: z.number().int().nonnegative(),
  executionSeconds: z.number().nonnegative(),
  branch: z.string().nullable(),
  commit: z.string().nullable(),
  /** The page of the newest pull request of a result of it. Absent: none is known. */
  pullRequest: z.string().optional(),
  endedAtMs: z.number(),
});
export type ReportBody = z.infer<typeof reportBodySchema>;

/** A report that waits in the outbox until the source has acknowledged it. */
export const reportSchema = z.object({
  /** Also the idempotency key on the wire. */
  reportId: reportIdSchema,
  taskId: taskIdSchema,
  sourceId: z.string(),
  externalId: z.string(),
  /** `complete` or `fail`, as the source is told. */
  kind: z.enum(['complete', 'fail']),
  /** The blob with the `ReportBody`. */
  body: digestSchema,
  /** The source has not given us the task yet, and must be asked for it first. Absent: it has. */
  claim: z.literal(true).optional(),
  /** The source has had the task's outcome, and now hears what the user has made of it since. Absent: it is the outcome. */
  amends: z.literal(true).optional(),
});
export type Report = z.infer<typeof reportSchema>;

export interface ReportOptions {
  readonly isRepeat: boolean;
  /** Absent: none. */
  readonly attached?: readonly string[];
}

/**
 * Where tasks come from and where results go back.
 * Calls throw `SourceUnreachableError` for what may pass (then they are tried again), `UserError` for what will not.
 */
export interface TaskSource extends Disposable {
  readonly id: string;
  /** Begins to offer. Called once. */
  start(listener: SourceListener): void;
  /** Looks at once, not at the next interval. */
  refresh(): void;
  /**
   * Asks for a task. `isRepeat: false` says that it is asked for the first time, so that a task which somebody else with our
   * name holds is not taken for ours; otherwise an earlier call may have reached the source, its answer lost, and what is
   * ours there counts as accepted.
   */
  accept(externalId: string, options?: { readonly isRepeat: boolean }): Promise<AcceptAnswer>;
  /** Says that it is being worked on. Losing one is no harm. */
  progress(externalId: string, percent: number | null, message: string): Promise<void>;
  /** Wants to hear what the user has made of a result since its report: a report that `amends` comes for it. Absent: it does not. */
  readonly amends?: boolean;
  /** What it wants beside reports, in this order. Absent: nothing. */
  readonly artifacts?: readonly ArtifactKind[];
  /**
   * Hands over what belongs to a report, before the report: at least once on the wire, once in effect where the source keeps
   * one artifact a name or knows idempotency keys. @returns false when the source takes none.
   */
  attach?(report: Report, artifact: Artifact): Promise<boolean>;
  /**
   * Says that a task which it gave us is alive, and hears whether it is still ours. Absent: what it gave, it gives to nobody else.
   */
  hold?(externalId: string, percent: number | null): Promise<HoldAnswer>;
  /**
   * Tells the outcome: at least once on the wire, once in effect. With `isRepeat` the source's own state is read first,
   * and "already so" counts as done. `attached`: the names of the artifacts that it has.
   */
  report(report: Report, body: ReportBody, options: ReportOptions): Promise<void>;
  /** Deletes what it keeps on this machine of the texts of tasks that ended before that. Absent: it keeps nothing here. */
  forget?(beforeMs: number): Promise<void>;
}

/** Thrown when a source cannot be reached, is overloaded or answers nonsense: it may be better later. */
export class SourceUnreachableError extends Error {
  override readonly name = 'SourceUnreachableError';
  constructor(
    message: string,
    /** The source asked to be left alone for so long. */
    readonly retryAfterMs: number | null = null,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}
