import * as l10n from '@vscode/l10n';

/** How many rows a group has, and of how many. */
export function countWords(shown: number, all: number): string {
  return shown === all ? String(all) : l10n.t('{0} of {1}', shown, all);
}
