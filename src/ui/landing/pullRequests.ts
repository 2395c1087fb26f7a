import * as vscode from 'vscode';
import * as l10n from '@vscode/l10n';
import { CancelledError, UserError } from '../../base/errors';
import { describeVerdict, passed, summarizeChecks } from '../../core/evidence';
import type { Executor } from '../../core/executor';
import type { TaskId } from '../../core/ids';
import { runOf, type RunState, type TaskState } from '../../core/liveState';
import { withTellingProgress } from '../commands/progress';
import { requireTrust } from '../commands/queueActions';
import type { ExecutorLink } from '../executorLink';
import { oneLine } from '../markdownText';
import { createWithGh } from './ghProgram';
import { gitRepositoryAt, type GitRepository } from './gitExtension';
import { branchNameFor, compareUrl, parseRemote, type RemoteRepository } from './remoteAddress';

/** GitHub's own extension for pull requests. */
const githubExtension = 'GitHub.vscode-pull-request-github';

/** What is pushed where, as the user agreed to it. */
interface Push {
  readonly remote: string;
  readonly at: RemoteRepository;
  readonly head: string;
  readonly base: string;
}

/** Makes a branch of the result, named as the user says. @returns its name. @throws {CancelledError} */
export async function keepAsBranch(link: ExecutorLink, taskId: TaskId): Promise<string> {
  requireTrust();
  const executor = await link.ready();
  const name = await askBranch(taskIn(executor, taskId).task);
  await executor.keepAsBranch(taskId, name);
  return name;
}

async function askBranch({ spec }: TaskState): Promise<string> {
  const name = await vscode.window.showInputBox({
    title: l10n.t('Branch for “{0}”', oneLine(spec.title, 80)),
    prompt: l10n.t('A branch of your own at the result. Nothing is checked out.'),
    value: branchNameFor(spec.title),
    ignoreFocusOut: true,
  });
  if (name === undefined || name.trim() === '') throw new CancelledError();
  return name.trim();
}

/**
 * Pushes a result as a branch of the user's, when they say so, and opens a pull request of it: through the user's own `gh`, through
 * GitHub's extension, or else on the page of the forge.
 */
export async function openPullRequest(link: ExecutorLink, taskId: TaskId): Promise<void> {
  requireTrust();
  const executor = await link.ready();
  const { task, run } = taskIn(executor, taskId);
  const { repo } = await executor.changes(taskId);
  const { checkedOut } = await executor.landingTargets(taskId);
  const git = await gitRepositoryAt(repo);
  const { remote, at } = await pickRemote(git);
  const head = await askBranch(task);
  const push = { remote, at, head, base: await askBase(checkedOut) };
  await confirmPush(push);
  await executor.keepAsBranch(taskId, head);
  await withTellingProgress(l10n.t('Pushing {0}', head), () => git.push(remote, head, true));
  const url = await open(repo, push, { title: oneLine(task.spec.title, 200), body: bodyOf(task, run) });
  if (url !== undefined) await executor.notePullRequest(taskId, url);
}

function taskIn({ state }: Executor, taskId: TaskId): { task: TaskState; run: RunState } {
  const task = state.tasks.get(taskId);
  const run = task && runOf(state, task);
  if (task && run) return { task, run };
  throw new UserError('no-result', l10n.t('This task has no result.'));
}

async function pickRemote(git: GitRepository): Promise<{ remote: string; at: RemoteRepository }> {
  const found = git.state.remotes.flatMap(({ name, pushUrl, fetchUrl }) => {
    const at = parseRemote(pushUrl ?? fetchUrl ?? '');
    return at ? [{ label: name, description: `${at.host}/${at.path}`, remote: name, at }] : [];
  });
  const [only] = found;
  if (!only) {
    throw new UserError('no-remote', l10n.t('The repository has no remote at a server. Add one: git remote add …'));
  }
  if (found.length === 1) return only;
  const picked = await vscode.window.showQuickPick(found, { placeHolder: l10n.t('Push to which remote?') });
  if (!picked) throw new CancelledError();
  return picked;
}

async function askBase(checkedOut: string | null): Promise<string> {
  const base = await vscode.window.showInputBox({
    title: l10n.t('Pull Request Into'),
    prompt: l10n.t('The branch at the remote that it is to go into.'),
    value: checkedOut ?? 'main',
    ignoreFocusOut: true,
  });
  if (base === undefined || base.trim() === '') throw new CancelledError();
  return base.trim();
}

async function confirmPush({ remote, at, head, base }: Push): Promise<void> {
  const push = l10n.t('Push and Open');
  const question = l10n.t('Push the branch {0} to {1}?', oneLine(head, 200), oneLine(remote, 100));
  const detail = l10n.t(
    'It leaves this machine: everybody who may read {0} can read it then. After that a pull request into {1} is opened.',
    `${at.host}/${at.path}`,
    oneLine(base, 200),
  );
  if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, push)) !== push) {
    throw new CancelledError();
  }
}

/** @returns the page of the pull request, where it is known; the page on which one can be opened is none. */
async function open(
  repo: string,
  { at, head, base }: Push,
  { title, body }: { readonly title: string; readonly body: string },
): Promise<string | undefined> {
  const request = { repository: `${at.host}/${at.path}`, head, base, title, body };
  const end = await withTellingProgress(l10n.t('Opening a pull request'), () => createWithGh(repo, request));
  if (end.kind === 'done') {
    tell(l10n.t('The pull request is open.'), end.url);
    return end.url;
  }
  if (end.kind === 'failed') {
    void vscode.window.showWarningMessage(l10n.t('gh could not open the pull request: {0}', oneLine(end.words, 400)));
  } else if (vscode.extensions.getExtension(githubExtension)) {
    await vscode.commands.executeCommand('pr.create', { repoPath: repo, compareBranch: head });
    return undefined;
  }
  const page = compareUrl(at, base, head);
  if (page !== undefined) tell(l10n.t('{0} is pushed. Open the pull request on its page.', head), page);
  else {
    const place = `${at.host}/${at.path}`;
    void vscode.window.showInformationMessage(
      l10n.t('{0} is pushed to {1}. Open the pull request there.', head, place),
    );
  }
  return undefined;
}

function tell(message: string, url: string): void {
  const openPage = l10n.t('Open Page');
  const copy = l10n.t('Copy Address');
  void vscode.window.showInformationMessage(message, openPage, copy).then(async (chosen) => {
    if (chosen === openPage) await vscode.env.openExternal(vscode.Uri.parse(url));
    if (chosen === copy) await vscode.env.clipboard.writeText(url);
  });
}

/** What was seen, and nothing that an agent says. */
function bodyOf(task: TaskState, run: RunState): string {
  const lines = summarizeChecks(run.checks).map(
    ({ command, onResult }) => `- ${onResult && passed(onResult) ? 'passed' : 'failed'}: ${oneLine(command, 500)}`,
  );
  const verdict = run.verdict ? [`Verdict: ${run.verdict} (${describeVerdict(run.verdict)}).`] : [];
  const checks = lines.length > 0 ? ['Checks, as Airlock ran them in fresh jails:', lines.join('\n')] : [];
  return [...verdict, ...checks, `Airlock-Task: ${task.id}`].join('\n\n');
}
