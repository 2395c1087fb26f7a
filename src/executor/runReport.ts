import { sha256 } from '../base/digest';
import { describeVerdict, passed, summarizeChecks } from '../core/evidence';
import type { ReportId } from '../core/ids';
import type { RunState, TaskState } from '../core/liveState';
import type { Report, ReportBody } from '../core/source';
import { isCompletion, type TaskOutcome } from '../core/task';
import { inputTokensOf, noUsage } from '../core/usage';

/** How a run ended, before it is told to anybody. */
export interface RunEnding {
  readonly outcome: TaskOutcome;
  /** In words; empty when the outcome says it all. */
  readonly reason: string;
  /** What the agent said last. */
  readonly response: string;
}

/** The commit that carries a result: the title, and who may be asked about it. */
export function commitMessage(task: TaskState, run: RunState, ending: RunEnding): string {
  const checks = summarizeChecks(run.checks).map(
    ({ command, onResult, onRestored }) =>
      `  ${onResult && passed(onResult) ? 'passed' : 'failed'}${onRestored && !passed(onRestored) ? ' (fails with the tests and configuration of the base)' : ''}: ${oneLine(command)}`,
  );
  return [
    oneLine(task.spec.title),
    '',
    ...(ending.reason === '' ? [] : [ending.reason, '']),
    ...(checks.length === 0 ? [] : ['Checks, as Airlock ran them:', ...checks, '']),
    `Airlock-Task: ${task.id}`,
    `Airlock-Run: ${run.id}`,
    `Airlock-Verdict: ${ending.outcome}`,
    '',
  ].join('\n');
}

/** What the task's source is told. */
export function reportBody(
  task: TaskState,
  run: RunState | undefined,
  ending: RunEnding,
  endedAtMs: number,
): ReportBody {
  const usage = run?.usage ?? noUsage;
  const words = run?.verdict ? `Verdict: ${run.verdict} (${describeVerdict(run.verdict)}).` : '';
  const pullRequest = task.pullRequests?.at(-1);
  const where = pullRequest === undefined ? '' : `Pull request: ${pullRequest}`;
  return {
    outcome: ending.outcome,
    response: [ending.response, words, where].filter((part) => part !== '').join('\n\n'),
    error: isCompletion(ending.outcome) ? '' : ending.reason || ending.outcome,
    model: run?.model ?? null,
    inputTokens: inputTokensOf(usage),
    outputTokens: usage.outputTokens,
    executionSeconds: run ? Math.round((endedAtMs - run.startedAtMs) / 100) / 10 : 0,
    branch: run?.branch ?? null,
    commit: run?.commit ?? null,
    ...(pullRequest === undefined ? {} : { pullRequest }),
    endedAtMs,
  };
}

/** Whether a report is about that attempt, to whichever source of the task it goes, and whether or not it amends another. */
export function isReportOf(reportId: ReportId, { taskId, attempt }: Pick<RunState, 'taskId' | 'attempt'>): boolean {
  return reportId.replace(/\/amended-[0-9a-f]+$/, '').replace(/\+\d+$/, '') === `${taskId}/${attempt}`;
}

/** The id of the report that tells what came to an outcome after its report: the same whenever the same came. */
export function amendingReportId(reportId: ReportId, what: string): ReportId {
  return `${reportId}/amended-${sha256(what).slice(0, 12)}`;
}

/** The id of the same report as it goes to another source of the task, which is the `number`th, from 1. */
export function joinedReportId(reportId: ReportId, number: number): ReportId {
  return `${reportId}+${number}`;
}

/** The report of a task's end. Its id is the same whenever it is made for the same end. */
export function reportFor(task: TaskState, outcome: TaskOutcome, body: string): Report {
  return {
    reportId: `${task.id}/${task.attempts}`,
    taskId: task.id,
    sourceId: task.spec.origin.sourceId,
    externalId: task.spec.origin.externalId,
    kind: isCompletion(outcome) ? 'complete' : 'fail',
    body,
  };
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
