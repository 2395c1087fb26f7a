import * as l10n from '@vscode/l10n';
import type { LiveState } from '../../core/liveState';

/** A source as the user steers it. */
export interface SourceLine {
  readonly id: string;
  readonly paused: boolean;
  /** How it is, in words. */
  readonly words: string;
}

/** Every source that there is something to take from, and those that are paused, whether they are there now or not. */
export function sourcesOf(state: LiveState): SourceLine[] {
  const there = [...state.sources].filter(([, { healthy, message }]) => !healthy || message === '');
  const ids = [...new Set([...there.map(([id]) => id), ...state.pausedSources])];
  return ids.map((id) => ({ id, paused: state.pausedSources.has(id), words: wordsOf(state, id) }));
}

function wordsOf(state: LiveState, id: string): string {
  const source = state.sources.get(id);
  if (!source) return l10n.t('paused; not in use now');
  const health = !source.looked
    ? l10n.t('nothing was heard of it yet')
    : source.healthy
      ? l10n.t('answers')
      : l10n.t('does not answer: {0}', source.message);
  return state.pausedSources.has(id) ? l10n.t('paused; {0}', health) : health;
}
