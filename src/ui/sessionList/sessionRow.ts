import * as l10n from '@vscode/l10n';
import type { RunId, SessionId } from '../../core/ids';
import type { LiveState, RunState, SessionState, TaskState } from '../../core/liveState';
import type { PastSession } from '../../core/pastSession';
import { formatAge, formatMemory, formatDuration } from '../figures';
import { escapeMarkdown, oneLine } from '../markdownText';
import type { Ability } from '../tasks/abilities';
import type { RowIcon } from '../tasks/taskIcon';
import { phaseWord } from '../tasks/taskRow';
import type { ShownUse } from './useWatch';

/** A session as its view shows it, before VS Code comes in. */
export interface SessionRow {
  /** The task that it works on. */
  readonly label: string;
  /** What it does, what it uses and how old it is, or how and when it ended. */
  readonly description: string;
  readonly icon: RowIcon;
  /** `session` and what can be done to it, each between spaces, for `when` clauses. */
  readonly contextValue: string;
  /** What a screen reader says. */
  readonly accessibleLabel: string;
  /** Markdown in which everything foreign is escaped. */
  readonly tooltip: string;
}

/** What can be done to a session, beside what is done to its task. The names stand in `when` clauses of the manifest. */
export type SessionAbility = 'replay' | 'goToTask';

interface Owner {
  readonly run: RunState | undefined;
  readonly task: TaskState | undefined;
}

/** A session with what it belongs to. */
export type SessionView = Owner &
  (
    | { readonly kind: 'living'; readonly session: SessionState }
    | { readonly kind: 'ended'; readonly session: PastSession }
  );

/** `undefined` when there is no such session, or none any more. */
export function sessionViewOf(state: LiveState, sessionId: SessionId): SessionView | undefined {
  const living = state.sessions.get(sessionId);
  if (living) return { kind: 'living', session: living, ...ownerOf(state, living) };
  const ended = state.pastSessions.get(sessionId);
  return ended && { kind: 'ended', session: ended, ...ownerOf(state, ended) };
}

function ownerOf(state: LiveState, { runId }: { readonly runId: RunId }): Owner {
  const run = state.runs.get(runId);
  return { run, task: run && state.tasks.get(run.taskId) };
}

/** @param use what a living one uses, when that is known. */
export function sessionRowOf(view: SessionView, nowMs: number, use?: ShownUse): SessionRow {
  const label = titleOf(view);
  const description = oneLine(describe(view, nowMs, use), 200);
  const state = view.kind === 'living' ? l10n.t('living session') : l10n.t('ended session');
  return {
    label,
    description,
    icon: iconOf(view),
    contextValue: ` session ${abilitiesOf(view).join(' ')} `,
    accessibleLabel: [label, state, description].filter((part) => part !== '').join(', '),
    tooltip: tooltipOf(view, nowMs, use),
  };
}

/** What a session is called: its task, and which attempt at it when it is not the first. */
export function titleOf({ run, task }: SessionView): string {
  const title = task ? oneLine(task.spec.title, 200) : l10n.t('Airlock session');
  return run && run.attempt > 1 ? l10n.t('{0} (attempt {1})', title, run.attempt) : title;
}

function describe(view: SessionView, nowMs: number, use: ShownUse | undefined): string {
  if (view.kind === 'living') {
    const age = formatAge(nowMs - view.session.createdAtMs);
    // The age last: a narrow view cuts the end off.
    return [livingWords(view.session, view.run), ...useWords(use), age].join(' · ');
  }
  const { reason, breach, closedAtMs } = view.session;
  return [breach === null ? reason : l10n.t('broke its limit: {0}', breach), clockTime(closedAtMs)].join(' · ');
}

function useWords(use: ShownUse | undefined): string[] {
  if (!use) return [];
  const memory = formatMemory(use.memoryBytes);
  return use.cpuPercent === undefined ? [memory] : [memory, l10n.t('{0} %', use.cpuPercent)];
}

function livingWords(session: SessionState, run: RunState | undefined): string {
  if (session.takenOver) return l10n.t('you have the keyboard');
  return run ? phaseWord(run.phase) : l10n.t('working');
}

function iconOf(view: SessionView): RowIcon {
  if (view.kind === 'ended') {
    return view.session.breach === null
      ? { id: 'debug-disconnect', color: 'testing.iconSkipped' }
      : { id: 'warning', color: 'testing.iconFailed' };
  }
  return view.session.takenOver
    ? { id: 'keyboard', color: 'list.warningForeground' }
    : { id: 'terminal', color: 'charts.blue' };
}

function abilitiesOf(view: SessionView): (SessionAbility | Ability)[] {
  const goTo: SessionAbility[] = view.task ? ['goToTask'] : [];
  if (view.kind === 'ended') return ['replay', ...goTo];
  // What is done to a living session is done by way of its task.
  if (!view.task) return [];
  return ['openTerminal', view.session.takenOver ? 'giveBack' : 'takeOver', ...goTo];
}

function tooltipOf(view: SessionView, nowMs: number, use: ShownUse | undefined): string {
  const { session, run } = view;
  const lines = [`**${escapeMarkdown(titleOf(view), 200)}**`];
  if (view.kind === 'living') {
    lines.push(
      l10n.t('{0}, for {1}', livingWords(view.session, run), formatDuration(Math.max(0, nowMs - session.createdAtMs))),
      l10n.t('Process {0}', view.session.process.pid),
    );
    if (use) lines.push(l10n.t('Memory: {0}', formatMemory(use.memoryBytes)));
    if (use?.cpuPercent !== undefined) lines.push(l10n.t('Processor: {0} % of one core', use.cpuPercent));
    const { proof, limited } = view.session;
    if (limited !== undefined) lines.push(l10n.t('A command met a limit: {0}', escapeMarkdown(limited, 600)));
    if (proof.proven) lines.push(l10n.t('Jail: proven by {0} attempts to get out', proof.canaries.length));
  } else {
    const { reason, breach, closedAtMs, createdAtMs } = view.session;
    lines.push(escapeMarkdown(reason, 600));
    if (breach !== null) lines.push(l10n.t('It broke its limit: {0}', escapeMarkdown(breach, 600)));
    const ended = new Date(closedAtMs).toLocaleString();
    lines.push(l10n.t('Ended {0}, after {1}', ended, formatDuration(Math.max(0, closedAtMs - createdAtMs))));
  }
  if (run) lines.push(l10n.t('Repository: {0}', escapeMarkdown(run.repo)));
  return lines.join('\n\n');
}

function clockTime(atMs: number): string {
  return new Date(atMs).toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' });
}
