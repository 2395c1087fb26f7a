import * as l10n from '@vscode/l10n';
import type { PlannedTask } from '../../core/plannedTask';
import { oneLine } from '../markdownText';

/** A task definition as a list shows it. */
export interface ScheduleRow {
  readonly label: string;
  /** What starts it. */
  readonly description: string;
  /** When it starts next, or why it does not. */
  readonly detail: string;
  readonly icon: 'calendar' | 'error' | 'circle-slash';
  /** It can be started now. */
  readonly canRun: boolean;
}

/** @param isOn The setting lets definitions be started by themselves. */
export function scheduleRow(plan: PlannedTask, isOn: boolean): ScheduleRow {
  const wrong = plan.diagnostics.find(({ severity }) => severity === 'error');
  const canRun = plan.name !== '' && !wrong;
  return {
    label: oneLine(plan.name || plan.file, 100),
    description: oneLine(plan.name === '' ? plan.file : `${plan.startedBy} · ${plan.file}`, 150),
    detail: wrong ? l10n.t('Line {0}: {1}', wrong.line, oneLine(wrong.message, 300)) : startsText(plan),
    icon: wrong ? 'error' : plan.enabled && isOn ? 'calendar' : 'circle-slash',
    canRun,
  };
}

function startsText({ enabled, next }: PlannedTask): string {
  if (!enabled) return l10n.t('switched off in its file');
  const starts = next.map((time) => startText(new Date(time))).join(' · ');
  return starts === '' ? l10n.t('no start at a time') : starts;
}

/** Short: five of them have to fit into one line. */
function startText(start: Date): string {
  const day = start.toLocaleDateString(undefined, { day: 'numeric', month: 'short' });
  return `${day} ${start.toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })}`;
}
