import * as vscode from 'vscode';
import * as l10n from '@vscode/l10n';
import { CancelledError, UserError } from '../../base/errors';
import { type ConflictFile, type ConflictReport, hasConflictMarkers, type Resolution } from '../../core/conflict';
import type { Executor } from '../../core/executor';
import type { TaskId } from '../../core/ids';
import { withCancellableProgress } from '../commands/progress';
import { requireTrust } from '../commands/queueActions';
import type { ExecutorLink } from '../executorLink';
import { oneLine } from '../markdownText';
import { resultUri } from '../review/resultFiles';
import { branchName } from '../tasks/taskWords';
import { acceptResolved, tellRefusal } from './acceptResults';
import { activeMerge, completeMerge, type MergedFile, openMergeEditor, tabOf } from './mergeEditor';
import type { ResolvedFiles } from './resolvedFiles';

/** More editors than that are not opened at once; the others come as these are done. */
const maxOpened = 10;

/** Opens what is in conflict in VS Code's merge editor. */
export async function resolveConflict(link: ExecutorLink, files: ResolvedFiles, taskId: TaskId): Promise<void> {
  requireTrust();
  const executor = await link.ready();
  const merged = await conflictOf(executor, files, taskId);
  if (!merged) return;
  if (merged.toMerge.length === 0) return landResolved(link, files, taskId);
  for (const file of merged.toMerge.slice(0, maxOpened).toReversed()) await reopen(files, file);
  void tellHow(taskId, merged.toMerge.length);
}

/** Lets a result out with the files that were resolved, or shows the first one that is not. */
export async function landResolved(link: ExecutorLink, files: ResolvedFiles, taskId: TaskId): Promise<void> {
  requireTrust();
  const executor = await link.ready();
  const merged = await conflictOf(executor, files, taskId);
  if (!merged) return;
  const { report, toMerge } = merged;
  const active = activeMerge()?.toString();
  const completed = toMerge.find(({ output }) => output.toString() === active);
  if (completed) {
    if (!(await completeMerge())) return;
    await files.setDone(completed.output, true);
  }
  const left = await unresolved(files, toMerge);
  const [next] = left;
  if (next) {
    await (tabOf(next.output) ? openMergeEditor(next) : reopen(files, next));
    const count = left.length;
    const message =
      count === 1 ? l10n.t('1 file is still to be resolved.') : l10n.t('{0} files are still to be resolved.', count);
    void vscode.window.showInformationMessage(message);
    return;
  }
  await acceptResolved(link, taskId, await resolutionOf(files, report, toMerge));
}

interface Merged {
  readonly report: ConflictReport;
  readonly toMerge: readonly MergedFile[];
}

/** `undefined` when it cannot be resolved here: then the user was told why. */
async function conflictOf(executor: Executor, files: ResolvedFiles, taskId: TaskId): Promise<Merged | undefined> {
  try {
    return await withCancellableProgress(l10n.t('Reading the conflict…'), async () => {
      const report = await executor.conflict(taskId);
      const beyond = report.files.filter(({ how }) => how === 'agent').map(({ path }) => path);
      if (beyond.length > 0) throw notHere(beyond);
      const toMerge: MergedFile[] = [];
      for (const file of report.files) {
        if (file.how === 'merge') toMerge.push(await mergedFile(executor, files, taskId, report, file.path));
      }
      return { report, toMerge };
    });
  } catch (error) {
    if (tellRefusal(executor, taskId, error)) return undefined;
    throw error;
  }
}

async function mergedFile(
  executor: Executor,
  files: ResolvedFiles,
  taskId: TaskId,
  { ref, target }: ConflictReport,
  path: string,
): Promise<MergedFile> {
  const read = async (side: 'base' | 'target' | 'result'): Promise<Uint8Array> =>
    (await executor.readConflictFile(taskId, side, path)) ?? new Uint8Array();
  const sides = { base: await read('base'), target: await read('target'), result: await read('result') };
  const address = (of: 'base' | 'target' | 'result'): vscode.Uri =>
    resultUri({ taskId, side: 'conflict', of, commit: target, path });
  return {
    base: address('base'),
    target: address('target'),
    result: address('result'),
    output: await files.open(taskId, path, sides),
    branch: oneLine(branchName(ref), 100),
  };
}

