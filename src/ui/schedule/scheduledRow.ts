import * as l10n from '@vscode/l10n';
import type { MissedStart, OverlapPolicy, PlannedTask } from '../../core/plannedTask';
import { escapeMarkdown, oneLine } from '../markdownText';
import type { RowIcon } from '../tasks/taskIcon';
import { canRun, errorOf, errorText, startText } from './scheduleRows';

/** What can be done to a task definition. The names stand in `when` clauses of the manifest. */
export type DefinitionAbility = 'runDefinition' | 'openDefinition';

const separator = ' · ';

/** A task definition as the task tree shows it, before VS Code comes in. */
export interface ScheduledRow {
  readonly label: string;
  /** When it starts next, or why it does not. */
  readonly description: string;
  readonly icon: RowIcon;
  /** What it is and what can be done to it, each between spaces, for `when` clauses. */
  readonly contextValue: string;
  /** What a screen reader says. */
  readonly accessibleLabel: string;
}

/** What is known beside the file. */
export interface Starting {
  /** The setting lets definitions be started by themselves. */
  readonly isOn: boolean;
  /** The user takes nothing from its source for now. */
  readonly isPaused: boolean;
}

/** Something starts it over and over, or would if the file were right. */
export function isScheduled(plan: PlannedTask): boolean {
  return plan.trigger === 'clock' || plan.trigger === 'files' || errorOf(plan) !== undefined;
}

/** The start that it missed, when it was to start by itself. */
export function missedOf(plan: PlannedTask, { isOn, isPaused }: Starting): MissedStart | null {
  return isOn && !isPaused && canRun(plan) ? plan.missed : null;
}

export function scheduledRow(plan: PlannedTask, starting: Starting): ScheduledRow {
  const label = oneLine(plan.name || plan.file, 200);
  const description = oneLine(describe(plan, starting), 300);
  const can: readonly DefinitionAbility[] = canRun(plan) ? ['openDefinition', 'runDefinition'] : ['openDefinition'];
  return {
    label,
    description,
    icon: iconOf(plan, starting),
    contextValue: ` definition ${can.join(' ')} `,
    accessibleLabel: l10n.t('{0}, task definition, {1}', label, oneLine(spoken(plan, starting), 300)),
  };
}

/** Those that need to be mended first, then in the order in which they start, then those that do not. */
export function compareScheduled(a: PlannedTask, b: PlannedTask): number {
  const rank = (plan: PlannedTask): number =>
    errorOf(plan) ? 0 : !plan.enabled ? 3 : plan.trigger === 'clock' ? 1 : 2;
  const next = (plan: PlannedTask): string => plan.next[0] ?? '~';
  return rank(a) - rank(b) || compare(next(a), next(b)) || compare(a.name, b.name) || compare(a.path, b.path);
}

/** What a hover says of a task definition, as Markdown in which everything foreign is escaped. */
export function scheduledTooltip(plan: PlannedTask, starting: Starting): string {
  const missed = missedOf(plan, starting);
  const paragraphs = [
    `**${escapeMarkdown(plan.name || plan.file, 200)}**`,
    missed ? escapeMarkdown(missedWords(missed)) : '',
    plan.diagnostics.map((each) => `- ${escapeMarkdown(errorText(each))}`).join('\n'),
    plan.trigger === null ? '' : l10n.t('Started by: {0}', escapeMarkdown(plan.startedBy, 300)),
    hindrance(plan, starting),
    startLines(plan),
    plan.trigger === 'clock' || plan.trigger === 'files' ? overlapWords(plan.overlap) : '',
    escapeMarkdown(plan.path),
  ];
  return paragraphs.filter((paragraph) => paragraph !== '').join('\n\n');
}

/** Which start was missed, as a sentence. */
export function missedWords({ at, count, madeUpBy }: MissedStart): string {
  const missed =
    count === 1
      ? l10n.t('The start of {0} was missed.', startText(at))
      : l10n.t('The start of {0} and {1} before it were missed.', startText(at), count - 1);
  const after =
    madeUpBy === null ? l10n.t('Nothing was started for it.') : l10n.t('One task was queued for it afterwards.');
  return `${missed} ${after}`;
}

function describe(plan: PlannedTask, starting: Starting, next = nextWords(plan)): string {
  const wrong = errorOf(plan);
  if (wrong) return errorText(wrong);
  const obstacle = hindrance(plan, starting);
  if (obstacle !== '') return obstacle;
  const missed = missedOf(plan, starting);
  return missed ? `${l10n.t('missed {0}', startText(missed.at))}${separator}${next}` : next;
}

/** A screen reader hears what a time is. */
function spoken(plan: PlannedTask, starting: Starting): string {
  const next = plan.next.length === 0 ? nextWords(plan) : l10n.t('next start {0}', nextWords(plan));
  return describe(plan, starting, next).replace(separator, ', ');
}

function nextWords(plan: PlannedTask): string {
  if (plan.trigger === 'files') return oneLine(plan.startedBy, 150);
  const [next] = plan.next;
  return next === undefined ? l10n.t('no start at a time') : startText(next);
}

/** Why it does not start by itself; empty when it does. */
function hindrance(plan: PlannedTask, { isOn, isPaused }: Starting): string {
  if (plan.trigger === null) return '';
  if (!plan.enabled) return l10n.t('switched off in its file');
  if (!isOn) return l10n.t('not started by itself: airlock.taskDefinitions.enabled is off');
  return isPaused ? l10n.t('its source is paused') : '';
}

function startLines({ next }: PlannedTask): string {
  if (next.length === 0) return '';
  return [l10n.t('Next starts:'), ...next.map((time) => `- ${escapeMarkdown(startText(time))}`)].join('\n');
}

function overlapWords(overlap: OverlapPolicy): string {
  switch (overlap) {
    case 'skip':
      return l10n.t('While the one before is not over, a start is skipped.');
    case 'queue':
      return l10n.t('While the one before is not over, a start waits for its end.');
    case 'replace':
      return l10n.t('A start cancels the one before that is not over.');
  }
}

function iconOf(plan: PlannedTask, starting: Starting): RowIcon {
  if (errorOf(plan)) return { id: 'error', color: 'list.errorForeground' };
  if (hindrance(plan, starting) !== '') return { id: 'circle-slash', color: null };
  if (missedOf(plan, starting)) return { id: 'warning', color: 'list.warningForeground' };
  return { id: plan.trigger === 'files' ? 'eye' : 'calendar', color: null };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
