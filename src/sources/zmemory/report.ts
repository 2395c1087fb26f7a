import { UserError } from '../../base/errors';
import type { Report, ReportBody, ReportOptions } from '../../core/source';
import type { ChangeAnswer, ZMemoryApi } from './api';
import type { CompleteBody, FailBody } from './wire';

/** What servers call the ends of a task that are told to them, in lower case. */
export const reportedEnds: Readonly<Record<string, Report['kind']>> = {
  completed: 'complete',
  complete: 'complete',
  done: 'complete',
  success: 'complete',
  failed: 'fail',
  fail: 'fail',
  error: 'fail',
};

/**
 * Tells a task's outcome: at least once on the wire, once in effect.
 * @throws {UserError} `source-report-refused`, `source-report-conflict` when the server will never take it.
 */
export async function sendReport(
  api: ZMemoryApi,
  report: Report,
  body: ReportBody,
  { isRepeat, attached = [] }: ReportOptions,
): Promise<void> {
  if (isRepeat && (await alreadyTold(api, report))) return;
  const answer = await send(api, report, body, attached);
  if (answer.kind === 'done') return;
  // It may be refused because it is so already: told by an earlier call whose answer was lost.
  if (await alreadyTold(api, report)) return;
  throw new UserError(
    'source-report-refused',
    `ZMemory does not take the report for task ${report.externalId}: ${answer.reason}.`,
    { externalId: report.externalId, kind: report.kind },
  );
}

async function alreadyTold(api: ZMemoryApi, report: Report): Promise<boolean> {
  const state = await api.stateOf(report.externalId);
  const end = state && reportedEnds[state.status.toLowerCase()];
  if (end === undefined) return false;
  if (end === report.kind) return true;
  throw new UserError(
    'source-report-conflict',
    `ZMemory has task ${report.externalId} as ${state?.status}, and the report says otherwise.`,
    { externalId: report.externalId, kind: report.kind },
  );
}

function send(api: ZMemoryApi, report: Report, body: ReportBody, attached: readonly string[]): Promise<ChangeAnswer> {
  const options = { idempotencyKey: report.reportId };
  return report.kind === 'complete'
    ? api.complete(report.externalId, completeBody(body, attached), options)
    : api.fail(report.externalId, failBody(body), options);
}

function completeBody(body: ReportBody, attached: readonly string[]): CompleteBody {
  return {
    result: {
      response: body.response,
      usage: {
        input_tokens: body.inputTokens,
        output_tokens: body.outputTokens,
        total_tokens: body.inputTokens + body.outputTokens,
      },
      model: body.model ?? 'unknown',
      execution_time_seconds: body.executionSeconds,
      artifacts: attached.map((name) => ({ name })),
      execution_mode: 'airlock',
    },
    completed_at: new Date(body.endedAtMs).toISOString(),
  };
}

function failBody(body: ReportBody): FailBody {
  return { error: body.error || body.response || body.outcome, failed_at: new Date(body.endedAtMs).toISOString() };
}