/** What is open again is not done until it is completed again. */
async function reopen(files: ResolvedFiles, file: MergedFile): Promise<void> {
  await files.setDone(file.output, false);
  await openMergeEditor(file);
}

/** Files that are still open, and those that nobody has opened. @throws {CancelledError} */
async function unresolved(files: ResolvedFiles, toMerge: readonly MergedFile[]): Promise<readonly MergedFile[]> {
  const left: MergedFile[] = [];
  const closed: MergedFile[] = [];
  for (const file of toMerge) {
    const isOpen = tabOf(file.output) !== undefined;
    if (isOpen || hasConflictMarkers(await files.readFile(file.output))) left.push(file);
    else if (!(await files.isDone(file.output))) closed.push(file);
  }
  if (left.length > 0 || closed.length === 0) return left;
  return (await landsAsSaved(closed)) ? [] : closed;
}

/** A merge editor that is closed before its merge is complete leaves what was the base in the places that are open. */
async function landsAsSaved(closed: readonly MergedFile[]): Promise<boolean> {
  const names = closed.map(({ output }) => oneLine(output.path.slice(1), 200)).join('\n');
  const question = l10n.t('The merge of these files was never completed. Land them as they were saved?');
  const detail = `${names}\n\n${l10n.t('Where a conflict was left open, a saved file has what was there before both changes.')}`;
  const open = l10n.t('Open Them Again');
  const land = l10n.t('Land as Saved');
  const chosen = await vscode.window.showWarningMessage(question, { modal: true, detail }, open, land);
  if (chosen === undefined) throw new CancelledError();
  return chosen === land;
}

async function resolutionOf(
  files: ResolvedFiles,
  { target, ref, files: inConflict }: ConflictReport,
  toMerge: readonly MergedFile[],
): Promise<Resolution> {
  const outputs = new Map(toMerge.map(({ output }) => [output.path.slice(1), output]));
  const resolved: Resolution['files'] = [];
  for (const file of inConflict) {
    const { path } = file;
    const output = outputs.get(path);
    resolved.push(
      output
        ? { path, content: Buffer.from(await files.readFile(output)).toString('base64') }
        : { path, take: await chooseSide(file, branchName(ref)) },
    );
  }
  return { target, files: resolved };
}

/** For what no editor can join: an image, or a file that one side has deleted. @throws {CancelledError} */
async function chooseSide(file: ConflictFile, branch: string): Promise<'target' | 'result'> {
  // What both have under another name is under this one nowhere.
  if (!file.isInTarget && !file.isInResult) return 'target';
  const what = (isThere: boolean): string => (isThere ? l10n.t('keeps the file') : l10n.t('the file is not there'));
  const items = [
    {
      label: l10n.t('As it is on {0}', oneLine(branch, 100)),
      description: what(file.isInTarget),
      take: 'target' as const,
    },
    { label: l10n.t('As the result has it'), description: what(file.isInResult), take: 'result' as const },
  ];
  const placeHolder = l10n.t('{0} cannot be joined. Which one is it to be?', oneLine(file.path, 200));
  const picked = await vscode.window.showQuickPick(items, { placeHolder, ignoreFocusOut: true });
  if (!picked) throw new CancelledError();
  return picked.take;
}

async function tellHow(taskId: TaskId, count: number): Promise<void> {
  const land = l10n.t('Land Resolved Files');
  const message =
    count === 1
      ? l10n.t('Join both versions in the file. When it is as it should be, choose “{0}”.', land)
      : l10n.t('Join both versions in each of {0} files. When one is as it should be, choose “{1}”.', count, land);
  if ((await vscode.window.showInformationMessage(message, land)) === land) {
    await vscode.commands.executeCommand('airlock.landResolved', taskId);
  }
}

function notHere(paths: readonly string[]): UserError {
  const listed = paths.slice(0, 5).join(', ') + (paths.length > 5 ? ', …' : '');
  return new UserError(
    'conflict-beyond',
    l10n.t('The merge editor cannot join {0}. Send the conflict to the agent, or merge its branch yourself.', listed),
  );
}
