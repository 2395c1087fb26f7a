import * as vscode from 'vscode';
import * as l10n from '@vscode/l10n';
import { isUserError, UserError } from '../../base/errors';
import { type Disposable, DisposableStore } from '../../base/disposable';
import type { Logger } from '../../base/logger';
import { makeVisible } from '../../base/visible';
import type { TaskId } from '../../core/ids';
import { runOf } from '../../core/liveState';
import type { ReviewComment } from '../../core/reviewComment';
import { guard } from '../commands/commandRegistry';
import { requireTrust } from '../commands/queueActions';
import type { ExecutorLink } from '../executorLink';
import { resultScheme } from '../ids';
import { canSendBack } from '../tasks/abilities';
import { byPlace, type PlacedComments } from './commentPlaces';
import { resultUri } from './resultFiles';
import { fromUriParts, type ResultFile } from './resultUri';

/** Its id stands in the manifest's `when` clauses. */
const controllerId = 'airlockReview';

/** A comment as VS Code shows it. It is plain text: nothing in it is a link or an image. */
class ShownComment implements vscode.Comment {
  mode = vscode.CommentMode.Preview;
  /** What VS Code shows, and what it puts in when the user has written it anew. */
  body: string;
  readonly author = { name: l10n.t('You') };
  readonly contextValue: 'draft' | 'sent' | 'gone';
  readonly label: string;
  readonly timestamp: Date;

  /** @param text What the user wrote; `undefined` when that was deleted: then it cannot be written anew. */
  constructor(
    readonly taskId: TaskId,
    readonly kept: ReviewComment,
    private readonly text: string | undefined,
  ) {
    const isDraft = kept.sentAtMs === null;
    this.body = text === undefined ? l10n.t('(deleted)') : makeVisible(text);
    this.contextValue = !isDraft ? 'sent' : text === undefined ? 'gone' : 'draft';
    this.label = isDraft ? l10n.t('Not sent yet') : l10n.t('Sent');
    this.timestamp = new Date(kept.writtenAtMs);
  }

  /** The user gets their own words back, not how they are shown: what is saved is what stands there. */
  edit(): void {
    if (this.text === undefined) return;
    this.body = this.text;
    this.mode = vscode.CommentMode.Editing;
  }
}

/**
 * The user's comments on lines of results, beside those lines. They are the executor's: written down as soon as they are added,
 * so that a reload loses none.
 */
export class CommentThreads implements Disposable {
  private readonly store = new DisposableStore();
  private readonly controller: vscode.CommentController;
  private readonly threads = new Map<TaskId, Map<string, vscode.CommentThread>>();
  /** Tasks are shown one after another, as texts are read in between. */
  private showing: Promise<void> = Promise.resolve();

  constructor(
    private readonly link: ExecutorLink,
    private readonly logger: Logger,
  ) {
    this.controller = this.store.add(vscode.comments.createCommentController(controllerId, l10n.t('Airlock review')));
    this.controller.options = {
      prompt: l10n.t('Comment for the agent'),
      placeHolder: l10n.t('What should the agent do here? It is sent when you say so.'),
    };
    this.controller.commentingRangeProvider = {
      provideCommentingRanges: ({ uri, lineCount }) =>
        this.placeOf(uri) ? [new vscode.Range(0, 0, Math.max(0, lineCount - 1), 0)] : [],
    };
    this.register('airlock.addComment', (reply) => this.add(reply));
    this.register('airlock.editComment', (comment) => this.edit(comment));
    this.register('airlock.saveComment', (comment) => this.save(comment));
    this.register('airlock.cancelComment', (comment) => this.cancel(comment));
    this.register('airlock.deleteComment', (comment) => this.delete(comment));
    this.store.add(
      link.onDidAppend((events) => {
        for (const event of events) {
          const isAbout = event.kind === 'comment.written' || event.kind === 'comment.deleted';
          if (isAbout) this.showLater(event.taskId);
          if (event.kind === 'result.published' || event.kind === 'run.continued') {
            const taskId = link.state.runs.get(event.runId)?.taskId;
            if (taskId !== undefined) this.showLater(taskId);
          }
        }
      }),
    );
    this.store.add(link.onDidReset(() => this.showAll()));
    this.showAll();
  }

  dispose(): void {
    for (const threads of this.threads.values()) for (const thread of threads.values()) thread.dispose();
    this.threads.clear();
    this.store.dispose();
  }

  private register(id: string, action: (argument: unknown) => Promise<void>): void {
    this.store.add(
      vscode.commands.registerCommand(id, (argument: unknown) => guard(id, this.logger, () => action(argument))),
    );
  }

