import * as l10n from '@vscode/l10n';
import { runOf, type LiveState, type ReportState, type RunState, type TaskState } from '../../core/liveState';
import { isEnded } from '../../core/task';
import { formatCost, formatTokens } from '../figures';
import { oneLine } from '../markdownText';
import { totalTokens } from '../../core/usage';
import type { Ability } from './abilities';
import { type RowIcon, iconOf } from './taskIcon';
import { landingPhrase, statusWord } from './taskWords';

/** A task as the tree shows it, before VS Code comes in. */
export interface TaskRow {
  readonly label: string;
  /** What it is doing right now, or why it is as it is. */
  readonly description: string;
  readonly icon: RowIcon;
  /** `task`, its status and what can be done to it, each between spaces, for `when` clauses. */
  readonly contextValue: string;
  /** What a screen reader says. */
  readonly accessibleLabel: string;
}

export interface RowInput {
  readonly state: LiveState;
  readonly task: TaskState;
  readonly abilities: ReadonlySet<Ability>;
  /** What its source has not acknowledged. */
  readonly report: ReportState | undefined;
  readonly nowMs: number;
}

export function rowOf(input: RowInput): TaskRow {
  const { task } = input;
  const run = runOf(input.state, task);
  const label = oneLine(task.spec.title, 200);
  const description = oneLine(describe(input, run), 200);
  return {
    label,
    description,
    icon: iconOf(task, run),
    contextValue: ` task ${task.status} ${[...input.abilities].join(' ')} `,
    accessibleLabel: [label, statusWord(task), description].filter((part) => part !== '').join(', '),
  };
}

function describe(input: RowInput, run: RunState | undefined): string {
  const { task } = input;
  if (isEnded(task.status)) return endedWords(input, run);
  switch (task.status) {
    case 'queued':
      return queuedWords(task, input.nowMs);
    case 'accepting':
      return l10n.t('asking its source for it');
    case 'running':
      return run ? runningWords(input.state, run) : '';
    case 'waiting':
    case 'blocked':
      return joined(
        task.paused ? statusWord(task) : task.reason || statusWord(task),
        overlapWords(input.state, task.id),
      );
  }
}

function queuedWords(task: TaskState, nowMs: number): string {
  const priority = `P${task.spec.priority}`;
  if (task.notBeforeMs <= nowMs) return joined(priority, task.reason);
  const at = new Date(task.notBeforeMs).toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' });
  return joined(priority, l10n.t('again at {0}', at), task.reason);
}

function runningWords(state: LiveState, run: RunState): string {
  const session = run.sessionId === null ? undefined : state.sessions.get(run.sessionId);
  if (session?.takenOver) return l10n.t('you have the keyboard');
  const phase = phaseWord(run.phase);
  // A phase that has just begun is its own activity.
  const activity = run.activity === run.phase ? '' : run.activity;
  return joined(
    run.percent === null ? '' : `${Math.round(run.percent)} %`,
    overlapWords(state, run.taskId),
    activity || phase,
  );
}

/** Which other tasks touch the same lines. */
export function overlapWords(state: LiveState, taskId: TaskState['id']): string {
  const [first, ...more] = state.tasks.get(taskId)?.overlaps ?? [];
  if (!first) return '';
  if (more.length > 0) return l10n.t('touches the same lines as {0} others', more.length + 1);
  const title = state.tasks.get(first.with)?.spec.title ?? first.with;
  return l10n.t('touches the same lines as “{0}”', oneLine(title, 60));
}

export function phaseWord(phase: RunState['phase']): string {
  switch (phase) {
    case 'preparing':
      return l10n.t('preparing');
    case 'working':
      return l10n.t('working');
    case 'checking':
      return l10n.t('checking');
    case 'publishing':
      return l10n.t('publishing');
  }
}

function endedWords({ state, task, report }: RowInput, run: RunState | undefined): string {
  const files = run && run.filesChanged > 0 ? filesWord(run.filesChanged) : '';
  const cost = run && totalTokens(run.usage) > 0 ? costWord(run) : '';
  const unreported = report?.status === 'dead' ? l10n.t('its source refused the report') : '';
  const isDecided = task.status === 'landed' || task.status === 'discarded';
  const overlap = isDecided ? '' : overlapWords(state, task.id);
  return joined(landingPhrase(task) || statusWord(task), overlap, unreported, files, cost, task.reason);
}

/** What it cost, or how many tokens when nobody knows their price. */
function costWord(run: RunState): string {
  return run.costUsd === null ? l10n.t('{0} tokens', formatTokens(totalTokens(run.usage))) : formatCost(run.costUsd);
}

export function filesWord(files: number): string {
  return files === 1 ? l10n.t('1 file') : l10n.t('{0} files', files);
}

function joined(...parts: string[]): string {
  return parts.filter((part) => part !== '').join(' · ');
}
