import { mkdir, rename, rm, stat } from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { type Disposable, DisposableStore } from '../../base/disposable';
import { CancelledError } from '../../base/errors';
import type { Logger } from '../../base/logger';
import { isEnded, type NewTask } from '../../core/task';
import { guard } from '../commands/commandRegistry';
import type { CommandId } from '../commands/commandTable';
import { requireTrust, startQueue } from '../commands/queueActions';
import type { ExecutorLink } from '../executorLink';
import { viewIds } from '../ids';
import { openFolders } from '../repositories';

const id: CommandId = 'airlock.trySamples';
/** In `globalState`: the folder that is being opened for the samples. */
const openingKey = 'airlock.samples.opening';

/** The samples that come with Airlock, loaded when somebody asks for them. */
export interface Samples {
  /** Makes the repository in a folder that is not there yet. */
  make(folder: string): Promise<void>;
  tasks(repo: string): NewTask[];
}

export interface TrySamplesParts {
  readonly link: ExecutorLink;
  readonly samples: () => Promise<Samples>;
  readonly memory: vscode.Memento;
  readonly logger: Logger;
}

/**
 * The command that opens the sample repository and queues its tasks, for whoever wants to see Airlock work before there is a key.
 * Opening a folder ends this window's extension host, so the tasks are queued by the one that comes after it.
 */
export function registerSamples(parts: TrySamplesParts): Disposable {
  const store = new DisposableStore();
  store.add(vscode.commands.registerCommand(id, () => guard(id, parts.logger, () => trySamples(parts))));
  const goOn = (): void => void guard(id, parts.logger, () => goOnWith(parts));
  store.add(vscode.workspace.onDidGrantWorkspaceTrust(goOn));
  goOn();
  return store;
}

async function trySamples(parts: TrySamplesParts): Promise<void> {
  const folder = sampleFolder();
  if (openFolders().includes(folder)) {
    requireTrust();
    return queue(parts, folder);
  }
  const open = l10n.t('Open the Samples');
  const chosen = await vscode.window.showInformationMessage(
    l10n.t('Try Airlock on a small repository?'),
    {
      modal: true,
      detail: l10n.t(
        'It is made in {0} and opened in this window, and five small tasks are queued for it. A script that comes with Airlock plays the model: no AI, no key, no network. The jails, the checks and the verdicts are real.',
        folder,
      ),
    },
    open,
  );
  if (chosen !== open) throw new CancelledError();
  await ensureMade(folder, await parts.samples());
  await parts.memory.update(openingKey, folder);
  await vscode.commands.executeCommand('vscode.openFolder', vscode.Uri.file(folder), { forceReuseWindow: true });
}

/** When this is the window that was opened for the samples. */
async function goOnWith(parts: TrySamplesParts): Promise<void> {
  const folder = parts.memory.get(openingKey);
  if (typeof folder !== 'string' || !openFolders().includes(folder)) return;
  if (!vscode.workspace.isTrusted) {
    // The view says why nothing runs, and has the button for it; VS Code asks by itself only here and there.
    await vscode.commands.executeCommand(`${viewIds.tasks}.focus`);
    return;
  }
  await parts.memory.update(openingKey, undefined);
  await queue(parts, folder);
}

async function queue({ link, samples }: TrySamplesParts, folder: string): Promise<void> {
  const executor = await link.working();
  const waiting = new Set(
    [...executor.state.tasks.values()]
      .filter(({ spec, status }) => spec.repo === folder && !isEnded(status))
      .map(({ spec }) => spec.title),
  );
  for (const task of (await samples()).tasks(folder)) if (!waiting.has(task.title)) await executor.add(task);
  await vscode.commands.executeCommand('airlock.showTasks' satisfies CommandId);
  if (executor.state.queueMode !== 'paused') return;
  const start = l10n.t('Start Queue');
  const chosen = await vscode.window.showInformationMessage(
    l10n.t('The sample tasks are queued. Start the queue, and click a running one for its terminal.'),
    start,
  );
  if (chosen === start) await startQueue(executor);
}

/** Where a person finds it again, and nothing of it is hidden. */
function sampleFolder(): string {
  return path.join(os.homedir(), 'airlock-samples', 'corner-shop');
}

/** What is there already is the user's by now. */
async function ensureMade(folder: string, samples: Samples): Promise<void> {
  if (await isThere(folder)) return;
  await mkdir(path.dirname(folder), { recursive: true });
  // Beside its place, so that one that was made by half is not taken for whole.
  const making = `${folder}.${process.pid}`;
  try {
    await samples.make(making);
    await rename(making, folder);
  } finally {
    await rm(making, { recursive: true, force: true });
  }
}

function isThere(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
