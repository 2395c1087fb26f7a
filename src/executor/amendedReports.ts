import type { EventBody } from '../core/events';
import { runOf, type TaskState } from '../core/liveState';
import type { ExecutorPorts } from './ports';
import { reportsToJoined } from './joinedReports';
import { amendingReportId, reportBody, reportFor } from './runReport';

/** The outcome once more, with a pull request that was opened of its result since, for the sources of a task that want to hear of it. */
export async function amendedReports(
  { events, blobs, clock, sources }: Pick<ExecutorPorts, 'events' | 'blobs' | 'clock' | 'sources'>,
  before: TaskState,
  pullRequest: string,
): Promise<EventBody[]> {
  const task = { ...before, pullRequests: [pullRequest] };
  const run = runOf(events.state, task);
  const amending = new Set(sources.filter(({ amends }) => amends === true).map(({ id }) => id));
  const origins = [task.spec.origin, ...(task.joined ?? []).map(({ origin }) => origin)];
  if (!run || run.outcome === null || !origins.some(({ sourceId }) => amending.has(sourceId))) return [];
  const { outcome, reason } = run;
  const ending = { outcome, reason, response: '' };
  const body = await blobs.put(JSON.stringify(reportBody(task, run, ending, task.endedAtMs ?? clock.nowMs())));
  const again: EventBody[] = [
    { kind: 'report.queued', report: reportFor(task, outcome, body) },
    ...reportsToJoined(task, outcome, body),
  ];
  return again.flatMap((event): EventBody[] => {
    if (event.kind !== 'report.queued' || !amending.has(event.report.sourceId)) return [];
    const reportId = amendingReportId(event.report.reportId, pullRequest);
    return [{ ...event, report: { ...event.report, reportId, amends: true } }];
  });
}
