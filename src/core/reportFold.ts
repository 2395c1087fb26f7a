import type { AirlockEvent } from './events';
import type { LiveState } from './liveState';

/** Applies an event about a report: it stays until its source has acknowledged it. */
export function foldReport(state: LiveState, event: AirlockEvent): void {
  if (event.kind === 'report.queued') {
    state.reports.set(event.report.reportId, {
      report: event.report,
      status: 'waiting',
      attempts: 0,
      retryAtMs: 0,
      error: '',
      queuedAtMs: event.atMs,
    });
    return;
  }
  const report = 'reportId' in event ? state.reports.get(event.reportId) : undefined;
  if (!report) return;
  const { reportId } = report.report;
  switch (event.kind) {
    case 'report.sending':
      state.reports.set(reportId, { ...report, status: 'sending', attempts: event.attempt });
      return;
    case 'report.postponed':
      state.reports.set(reportId, { ...report, status: 'waiting', error: event.error, retryAtMs: event.retryAtMs });
      return;
    case 'report.attached':
      state.reports.set(reportId, { ...report, attached: [...(report.attached ?? []), event.name] });
      return;
    case 'report.revived':
      state.reports.set(reportId, { ...report, status: 'waiting', retryAtMs: 0 });
      return;
    case 'report.acknowledged':
      state.reports.delete(reportId);
      return;
    case 'report.dead':
      state.reports.set(reportId, { ...report, status: 'dead', error: event.error });
      return;
    default:
      return;
  }
}
