import * as vscode from 'vscode';
import * as l10n from '@vscode/l10n';
import { labelText } from '../markdownText';
import type { ExecutorLink } from '../executorLink';
import type { Feature } from '../features';
import { viewIds, walkthroughId } from '../ids';
import type { Reports } from '../review/reports';
import { type MenuEntry, menuOf } from '../status/statusMenu';
import type { LiveSurroundings } from '../status/surroundings';
import type { ViewActions } from './commandActions';
import { withCancellableProgress } from './progress';

export interface ViewActionParts {
  readonly link: ExecutorLink;
  readonly surroundings: LiveSurroundings;
  readonly reports: Feature<Reports>;
  readonly log: vscode.LogOutputChannel;
  readonly extensionId: string;
}

export function viewActions(parts: ViewActionParts): ViewActions {
  const { link, surroundings, reports, log, extensionId } = parts;
  return {
    proveJail: () => withCancellableProgress(l10n.t('Trying to get out of a jail…'), () => reports.get().showJail()),
    showPersonas: () => reports.get().showPersonas(),
    showTasks: async () => void (await vscode.commands.executeCommand(`${viewIds.tasks}.focus`)),
    showSessions: async () => void (await vscode.commands.executeCommand(`${viewIds.sessions}.focus`)),
    showMenu: () => showMenu(menuOf(link.state, surroundings.current)),
    showLog: () => log.show(),
    openSettings: async () =>
      void (await vscode.commands.executeCommand('workbench.action.openSettings', `@ext:${extensionId}`)),
    openWalkthrough: async () =>
      void (await vscode.commands.executeCommand(
        'workbench.action.openWalkthrough',
        `${extensionId}#${walkthroughId}`,
        false,
      )),
    tryAgain: () => withCancellableProgress(l10n.t('Starting Airlock again…'), () => link.reopen()),
    manageTrust: async () => void (await vscode.commands.executeCommand('workbench.trust.manage')),
  };
}

async function showMenu(entries: readonly MenuEntry[]): Promise<void> {
  const items = entries.map(
    (entry): vscode.QuickPickItem & { readonly command: string | null; readonly about?: string | undefined } => {
      if (entry.kind === 'separator') {
        return { label: '', kind: vscode.QuickPickItemKind.Separator, command: null };
      }
      const about = entry.kind === 'command' ? entry.about : undefined;
      return {
        label: `$(${entry.icon}) ${labelText(entry.label)}`,
        command: entry.command,
        about,
      };
    },
  );
  const picked = await vscode.window.showQuickPick(items, { placeHolder: l10n.t('Airlock') });
  if (!picked?.command) return;
  await vscode.commands.executeCommand(picked.command, ...(picked.about === undefined ? [] : [picked.about]));
}
