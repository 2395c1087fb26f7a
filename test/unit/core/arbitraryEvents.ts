import fc from 'fast-check';
import { budgetLimitsSchema } from '../../../src/core/budget';
import { type AirlockEvent, currentVersion, type EventBody, eventBodySchema } from '../../../src/core/events';
import { checkSubjectSchema, verdictSchema } from '../../../src/core/evidence';
import { snapshotCauseSchema } from '../../../src/core/runSnapshot';
import { taskOutcomes, type TaskSpec } from '../../../src/core/task';

// Few names, so that random events meet the same tasks and runs again and again.
const taskId = fc.constantFrom('task-a', 'task-b', 'task-c');
const runId = fc.constantFrom('run-1', 'run-2', 'run-3', 'run-4');
const sessionId = fc.constantFrom('session-1', 'session-2');
const reportId = fc.constantFrom('report-1', 'report-2', 'report-3');
const sourceId = fc.constantFrom('user', 'zmemory:main');
const digest = fc.constantFrom('a'.repeat(64), 'b'.repeat(64), '0123456789abcdef'.repeat(4));
const objectId = fc.constantFrom('1'.repeat(40), '2'.repeat(64));
/** Words as they come from outside: quotes, newlines, other scripts, lone surrogates, names of the prototype. */
const words = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom('', '__proto__', 'constructor', 'line\nbreak', '"quoted"', '\ud800', '\u2028', '日本'),
);
const outcome = fc.constantFrom(...taskOutcomes);
const timeMs = fc.integer({ min: 0, max: 2 ** 42 });
const count = fc.nat({ max: 100_000 });
const dollars = fc.option(fc.double({ min: 0.01, max: 10, noNaN: true }), { nil: null });
const process = fc.record({ pid: fc.integer({ min: 1, max: 99_999 }), startTicks: count, bootId: words });

const origin = fc.record({ sourceId, externalId: fc.string({ minLength: 1, maxLength: 10 }) });

const spec: fc.Arbitrary<TaskSpec> = fc.record({
  title: fc.string({ minLength: 1, maxLength: 30 }),
  prompt: digest,
  priority: fc.constantFrom(0, 1, 2, 3),
  persona: fc.option(words),
  checks: fc.option(fc.array(fc.string({ minLength: 1, maxLength: 10 }), { maxLength: 3 })),
  limits: fc.record({ timeoutMs: fc.integer({ min: 1, max: 1e9 }) }, { requiredKeys: [] }),
  dependsOn: fc.array(taskId, { maxLength: 2 }),
  repo: fc.option(words),
  origin,
  context: fc.option(digest),
  refusal: fc.option(words),
});

const usage = fc.record({
  inputTokens: count,
  outputTokens: count,
  cacheWrite5mTokens: count,
  cacheWrite1hTokens: count,
  cacheReadTokens: count,
});
const canary = fc.record({
  attempt: words,
  expected: words,
  seen: words,
  held: fc.boolean(),
  controlSucceeded: fc.boolean(),
});
const conflictSide = fc.option(fc.record({ mode: fc.constantFrom('100644' as const, '100755' as const), objectId }), {
  nil: null,
});
const conflictedPath = fc.record({
  path: fc.constantFrom('a', 'b/c'),
  base: conflictSide,
  target: conflictSide,
  result: conflictSide,
});
const checkResult = fc.record({
  command: fc.constantFrom('npm test', 'make check', 'true'),
  on: fc.constantFrom(...checkSubjectSchema.options),
  tree: objectId,
  exitCode: fc.option(fc.nat({ max: 255 })),
  endedBy: fc.option(words),
  output: digest,
  outputBytes: count,
  durationMs: count,
});

