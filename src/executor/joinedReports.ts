import type { EventBody } from '../core/events';
import { runOf, type TaskState } from '../core/liveState';
import type { Report } from '../core/source';
import { taskOutcomeSchema, type TaskOrigin, type TaskOutcome } from '../core/task';
import type { ExecutorPorts } from './ports';
import { joinedReportId, reportBody, reportFor } from './runReport';

/** Reports to the other sources of a task, with the same words as the report to its first one. */
export function reportsToJoined(task: TaskState, outcome: TaskOutcome, body: string): EventBody[] {
  return (task.joined ?? []).flatMap(({ origin, accepted }, index): EventBody[] => {
    if (accepted === false) return [];
    return [{ kind: 'report.queued', report: joinedReport(task, outcome, body, { origin, accepted, index }) }];
  });
}

/** The events with which a source is told what became of a task that it delivers after its end. */
export async function outcomeFor(
  { events, blobs, clock }: Pick<ExecutorPorts, 'events' | 'blobs' | 'clock'>,
  task: TaskState,
  origin: TaskOrigin,
): Promise<EventBody[]> {
  const run = runOf(events.state, task);
  // After its verdict the user may have let the result out, or thrown it away.
  const outcome = taskOutcomeSchema.catch(run?.outcome ?? 'cancelled').parse(task.status);
  const ending = { outcome, reason: run?.reason ?? task.reason, response: '' };
  const body = await blobs.put(JSON.stringify(reportBody(task, run, ending, task.endedAtMs ?? clock.nowMs())));
  const index = task.joined?.length ?? 0;
  return [{ kind: 'report.queued', report: joinedReport(task, outcome, body, { origin, accepted: null, index }) }];
}

function joinedReport(
  task: TaskState,
  outcome: TaskOutcome,
  body: string,
  { origin, accepted, index }: { origin: TaskOrigin; accepted: boolean | null; index: number },
): Report {
  const report = reportFor(task, outcome, body);
  return {
    ...report,
    ...origin,
    reportId: joinedReportId(report.reportId, index + 1),
    ...(accepted === null ? { claim: true } : {}),
  };
}
