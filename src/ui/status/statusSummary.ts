import * as l10n from '@vscode/l10n';
import type { LiveState } from '../../core/liveState';
import { formatSpend } from '../figures';
import { escapeMarkdown, oneLine } from '../markdownText';
import type { TaskGroup } from '../tasks/taskGroup';
import { type Problem, problemsOf, type Surroundings } from './problem';

/** The status-bar item, before VS Code comes in. */
export interface StatusSummary {
  readonly text: string;
  /** Markdown in which everything foreign is escaped. */
  readonly tooltip: string;
  readonly severity: 'none' | 'warning' | 'error';
  readonly accessibleLabel: string;
}

export interface StatusInput {
  readonly state: LiveState;
  readonly around: Surroundings;
  readonly counts: Readonly<Record<TaskGroup, number>>;
  readonly nowMs: number;
}

const hourMs = 3_600_000;

export function summarize(input: StatusInput): StatusSummary {
  const { state, around, counts } = input;
  const problems = problemsOf(state, around);
  const errors = problems.filter((problem) => problem.severity === 'error');
  const spend = spendOfToday(state, input.nowMs);
  const figures = [
    counts.running > 0 ? `$(play) ${counts.running}` : '',
    counts.needsYou > 0 ? `$(bell-dot) ${counts.needsYou}` : '',
    spend.costUsd > 0 || spend.unpriced > 0 ? formatSpend(spend) : '',
  ];
  const shown = figures.filter((figure) => figure !== '');
  return {
    text: [`$(${stateIcon(input, errors.length > 0)})`, ...(shown.length > 0 ? shown : ['Airlock'])].join(' '),
    tooltip: tooltip(input, problems, spend),
    // Colour means that something is wrong. That this folder is not trusted is the user's own choice.
    severity: errors.some((problem) => problem.command !== 'airlock.manageTrust')
      ? 'error'
      : counts.needsYou > 0 || problems.length > errors.length
        ? 'warning'
        : 'none',
    accessibleLabel: [stateWords(input, errors.length > 0), ...errorWords(errors), ...countWords(counts)].join(', '),
  };
}

function stateIcon({ state, around }: StatusInput, isBroken: boolean): string {
  if (around.link.kind === 'opening') return 'loading~spin';
  if (isBroken) return 'error';
  return state.queueMode === 'running' ? 'shield' : 'debug-pause';
}

function stateWords({ state, around }: StatusInput, isBroken: boolean): string {
  if (around.link.kind === 'opening') return l10n.t('Airlock is starting');
  if (isBroken) return l10n.t('Airlock cannot run tasks');
  return state.queueMode === 'running'
    ? l10n.t('Airlock: the queue is running')
    : l10n.t('Airlock: the queue is paused');
}

/** The worst in words: who listens has no tooltip. */
function errorWords([worst]: readonly Problem[]): string[] {
  return worst ? [oneLine(worst.text, 300)] : [];
}

function countWords(counts: StatusInput['counts']): string[] {
  const words = [l10n.t('{0} running', counts.running), l10n.t('{0} queued', counts.queued)];
  if (counts.needsYou > 0)
    words.unshift(counts.needsYou === 1 ? l10n.t('1 needs you') : l10n.t('{0} need you', counts.needsYou));
  return words;
}

function tooltip(input: StatusInput, problems: readonly Problem[], spend: Spend): string {
  const { around, counts } = input;
  const lines = [
    `**${escapeMarkdown(
      stateWords(
        input,
        problems.some((problem) => problem.severity === 'error'),
      ),
    )}**`,
    problems.map((problem) => `- ${escapeMarkdown(problem.text, 600)}`).join('\n'),
    countWords(counts).join(' · '),
    l10n.t('Spent today: {0}', formatSpend(spend)),
    spend.unpriced > 0 ? l10n.t('The price of {0} requests is not known, so it may be more.', spend.unpriced) : '',
    placeWords(around),
  ];
  return lines.filter((line) => line !== '').join('\n\n');
}

function placeWords({ link, trusted }: Surroundings): string {
  if (link.kind !== 'open') return '';
  const { place } = link.executor;
  switch (place.kind) {
    case 'here':
      return '';
    case 'elsewhere':
      return l10n.t('The queue is worked by another process ({0}).', place.pid);
    case 'nowhere':
      return trusted
        ? l10n.t('The process that worked the queue is gone. Airlock is taking over.')
        : l10n.t('No other process works the queue.');
  }
}

interface Spend {
  readonly costUsd: number;
  readonly unpriced: number;
}

/** What was spent since midnight, local time, to the hour. */
export function spendOfToday(state: LiveState, nowMs: number): Spend {
  const midnight = new Date(nowMs);
  midnight.setHours(0, 0, 0, 0);
  let [costUsd, unpriced] = [0, 0];
  for (const [hour, spend] of state.spend) {
    if ((hour + 1) * hourMs <= midnight.getTime()) continue;
    costUsd += spend.costUsd;
    unpriced += spend.unpriced;
  }
  return { costUsd, unpriced };
}
