import * as vscode from 'vscode';
import { type Disposable, DisposableStore } from '../../base/disposable';
import type { Logger } from '../../base/logger';
import type { CommandActions, CommandTarget } from './commandActions';
import { commandEntries, type CommandEntry, type CommandId } from './commandTable';
import { wordError } from './errorWords';

/** Meets a command's need from what VS Code called it with. `undefined` when the user gave up. */
export type TargetFinder = (
  needs: CommandEntry['needs'],
  args: readonly unknown[],
) => Promise<CommandTarget | undefined>;

/** Registers every command of the table, each in the one wrapper that words what goes wrong. */
export function registerCommands(actions: CommandActions, findTarget: TargetFinder, logger: Logger): Disposable {
  const store = new DisposableStore();
  for (const [id, { action, needs }] of commandEntries) {
    if (action === null) continue;
    store.add(
      vscode.commands.registerCommand(id, (...args: unknown[]) =>
        guard(id, logger, async () => {
          const target = await findTarget(needs, args);
          if (target) await actions[action](target);
        }),
      ),
    );
  }
  return store;
}

/**
 * Does it, and says what went wrong: a `UserError` in its own words, a cancellation not at all, everything else in the log
 * with a button that shows it. Never rejects; does not wait for the user to read.
 */
export async function guard(name: string, logger: Logger, action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    const words = wordError(error);
    if (words.kind === 'silent') return;
    if (words.kind === 'fault') logger.error(`${name} failed`, error);
    else logger.warn(`${name}: ${words.message}`);
    void offer(words.message, words.button);
  }
}

async function offer(message: string, button: { readonly title: string; readonly command: CommandId } | null) {
  const chosen = await vscode.window.showErrorMessage(message, ...(button ? [button.title] : []));
  if (button && chosen === button.title) await vscode.commands.executeCommand(button.command);
}
