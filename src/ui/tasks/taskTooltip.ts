import * as l10n from '@vscode/l10n';
import { describeVerdict, passed, summarizeChecks, type CheckSummary } from '../../core/evidence';
import { runOf, type LiveState, type RunState, type TaskState } from '../../core/liveState';
import { cacheHitPercent, inputTokensOf, totalTokens } from '../../core/usage';
import { formatCost, formatDuration, formatTokens } from '../figures';
import { escapeMarkdown } from '../markdownText';
import type { RowInput } from './taskRow';
import { filesWord, phaseWord } from './taskRow';
import { statusWord } from './taskWords';

/** How many checks a tooltip has room for. */
const maxChecks = 8;
const maxOverlaps = 5;

/** What a hover says of a task, as Markdown in which everything foreign is escaped. */
export function tooltipOf(input: RowInput): string {
  const { state, task } = input;
  const run = runOf(state, task);
  const paragraphs = [
    `**${escapeMarkdown(task.spec.title, 200)}**`,
    headline(task, run),
    task.reason === '' ? '' : escapeMarkdown(task.reason, 600),
    run ? checkLines(run) : '',
    overlapLines(state, task),
    facts(state, task, run, input.nowMs).join('  \n'),
    input.report ? reportLine(input.report.status, input.report.error) : '',
  ];
  return paragraphs.filter((paragraph) => paragraph !== '').join('\n\n');
}

function headline(task: TaskState, run: RunState | undefined): string {
  const word = statusWord(task);
  if (run?.verdict && task.status === run.verdict) return `${word}: ${describeVerdict(run.verdict)}`;
  if (run && task.status === 'running') return `${word}: ${phaseWord(run.phase)}`;
  return word;
}

function checkLines(run: RunState): string {
  const checks = summarizeChecks(run.checks);
  const lines = checks
    .slice(0, maxChecks)
    .map((check) => `- ${escapeMarkdown(check.command, 120)}: ${checkWords(check)}`);
  if (checks.length > maxChecks) lines.push(`- ${l10n.t('and {0} more', checks.length - maxChecks)}`);
  return lines.join('\n');
}

/** What became of one check, in words. */
export function checkWords(check: CheckSummary): string {
  if (!check.onResult) return l10n.t('not run on the result yet');
  if (!passed(check.onResult)) return l10n.t('fails');
  const words = check.onRestored
    ? passed(check.onRestored)
      ? l10n.t('passes')
      : l10n.t('passes only with the tests or configuration that the run changed')
    : l10n.t('passes');
  return check.provesNoChange ? l10n.t('{0}; it passes on the base too, so it proves no change', words) : words;
}

/** With which tasks' results it could not be joined, and where. */
function overlapLines(state: LiveState, task: TaskState): string {
  const overlaps = task.status === 'landed' || task.status === 'discarded' ? [] : (task.overlaps ?? []);
  const lines = overlaps.slice(0, maxOverlaps).map((overlap) => {
    const title = state.tasks.get(overlap.with)?.spec.title ?? overlap.with;
    const files = overlap.files.map((file) => escapeMarkdown(file, 120)).join(', ');
    return `- ${l10n.t('Touches the same lines as “{0}”: {1}', escapeMarkdown(title, 120), files)}`;
  });
  if (overlaps.length > maxOverlaps) lines.push(`- ${l10n.t('and {0} more', overlaps.length - maxOverlaps)}`);
  return lines.join('\n');
}

function facts(state: LiveState, task: TaskState, run: RunState | undefined, nowMs: number): string[] {
  const lines = [];
  const repo = run?.repo ?? task.spec.repo;
  if (repo !== null) lines.push(l10n.t('Repository: {0}', escapeMarkdown(repo)));
  if (run?.branch) {
    lines.push(l10n.t('Branch: {0} ({1})', escapeMarkdown(run.branch), filesWord(run.filesChanged)));
  }
  if (task.keptAs) {
    lines.push(l10n.t('Kept as: {0}', task.keptAs.map((branch) => escapeMarkdown(branch, 200)).join(', ')));
  }
  if (task.pullRequests) lines.push(l10n.t('Pull request: {0}', task.pullRequests.map(linkTo).join(', ')));
  if (run) {
    const untilMs = run.endedAtMs ?? nowMs;
    lines.push(l10n.t('Attempt {0}, {1}', run.attempt, formatDuration(Math.max(0, untilMs - run.startedAtMs))));
    if (run.model) lines.push(l10n.t('Model: {0}', escapeMarkdown(run.model)));
    if (totalTokens(run.usage) > 0) lines.push(tokenLine(run));
  }
  lines.push(l10n.t('From: {0}', escapeMarkdown(task.spec.origin.sourceId)));
  const proof = run?.sessionId ? state.sessions.get(run.sessionId)?.proof : undefined;
  if (proof?.proven) lines.push(l10n.t('Jail: proven by {0} attempts to get out', proof.canaries.length));
  return lines;
}

/** An address that was parsed when it was kept: nothing in it ends the link. */
function linkTo(url: string): string {
  return `[${escapeMarkdown(url, 200)}](<${url}>)`;
}

function tokenLine(run: RunState): string {
  const { usage } = run;
  return l10n.t(
    'Tokens: {0} in ({1} % from the cache), {2} out · {3}',
    formatTokens(inputTokensOf(usage)),
    cacheHitPercent(usage),
    formatTokens(usage.outputTokens),
    escapeMarkdown(formatCost(run.costUsd)),
  );
}

function reportLine(status: 'waiting' | 'sending' | 'dead', error: string): string {
  const words =
    status === 'dead'
      ? l10n.t('Its source refused the report for good.')
      : l10n.t('Its source has not acknowledged the result yet.');
  return error === '' ? words : `${words} ${escapeMarkdown(error, 300)}`;
}
