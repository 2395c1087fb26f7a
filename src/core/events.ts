import { z } from 'zod';
import { budgetLimitsSchema } from './budget';
import { checkResultSchema, verdictSchema } from './evidence';
import { digestSchema, objectIdSchema, reportIdSchema, runIdSchema, sessionIdSchema, taskIdSchema } from './ids';
import { jailProofSchema } from './jail';
import { processIdentitySchema } from './session';
import { snapshotCauseSchema } from './runSnapshot';
import { reportSchema } from './source';
import { taskOutcomeSchema, taskSpecSchema } from './task';
import { tokenUsageSchema } from './usage';

/**
 * Every fact that there can be. A kind's shape is never changed: it gets a new version (`v`), and older lines are lifted as
 * they are read. Nothing big and nothing private stands in an event: those are blobs, named by digest.
 */
const bodies = [
  /** An executor owns the storage from here on. What ran before ran in another process. */
  z.object({
    kind: z.literal('executor.started'),
    executorId: z.string(),
    process: processIdentitySchema,
    version: z.string(),
    /** Where it looks for tasks. */
    sources: z.array(z.string()),
  }),
  /** It ended in order. */
  z.object({ kind: z.literal('executor.stopped'), executorId: z.string() }),

  z.object({ kind: z.literal('queue.changed'), mode: z.enum(['running', 'paused']), by: z.string() }),
  /** Nothing new is started for `cause`, whatever the queue's mode is; `null`: it may go on. `reason` is for people. */
  z.object({
    kind: z.literal('queue.held'),
    cause: z.enum(['disk', 'host', 'budget']),
    reason: z.string().nullable(),
    /** When it goes on by itself, in wall time. Absent: when its cause has passed. */
    untilMs: z.number().nullable().optional(),
  }),
  /** What may be spent from here on, and the list of prices by which it is counted. */
  z.object({ kind: z.literal('budget.limited'), limits: budgetLimitsSchema, prices: z.string() }),
  /**
   * So much of a limit is spent; 100: the next request does not fit any more. Once for each step, each limit and each of its
   * periods, all of which `about` names.
   */
  z.object({
    kind: z.literal('budget.alert'),
    about: z.string(),
    percent: z.union([z.literal(50), z.literal(80), z.literal(100)]),
    /** For people. */
    message: z.string(),
  }),
  /** While it is paused nothing more is taken from it; what was taken goes on, and is reported. */
  z.object({ kind: z.literal('source.paused'), sourceId: z.string(), paused: z.boolean() }),
  z.object({ kind: z.literal('source.changed'), sourceId: z.string(), healthy: z.boolean(), message: z.string() }),

  z.object({ kind: z.literal('task.queued'), taskId: taskIdSchema, spec: taskSpecSchema }),
  /** Its source is being asked for it. */
  z.object({ kind: z.literal('task.accepting'), taskId: taskIdSchema }),
  /** It is ours. A user's own task is accepted as it is queued. */
  z.object({ kind: z.literal('task.accepted'), taskId: taskIdSchema }),
  z.object({ kind: z.literal('task.blocked'), taskId: taskIdSchema, reason: z.string() }),
  z.object({
    kind: z.literal('task.waiting'),
    taskId: taskIdSchema,
    on: z.enum(['user', 'budget', 'lane']),
    reason: z.string(),
    /** When it goes on by itself, in wall time. Absent: when what it waits for has passed. */
    untilMs: z.number().nullable().optional(),
  }),
  /** The user holds it back: it goes on when the user says so. */
  z.object({ kind: z.literal('task.paused'), taskId: taskIdSchema }),
  /** The user gave it another place in the order. `rank` is on the scale of `rankOf`: lower goes first. */
  z.object({ kind: z.literal('task.moved'), taskId: taskIdSchema, rank: z.number() }),
  /** What it waited for or was blocked by has passed: it is queued again, or its run goes on. */
  z.object({ kind: z.literal('task.resumed'), taskId: taskIdSchema }),
  /** It goes back into the queue: a retry, or a run that an earlier process left. */
  z.object({
    kind: z.literal('task.requeued'),
    taskId: taskIdSchema,
    reason: z.string(),
    notBeforeMs: z.number(),
    /** Something of it went wrong: such tries are counted, and an interruption is none. Absent: no. */
    failed: z.boolean().optional(),
  }),
  z.object({
    kind: z.literal('task.changed'),
    taskId: taskIdSchema,
    repo: z.string().nullable(),
    priority: z.number().int().min(0).max(3),
  }),
  /** What it depends on was offered: it is a task now like any other. */
  z.object({
    kind: z.literal('task.linked'),
    taskId: taskIdSchema,
    dependsOn: z.array(taskIdSchema),
    dependsOnMissing: z.array(z.string()),
  }),
  z.object({
    kind: z.literal('task.ended'),
    taskId: taskIdSchema,
    outcome: taskOutcomeSchema,
    reason: z.string(),
    runId: runIdSchema.nullable(),
  }),
  /** A result is being laid over what a branch has become. `runId` names the copy in which that is done. */
  z.object({ kind: z.literal('landing.started'), taskId: taskIdSchema, runId: runIdSchema, ref: z.string() }),
  z.object({ kind: z.literal('landing.checked'), taskId: taskIdSchema, result: checkResultSchema }),
  /** The branch is about to be moved. Written before it is, so that after a crash it is known where it was. */
  z.object({
    kind: z.literal('landing.moving'),
    taskId: taskIdSchema,
    ref: z.string(),
    from: objectIdSchema,
    commit: objectIdSchema,
  }),
  /** Nothing was moved. `code` is that of the error; `files` are those in conflict. */
  z.object({
    kind: z.literal('landing.failed'),
    taskId: taskIdSchema,
    code: z.string(),
    reason: z.string(),
    files: z.array(z.string()),
  }),
  /** The user has let the result out: the branch `ref` went from `from` to `commit`. */
  z.object({
    kind: z.literal('task.landed'),
    taskId: taskIdSchema,
    commit: objectIdSchema,
    ref: z.string().nullable().default(null),
    from: objectIdSchema.nullable().default(null),
  }),
  /** The user has taken it back: the branch is where it was. */
  z.object({ kind: z.literal('task.unlanded'), taskId: taskIdSchema }),
  z.object({ kind: z.literal('task.discarded'), taskId: taskIdSchema }),

  z.object({
    kind: z.literal('run.started'),
    runId: runIdSchema,
    taskId: taskIdSchema,
    attempt: z.number().int().positive(),
    repo: z.string(),
    engine: z.string(),
    model: z.string(),
    persona: z.string(),
    /** The blob with the persona as the run has it to its end, as JSON. Absent: an earlier version, which had only one. */
    role: digestSchema.optional(),
  }),
  z.object({
    kind: z.literal('run.prepared'),
    runId: runIdSchema,
    baseCommit: objectIdSchema,
    baseTree: objectIdSchema,
    /** What the user is to know about this copy: work that is not committed, LFS, submodules. */
    notes: z.array(z.string()).default([]),
  }),
  z.object({
    kind: z.literal('run.phase'),
    runId: runIdSchema,
    phase: z.enum(['preparing', 'working', 'checking', 'publishing']),
  }),
  /** The commands that prepare the dependencies of a tree are about to be run. Not told when what was kept holds. */
  z.object({
    kind: z.literal('setup.started'),
    runId: runIdSchema,
    tree: objectIdSchema,
    commands: z.array(z.string()),
    network: z.array(z.string()),
  }),
  z.object({
    kind: z.literal('setup.finished'),
    runId: runIdSchema,
    tree: objectIdSchema,
    /** What was wrong; `null` when all is well. */
    problem: z.string().nullable(),
    output: digestSchema,
    durationMs: z.number(),
  }),
  /** The agent said how far it is. */
  z.object({
    kind: z.literal('run.progress'),
    runId: runIdSchema,
    message: z.string(),
    percent: z.number().min(0).max(100).nullable(),
  }),
  /** A run of an earlier process goes on in this one. */
  z.object({ kind: z.literal('run.resumed'), runId: runIdSchema }),
  /**
   * A jail of the run asked for a connection. The same one again is told at its 10th, 100th, … time; past 100 hosts the rest is
   * told together as `*`. The host is the jail's own words.
   */
  z.object({
    kind: z.literal('run.connected'),
    runId: runIdSchema,
    /** Whose jail it was. */
    by: z.enum(['session', 'check', 'setup']),
    host: z.string(),
    port: z.number().int(),
    outcome: z.enum(['allowed', 'refused', 'failed']),
    /** Why it was not reached; empty when it was. */
    reason: z.string(),
    /** How often by now. */
    count: z.number().int().positive(),
  }),
  /** How much it has used of the time that it may take, checks and waiting not counted. */
  z.object({ kind: z.literal('run.timed'), runId: runIdSchema, usedMs: z.number().nonnegative() }),
  z.object({ kind: z.literal('run.ended'), runId: runIdSchema, outcome: taskOutcomeSchema, reason: z.string() }),

  z.object({
    kind: z.literal('session.created'),
    sessionId: sessionIdSchema,
    runId: runIdSchema,
    process: processIdentitySchema,
    proof: jailProofSchema,
  }),
  z.object({
    kind: z.literal('session.closed'),
    sessionId: sessionIdSchema,
    reason: z.string(),
    breach: z.string().nullable(),
  }),
  /** The user has put a session that is over out of the way; its recording stays. */
  z.object({ kind: z.literal('session.archived'), sessionId: sessionIdSchema }),
  /** What was recorded of a session that is over is gone. */
  z.object({ kind: z.literal('session.deleted'), sessionId: sessionIdSchema }),
  /** A user has the keyboard; the agent waits. */
  z.object({ kind: z.literal('session.takenOver'), sessionId: sessionIdSchema }),
  /** The agent goes on. `changedFiles`: how many the user changed; `null` when that could not be told. */
  z.object({
    kind: z.literal('session.givenBack'),
    sessionId: sessionIdSchema,
    changedFiles: z.number().int().nonnegative().nullable(),
  }),

  /** A message of the conversation is kept; `index` counts from 0 without gaps. */
  z.object({
    kind: z.literal('message.recorded'),
    runId: runIdSchema,
    index: z.number().int().nonnegative(),
    role: z.enum(['user', 'assistant']),
    blob: digestSchema,
  }),
  z.object({
    kind: z.literal('tool.called'),
    runId: runIdSchema,
    callId: z.string(),
    name: z.string(),
    summary: z.string(),
  }),
  z.object({
    kind: z.literal('tool.finished'),
    runId: runIdSchema,
    callId: z.string(),
    ok: z.boolean(),
    output: digestSchema,
    durationMs: z.number(),
  }),
  /** The agent asks the user something; the run is left until there is an answer. */
  z.object({ kind: z.literal('question.asked'), runId: runIdSchema, callId: z.string(), text: z.string().max(6000) }),
  /** The user's answer, as a blob. */
  z.object({ kind: z.literal('question.answered'), runId: runIdSchema, answer: digestSchema }),
  /** What the agent says of its result: a blob with `Claims` as JSON. Nothing follows from it. */
  z.object({ kind: z.literal('run.claimed'), runId: runIdSchema, claims: digestSchema }),
  z.object({
    kind: z.literal('usage.recorded'),
    runId: runIdSchema,
    model: z.string(),
    usage: tokenUsageSchema,
    /** US dollars; `null` when the model's price is not known. */
    costUsd: z.number().nonnegative().nullable(),
  }),
  /**
   * A request is about to be sent. Until it is settled it counts at the most that it can cost, also when nobody is left who could
   * settle it.
   */
  z.object({
    kind: z.literal('request.reserved'),
    runId: runIdSchema,
    model: z.string(),
    promptBound: z.number().int().nonnegative(),
    /** US dollars; `null` when the model's price is not known. */
    upperUsd: z.number().nonnegative().nullable(),
    upperTokens: z.number().int().nonnegative(),
  }),
  /** It is over. `unseen`: what it cost was not seen to its end, so that what was reserved counts as spent. */
  z.object({ kind: z.literal('request.settled'), runId: runIdSchema, unseen: z.boolean() }),
  z.object({
    kind: z.literal('request.retried'),
    runId: runIdSchema,
    reason: z.string(),
    attempt: z.number().int(),
    delayMs: z.number(),
  }),

  z.object({
    kind: z.literal('check.finished'),
    runId: runIdSchema,
    round: z.number().int().nonnegative(),
    result: checkResultSchema,
  }),
  /** The executor has judged. `tree` is what the verdict is about. */
  z.object({
    kind: z.literal('evidence.recorded'),
    runId: runIdSchema,
    round: z.number().int().nonnegative(),
    verdict: verdictSchema,
    tree: objectIdSchema,
  }),
  z.object({
    kind: z.literal('result.published'),
    runId: runIdSchema,
    branch: z.string(),
    commit: objectIdSchema,
    filesChanged: z.number().int(),
    insertions: z.number().int(),
    deletions: z.number().int(),
  }),

  /**
   * The run's files are kept as they were, in the run's own git directory. `index` counts from 1 in each run; 0 is the base.
   * `filesChanged` is counted against the snapshot before.
   */
  z.object({
    kind: z.literal('snapshot.taken'),
    runId: runIdSchema,
    index: z.number().int().positive(),
    cause: snapshotCauseSchema,
    tree: objectIdSchema,
    commit: objectIdSchema,
    filesChanged: z.number().int().nonnegative(),
  }),
  /** The files were made what they were at `index`; what was there before is `savedAs`. Written before it is done. */
  z.object({
    kind: z.literal('snapshot.restored'),
    runId: runIdSchema,
    index: z.number().int().nonnegative(),
    savedAs: z.number().int().nonnegative(),
  }),
  /** The user keeps one as a branch. */
  z.object({
    kind: z.literal('snapshot.published'),
    runId: runIdSchema,
    index: z.number().int().nonnegative(),
    branch: z.string(),
    commit: objectIdSchema,
  }),
  /** What was left of a run's workspace is deleted, its snapshots too. Written before it is done. */
  z.object({
    kind: z.literal('workspace.removed'),
    runId: runIdSchema,
    /** `forced`: the user said so although it may hold work that is nowhere else. */
    cause: z.enum(['user', 'forced', 'retention']),
    sizeBytes: z.number().nullable(),
  }),
  /** Older ones made room for newer ones. */
  z.object({ kind: z.literal('snapshot.dropped'), runId: runIdSchema, indices: z.array(z.number().int().positive()) }),

  z.object({ kind: z.literal('report.queued'), report: reportSchema }),
  /** It is about to be sent. Written before it is, so that after a crash it is known that it may have been. */
  z.object({
    kind: z.literal('report.sending'),
    taskId: taskIdSchema,
    reportId: reportIdSchema,
    attempt: z.number().int().positive(),
  }),
  z.object({
    kind: z.literal('report.postponed'),
    taskId: taskIdSchema,
    reportId: reportIdSchema,
    error: z.string(),
    retryAtMs: z.number(),
  }),
  z.object({ kind: z.literal('report.acknowledged'), taskId: taskIdSchema, reportId: reportIdSchema }),
  /** A dead one is sent again, because the user wants it. */
  z.object({ kind: z.literal('report.revived'), taskId: taskIdSchema, reportId: reportIdSchema }),
  /** The source will never take it. It stays visible. */
  z.object({ kind: z.literal('report.dead'), taskId: taskIdSchema, reportId: reportIdSchema, error: z.string() }),
] as const;

export const eventBodySchema = z.discriminatedUnion('kind', bodies);
/** A fact, before the journal has given it its place. */
export type EventBody = z.infer<typeof eventBodySchema>;
export type EventKind = EventBody['kind'];

const envelope = z.object({
  /** Its place in the journal: 1, 2, 3, … without gaps. */
  seq: z.number().int().positive(),
  /** Wall time at which it was appended. */
  atMs: z.number(),
  /** The version of its kind's shape. */
  v: z.number().int().positive(),
});

export const eventSchema = z.intersection(envelope, eventBodySchema);
/** An immutable fact. All state is a fold of these. */
export type AirlockEvent = z.infer<typeof eventSchema>;

/** Today's version of each kind that is not at 1. */
const versions: Partial<Record<EventKind, number>> = {};

export function currentVersion(kind: EventKind): number {
  return versions[kind] ?? 1;
}
