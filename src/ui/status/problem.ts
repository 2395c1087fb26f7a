import * as l10n from '@vscode/l10n';
import { messageOf } from '../../base/errors';
import type { JailReadiness } from '../../core/jail';
import type { LiveState } from '../../core/liveState';
import type { CommandId } from '../commands/commandTable';
import type { LinkStatus } from '../executorLink';

/** Something that keeps Airlock from working, in words, and the command that helps, if one does. */
export interface Problem {
  /** `error`: nothing can run. `warning`: something is not as it should be. */
  readonly severity: 'error' | 'warning';
  readonly text: string;
  readonly command: CommandId | null;
}

/** What is known of the surroundings. */
export interface Surroundings {
  readonly link: LinkStatus;
  readonly trusted: boolean;
  /** `null` while nobody has looked. */
  readonly jail: JailReadiness | null;
  readonly needsApiKey: boolean;
  /** Parts of the UI that did not start, in words. */
  readonly failedFeatures: readonly string[];
}

/** What is wrong, the worst first. */
export function problemsOf(state: LiveState, around: Surroundings): Problem[] {
  const problems: Problem[] = [];
  const error = (text: string, command: CommandId | null): void =>
    void problems.push({ severity: 'error', text, command });
  if (around.link.kind === 'failed') {
    error(l10n.t('Airlock could not start: {0}', messageOf(around.link.error)), 'airlock.tryAgain');
  }
  if (!around.trusted) error(l10n.t('This workspace is not trusted, so nothing runs in it.'), 'airlock.manageTrust');
  if (around.jail?.kind === 'unavailable') error(`${around.jail.reason} ${around.jail.fix}`, 'airlock.tryAgain');
  if (around.needsApiKey && worksHere(around.link)) {
    problems.push({
      severity: 'warning',
      text: l10n.t('There is no API key for the model.'),
      command: 'airlock.setApiKey',
    });
  }
  const failed = around.failedFeatures.map((text): Problem => ({
    severity: 'warning',
    text,
    command: 'airlock.showLog',
  }));
  const holds = [...state.holds.values()].map((text): Problem => ({ severity: 'warning', text, command: null }));
  return [...problems, ...holds, ...failed, ...sourceProblems(state), ...reportProblems(state)];
}

/** Another process has keys of its own. */
function worksHere(link: LinkStatus): boolean {
  return link.kind !== 'open' || link.executor.place.kind !== 'elsewhere';
}

function sourceProblems(state: LiveState): Problem[] {
  return [...state.sources]
    .filter(([, source]) => !source.healthy)
    .map(([id, source]) => ({
      severity: 'warning',
      text: l10n.t('The task source {0} cannot be reached: {1}', id, source.message),
      command: 'airlock.refreshSources',
    }));
}

function reportProblems(state: LiveState): Problem[] {
  const refused = [...state.reports.values()].filter((report) => report.status === 'dead').length;
  if (refused === 0) return [];
  const text =
    refused === 1
      ? l10n.t('A source refused the report of a result for good.')
      : l10n.t('Sources refused {0} reports of results for good.', refused);
  return [{ severity: 'warning', text, command: 'airlock.showTasks' }];
}
