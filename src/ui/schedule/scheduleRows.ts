import * as l10n from '@vscode/l10n';
import type { Diagnostic } from '../../core/diagnostic';
import type { PlannedTask } from '../../core/plannedTask';
import { oneLine } from '../markdownText';

/** A task definition of a folder that is open. */
export interface Definition {
  readonly repo: string;
  readonly plan: PlannedTask;
}

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
  const wrong = errorOf(plan);
  return {
    label: oneLine(plan.name || plan.file, 100),
    description: oneLine(plan.name === '' ? plan.file : `${plan.startedBy} · ${plan.file}`, 150),
    detail: wrong ? errorText(wrong) : startsText(plan),
    icon: wrong ? 'error' : plan.enabled && isOn ? 'calendar' : 'circle-slash',
    canRun: canRun(plan),
  };
}

/** What keeps it from being used. */
export function errorOf({ diagnostics }: PlannedTask): Diagnostic | undefined {
  return diagnostics.find(({ severity }) => severity === 'error');
}

export function errorText({ line, message }: Diagnostic): string {
  return l10n.t('Line {0}: {1}', line, oneLine(message, 300));
}

/** It can be started now, by itself or not. */
export function canRun(plan: PlannedTask): boolean {
  return plan.name !== '' && !errorOf(plan);
}

function startsText({ enabled, next }: PlannedTask): string {
  if (!enabled) return l10n.t('switched off in its file');
  const starts = next.map(startText).join(' · ');
  return starts === '' ? l10n.t('no start at a time') : starts;
}

/** A time in ISO 8601 as the user's clock has it. Short: five of them have to fit into one line. */
export function startText(time: string): string {
  const start = new Date(time);
  const day = start.toLocaleDateString(undefined, { day: 'numeric', month: 'short' });
  return `${day} ${start.toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })}`;
}