/** What each kind of event may hold. The compiler says when a kind is missing or has another shape. */
const byKind: { [K in EventBody['kind']]: fc.Arbitrary<Omit<Extract<EventBody, { kind: K }>, 'kind'>> } = {
  'executor.started': fc.record({
    executorId: words,
    process,
    version: words,
    sources: fc.array(words, { maxLength: 2 }),
  }),
  'executor.stopped': fc.record({ executorId: words }),
  'queue.changed': fc.record({ mode: fc.constantFrom('running', 'paused'), by: words }),
  'queue.held': fc.record({
    cause: fc.constantFrom('disk', 'host', 'budget'),
    reason: fc.option(words, { nil: null }),
  }),
  'budget.limited': fc.record({
    limits: fc
      .record({ perDayUsd: dollars, totalUsd: dollars, perPersonaUsd: fc.constantFrom({}, { implementer: 2 }) })
      .map((some) => budgetLimitsSchema.parse(some)),
    prices: words,
  }),
  'budget.alert': fc.record({ about: words, percent: fc.constantFrom(50, 80, 100), message: words }),
  'request.reserved': fc.record({
    runId,
    model: words,
    promptBound: count,
    upperUsd: fc.option(fc.double({ min: 0, max: 10, noNaN: true }), { nil: null }),
    upperTokens: count,
  }),
  'request.settled': fc.record({ runId, unseen: fc.boolean() }),
  'data.deleted': fc.record({ beforeMs: fc.nat() }),
  'source.changed': fc.record({ sourceId, healthy: fc.boolean(), message: words }),
  'task.queued': fc.record({ taskId, spec }),
  'task.accepting': fc.record({ taskId }),
  'task.accepted': fc.record({ taskId }),
  'task.blocked': fc.record({ taskId, reason: words }),
  'task.waiting': fc.record({ taskId, on: fc.constantFrom('user', 'budget', 'lane'), reason: words }),
  'task.resumed': fc.record({ taskId }),
  'task.requeued': fc.record({ taskId, reason: words, notBeforeMs: timeMs, failed: fc.boolean() }),
  'task.changed': fc.record({ taskId, repo: fc.option(words), priority: fc.nat({ max: 3 }) }),
  'task.paused': fc.record({ taskId }),
  'task.moved': fc.record({ taskId, rank: timeMs }),
  'source.added': fc.record({ sourceId }),
  'source.removed': fc.record({ sourceId }),
  'source.paused': fc.record({ sourceId, paused: fc.boolean() }),
  'report.revived': fc.record({ taskId, reportId }),
  'task.linked': fc.record({
    taskId,
    dependsOn: fc.array(taskId, { maxLength: 2 }),
    dependsOnMissing: fc.array(words, { maxLength: 2 }),
  }),
  'task.joined': fc.record({ taskId, origin }),
  'task.joinAnswered': fc.record({ taskId, origin, accepted: fc.boolean() }),
  'task.handedOn': fc.record({ taskId }),
  'task.lost': fc.record({ taskId, origin, reason: words }),
  'task.ended': fc.record({ taskId, outcome, reason: words, runId: fc.option(runId) }),
  'landing.waiting': fc.record({ taskId }),
  'landing.dropped': fc.record({ taskId }),
  'landing.started': fc.record({
    taskId,
    runId,
    ref: words,
    only: fc.option(fc.array(words, { maxLength: 2 }), { nil: null }),
    resolved: fc.array(words, { maxLength: 2 }),
  }),
  'landing.checked': fc.record({ taskId, result: checkResult }),
  'landing.moving': fc.record({ taskId, ref: words, from: objectId, commit: objectId }),
  'landing.failed': fc.record({
    taskId,
    code: fc.oneof(words, fc.constantFrom('landing-conflict', 'landing-check-failed', 'landing-cancelled')),
    reason: words,
    files: fc.array(words, { maxLength: 2 }),
    target: fc.option(objectId, { nil: null }),
    conflicts: fc.array(conflictedPath, { maxLength: 2 }),
  }),
  'task.landed': fc.record({
    taskId,
    commit: objectId,
    ref: fc.option(words, { nil: null }),
    from: fc.option(objectId, { nil: null }),
  }),
  'task.unlanded': fc.record({ taskId }),
  'task.discarded': fc.record({ taskId }),
  'comment.written': fc.record({
    taskId,
    commentId: fc.constantFrom('comment-1', 'comment-2'),
    commit: objectId,
    side: fc.constantFrom('base', 'result'),
    path: fc.constantFrom('a', 'b/c', '__proto__'),
    startLine: fc.integer({ min: 1, max: 9 }),
    endLine: fc.integer({ min: 1, max: 9 }),
    text: digest,
    quote: digest,
  }),
  'overlap.found': fc.record({
    taskId,
    overlaps: fc.array(fc.record({ with: taskId, files: fc.array(words, { maxLength: 2 }) }), { maxLength: 2 }),
  }),
  'result.kept': fc.record({ taskId, branch: words, commit: objectId }),
  'pullRequest.opened': fc.record({
    taskId,
    url: fc.constantFrom('https://forge.example/a/b/pull/1', 'https://forge.example/a/b/pull/2'),
  }),
  'comment.deleted': fc.record({ taskId, commentId: fc.constantFrom('comment-1', 'comment-2') }),
  'run.continued': fc.record({
    runId,
    attempt: fc.integer({ min: 1, max: 9 }),
    feedback: digest,
    comments: fc.array(fc.constantFrom('comment-1', 'comment-2'), { maxLength: 2 }),
    onto: fc.option(objectId, { nil: null }),
  }),
  'run.timed': fc.record({ runId, usedMs: timeMs }),
  'run.started': fc.record({
    runId,
    taskId,
    attempt: fc.integer({ min: 1, max: 9 }),
    repo: words,
    engine: words,
    model: words,
    persona: words,
  }),
  'run.prepared': fc.record({ runId, baseCommit: objectId, baseTree: objectId, notes: fc.array(words) }),
  'run.phase': fc.record({ runId, phase: fc.constantFrom('preparing', 'working', 'checking', 'publishing') }),
  'setup.started': fc.record({ runId, tree: objectId, commands: fc.array(words), network: fc.array(words) }),
  'setup.finished': fc.record({
    runId,
    tree: objectId,
    problem: fc.option(words),
    output: digest,
    durationMs: count,
  }),
  'run.progress': fc.record({ runId, message: words, percent: fc.option(fc.nat({ max: 100 })) }),
  'run.resumed': fc.record({ runId }),
  'run.connected': fc.record({
    runId,
    by: fc.constantFrom('session', 'check', 'setup'),
    host: words,
    port: count,
    outcome: fc.constantFrom('allowed', 'refused', 'failed'),
    reason: words,
    count: fc.integer({ min: 1, max: 9 }),
  }),
  'run.ended': fc.record({ runId, outcome, reason: words }),
  'session.created': fc.record({
    sessionId,
    runId,
    process,
    proof: fc.record({ proven: fc.boolean(), canaries: fc.array(canary, { maxLength: 2 }), durationMs: count }),
  }),
  'session.closed': fc.record({ sessionId, reason: words, breach: fc.option(words) }),
  'session.archived': fc.record({ sessionId }),
  'session.deleted': fc.record({ sessionId }),
  'session.warming': fc.record({ runId, repo: words }),
  'session.warmed': fc.record({ runId, sessionId, process }),
  'session.discarded': fc.record({ runId, reason: words }),
  'session.takenOver': fc.record({ sessionId }),
  'session.limited': fc.record({ sessionId, limit: fc.string(), detail: fc.string() }),
  'session.givenBack': fc.record({ sessionId, changedFiles: fc.option(count) }),
  'message.recorded': fc.record({
    runId,
    index: fc.nat({ max: 5 }),
    role: fc.constantFrom('user', 'assistant'),
    blob: digest,
  }),
  'tool.called': fc.record({ runId, callId: words, name: words, summary: words }),
  'tool.finished': fc.record(
    {
      runId,
      callId: words,
      ok: fc.boolean(),
      output: digest,
      images: fc.array(fc.record({ mediaType: fc.constantFrom('image/png', 'image/webp'), blob: digest })),
      durationMs: count,
    },
    { requiredKeys: ['runId', 'callId', 'ok', 'output', 'durationMs'] },
  ),
  'question.asked': fc.record({ runId, callId: words, text: words }),
  'question.answered': fc.record({ runId, answer: digest }),
  'run.claimed': fc.record({ runId, claims: digest }),
  'task.unreviewed': fc.record({ taskId, reason: words }),
  'task.routed': fc.record({ taskId, persona: words, reason: words }),
  'message.sent': fc.record({
    runId,
    messageId: words,
    to: fc.array(taskId, { maxLength: 3 }),
    topic: fc.option(fc.constantFrom('api', 'db.schema')),
    text: digest,
  }),
  'message.read': fc.record({ runId, messageIds: fc.array(words, { maxLength: 3 }) }),
  'topic.joined': fc.record({ runId, topic: fc.constantFrom('api', 'db.schema') }),
  'subtasks.created': fc.record({ runId, taskIds: fc.array(taskId, { maxLength: 3 }), givenUsd: fc.nat({ max: 5 }) }),
  'approval.asked': fc.record({
    runId,
    callId: words,
    tool: words,
    call: digest,
    summary: words,
    effect: digest,
    untilMs: fc.option(timeMs),
  }),
  'approval.answered': fc.record({
    runId,
    callId: words,
    allowed: fc.boolean(),
    by: fc.constantFrom('user', 'rule', 'timeout'),
    reason: words,
    rule: fc.option(
      fc.oneof(
        fc.record({ kind: fc.constant('same' as const), call: digest }),
        fc.record({
          kind: fc.constant('words' as const),
          words: fc.array(fc.string({ minLength: 1, maxLength: 10 }), { minLength: 1, maxLength: 3 }),
        }),
      ),
    ),
  }),
  'usage.recorded': fc.record(
    {
      runId,
      model: fc.constantFrom('model-a', 'model-b'),
      usage,
      // Whole sixteenths add up exactly, in whatever order they are added.
      costUsd: fc.option(fc.nat({ max: 1000 }).map((sixteenths) => sixteenths / 16)),
      firstTokenMs: count,
    },
    { requiredKeys: ['runId', 'model', 'usage', 'costUsd'] },
  ),
  'request.retried': fc.record({ runId, reason: words, attempt: count, delayMs: count }),
  'check.finished': fc.record({ runId, round: fc.nat({ max: 3 }), result: checkResult }),
  'evidence.recorded': fc.record({
    runId,
    round: fc.nat({ max: 3 }),
    verdict: fc.constantFrom(...verdictSchema.options),
    tree: objectId,
  }),
  'snapshot.taken': fc.record({
    runId,
    index: fc.integer({ min: 1, max: 5 }),
    cause: fc.constantFrom(...snapshotCauseSchema.options),
    tree: objectId,
    commit: objectId,
    filesChanged: count,
  }),
  'workspace.removed': fc.record({
    runId,
    cause: fc.constantFrom('user', 'forced', 'retention', 'rebase'),
    sizeBytes: fc.option(count),
  }),
  'snapshot.restored': fc.record({ runId, index: fc.nat({ max: 5 }), savedAs: fc.nat({ max: 5 }) }),
  'snapshot.published': fc.record({ runId, index: fc.nat({ max: 5 }), branch: words, commit: objectId }),
  'snapshot.dropped': fc.record({ runId, indices: fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 3 }) }),
  'result.published': fc.record({
    runId,
    branch: words,
    commit: objectId,
    filesChanged: count,
    insertions: count,
    deletions: count,
  }),
  'report.queued': fc.record({
    report: fc.record({
      reportId,
      taskId,
      sourceId,
      externalId: words,
      kind: fc.constantFrom('complete', 'fail'),
      body: digest,
    }),
  }),
  'report.sending': fc.record({ taskId, reportId, attempt: fc.integer({ min: 1, max: 99 }) }),
  'report.postponed': fc.record({ taskId, reportId, error: words, retryAtMs: timeMs }),
  'report.attached': fc.record({ taskId, reportId, name: words }),
  'report.acknowledged': fc.record({ taskId, reportId }),
  'report.dead': fc.record({ taskId, reportId, error: words }),
};

/** Any event body there can be. */
export const eventBody: fc.Arbitrary<EventBody> = fc.oneof(
  ...Object.entries(byKind).map(([kind, fields]) =>
    (fields as fc.Arbitrary<object>).map((rest) => eventBodySchema.parse({ kind, ...rest })),
  ),
);

/** A journal's worth of events, numbered from 1; time goes mostly forwards. */
export const eventSequence: fc.Arbitrary<AirlockEvent[]> = fc
  .array(fc.tuple(eventBody, timeMs), { maxLength: 80 })
  .map((entries) =>
    entries.map(([body, atMs], index) => ({ seq: index + 1, atMs, v: currentVersion(body.kind), ...body })),
  );
