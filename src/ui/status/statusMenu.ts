import * as l10n from '@vscode/l10n';
import type { LiveState } from '../../core/liveState';
import type { CommandId } from '../commands/commandTable';
import { type SourceLine, sourcesOf } from './sourceState';
import { type Problem, problemsOf, type Surroundings } from './problem';

/** A line of the menu behind the status-bar item. */
export type MenuEntry =
  | { readonly kind: 'problem'; readonly icon: string; readonly label: string; readonly command: CommandId | null }
  | { readonly kind: 'separator' }
  | {
      readonly kind: 'command';
      readonly icon: string;
      readonly label: string;
      readonly command: CommandId;
      /** What it is called with; absent: nothing. */
      readonly about?: string;
    };

/** What is wrong first, then what can be done now; nothing that is impossible. */
export function menuOf(state: LiveState, around: Surroundings): MenuEntry[] {
  const problems = problemsOf(state, around).map((problem): MenuEntry => problemEntry(problem));
  const isOpen = around.link.kind === 'open';
  const queue = isOpen ? queueEntries(state, around.trusted) : [];
  const sources = isOpen ? sourcesOf(state).map(sourceEntry) : [];
  const rest: MenuEntry[] = [
    ...(around.trusted ? [command('add', l10n.t('Add Task…'), 'airlock.addTask')] : []),
    command('list-unordered', l10n.t('Show Tasks'), 'airlock.showTasks'),
    ...(isOpen
      ? [
          command('sync', l10n.t('Refresh Sources'), 'airlock.refreshSources'),
          command('shield', l10n.t('Prove the Jail'), 'airlock.proveJail'),
          command('graph', l10n.t('Analytics'), 'airlock.openAnalytics'),
        ]
      : []),
    command('gear', l10n.t('Settings'), 'airlock.openSettings'),
    command('output', l10n.t('Show Log'), 'airlock.showLog'),
  ];
  return [...separated(problems), ...separated(queue), ...separated(sources), ...rest];
}

function queueEntries(state: LiveState, trusted: boolean): MenuEntry[] {
  const entries: MenuEntry[] = [];
  if (state.queueMode === 'running') {
    entries.push(command('debug-pause', l10n.t('Pause Queue: what runs goes on'), 'airlock.pauseQueue'));
  } else if (trusted) {
    entries.push(command('play', l10n.t('Start Queue'), 'airlock.startQueue'));
  }
  if (state.queueMode === 'running' || state.sessions.size > 0) {
    entries.push(command('debug-stop', l10n.t('Stop Queue: what runs is interrupted'), 'airlock.stopQueue'));
  }
  return entries;
}

function sourceEntry({ id, paused, words }: SourceLine): MenuEntry {
  return paused
    ? { ...command('play', l10n.t('Resume Source {0}: {1}', id, words), 'airlock.resumeSource'), about: id }
    : { ...command('debug-pause', l10n.t('Pause Source {0}: {1}', id, words), 'airlock.pauseSource'), about: id };
}

function problemEntry(problem: Problem): MenuEntry {
  const icon = problem.severity === 'error' ? 'error' : 'warning';
  return { kind: 'problem', icon, label: problem.text, command: problem.command };
}

function command(icon: string, label: string, id: CommandId): Extract<MenuEntry, { kind: 'command' }> {
  return { kind: 'command', icon, label, command: id };
}

function separated(entries: readonly MenuEntry[]): MenuEntry[] {
  return entries.length === 0 ? [] : [...entries, { kind: 'separator' }];
}