  private async add(reply: unknown): Promise<void> {
    requireTrust();
    if (!isReply(reply)) return;
    const { thread, text } = reply;
    const file = this.placeOf(thread.uri);
    if (!file || !thread.range) throw notNow();
    const startLine = thread.range.start.line + 1;
    const endLine = Math.max(startLine, thread.range.end.line + 1);
    const { taskId, side, path } = file;
    await (await this.link.ready()).comment(taskId, { side, path, startLine, endLine, text });
    // The executor's own comments have threads of their own.
    const isOurs = [...(this.threads.get(taskId)?.values() ?? [])].includes(thread);
    if (!isOurs) thread.dispose();
  }

  private async edit(comment: unknown): Promise<void> {
    if (!(comment instanceof ShownComment)) return;
    comment.edit();
    for (const thread of this.threads.get(comment.taskId)?.values() ?? [])
      if (thread.comments.includes(comment)) thread.comments = [...thread.comments];
  }

  private async save(comment: unknown): Promise<void> {
    requireTrust();
    if (!(comment instanceof ShownComment)) return;
    const { id, side, path, startLine, endLine } = comment.kept;
    const executor = await this.link.ready();
    await executor.comment(comment.taskId, { id, side, path, startLine, endLine, text: comment.body });
    this.showLater(comment.taskId, comment);
  }

  private async cancel(comment: unknown): Promise<void> {
    if (comment instanceof ShownComment) this.showLater(comment.taskId, comment);
  }

  private async delete(comment: unknown): Promise<void> {
    if (!(comment instanceof ShownComment)) return;
    await (await this.link.ready()).deleteComment(comment.taskId, comment.kept.id);
  }

  private showAll(): void {
    const known = new Set([...this.threads.keys()]);
    for (const task of this.link.state.tasks.values()) if (task.comments) known.add(task.id);
    for (const taskId of known) this.showLater(taskId);
  }

  /** @param left A comment that the user edits no more. */
  private showLater(taskId: TaskId, left?: ShownComment): void {
    this.showing = this.showing
      .then(() => this.show(taskId, left))
      .catch((error: unknown) => {
        if (!isUserError(error)) this.logger.error('Comments could not be shown', error);
      });
  }

  /** Makes the threads of a task what its comments are now. What the user is editing stays in their hands. */
  private async show(taskId: TaskId, left: ShownComment | undefined): Promise<void> {
    const task = this.link.state.tasks.get(taskId);
    const run = task && runOf(this.link.state, task);
    const places = run?.commit ? byPlace(task?.comments ?? [], run.commit) : new Map<string, PlacedComments>();
    const threads = this.threads.get(taskId) ?? new Map<string, vscode.CommentThread>();
    this.threads.set(taskId, threads);
    for (const [key, thread] of threads) {
      if (places.has(key)) continue;
      thread.dispose();
      threads.delete(key);
    }
    for (const [key, { place, comments }] of places) {
      const read = await Promise.all(comments.map((comment) => this.read(taskId, comment)));
      const thread = threads.get(key) ?? this.newThread(taskId, place, comments[0]);
      if (!thread) continue;
      threads.set(key, thread);
      const edited = thread.comments.filter(isEdited).filter((comment) => comment !== left);
      thread.comments = read.map((comment) => edited.find(({ kept }) => kept.id === comment.kept.id) ?? comment);
      thread.canReply = task !== undefined && canSendBack(task, run);
    }
  }

  private newThread(taskId: TaskId, place: PlacedComments['place'], first: ReviewComment | undefined) {
    if (!first) return undefined;
    const uri = resultUri({ taskId, side: place.side, commit: first.commit, path: place.path });
    const range = new vscode.Range(place.startLine - 1, 0, place.endLine - 1, 0);
    const thread = this.controller.createCommentThread(uri, range, []);
    thread.label = l10n.t('For the agent');
    thread.collapsibleState = vscode.CommentThreadCollapsibleState.Expanded;
    return thread;
  }

  private async read(taskId: TaskId, comment: ReviewComment): Promise<ShownComment> {
    const bytes = await (await this.link.ready()).readBlob(comment.text);
    return new ShownComment(taskId, comment, bytes && Buffer.from(bytes).toString('utf8'));
  }

  /** The file that can be commented on: of the result that the task has now, while it can be sent back. */
  private placeOf(uri: vscode.Uri): ResultFile | undefined {
    const file = uri.scheme === resultScheme ? fromUriParts(uri) : undefined;
    if (!file || file.side === 'snapshot' || file.side === 'conflict') return undefined;
    const task = this.link.state.tasks.get(file.taskId);
    const run = task && runOf(this.link.state, task);
    return task && run?.commit === file.commit && canSendBack(task, run) ? file : undefined;
  }
}

function isEdited(comment: vscode.Comment): comment is ShownComment {
  return comment instanceof ShownComment && comment.mode === vscode.CommentMode.Editing;
}

function isReply(value: unknown): value is vscode.CommentReply {
  return typeof value === 'object' && value !== null && 'thread' in value && 'text' in value;
}

function notNow(): UserError {
  return new UserError('wrong-state', l10n.t('The task has moved on, so this result cannot be commented on any more.'));
}
