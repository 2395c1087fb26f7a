import { UserError } from '../base/errors';
import { newId } from '../base/ids';
import type { EventBody } from '../core/events';
import type { ObjectId, TaskId } from '../core/ids';
import { isInConflict, isLanding, type RunState, type TaskState } from '../core/liveState';
import {
  draftsOf,
  maxCommentBytes,
  maxComments,
  newCommentSchema,
  type CommentPlace,
  type NewComment,
  type ReviewComment,
} from '../core/reviewComment';
import { isEnded } from '../core/task';
import type { ExecutorPorts } from './ports';
import { conflictFeedback, reviewFeedback, type ToldComment } from './reviewFeedback';
import { foundTask, wrongState } from './steering';

/** What a comment quotes at most. */
const maxQuotedLines = 40;
const maxQuotedCharacters = 4000;

type Ports = Pick<ExecutorPorts, 'events' | 'blobs' | 'workspaces' | 'targets'>;

/** What a user says of a result: comments on its lines, and that it goes back to its agent with them. */
export class ReviewDesk {
  constructor(private readonly ports: Ports) {}

  /** @throws {UserError} `no-result`, `comment-invalid`, `unknown-file`, `unknown-comment`. */
  async comment(taskId: TaskId, written: NewComment): Promise<string> {
    const comment = checked(written);
    const { events, blobs } = this.ports;
    const task = foundTask(events.state, taskId);
    const text = await blobs.put(comment.text.trim());
    if (comment.id !== undefined) {
      const { id: commentId, commit, side, path, startLine, endLine, quote } = draftOf(task, comment.id);
      const place = { commit, side, path, startLine, endLine };
      await events.append([{ kind: 'comment.written', taskId, commentId, ...place, text, quote }]);
      return commentId;
    }
    if (draftsOf(task).length >= maxComments)
      throw invalid(`There are ${maxComments} comments already: send them back.`);
    const { side, path, startLine, endLine } = comment;
    const { commit, lines } = await this.linesAt(task, comment);
    const commentId = newId('comment');
    const quote = await blobs.put(lines);
    await events.append([
      { kind: 'comment.written', taskId, commentId, commit, side, path, startLine, endLine, text, quote },
    ]);
    return commentId;
  }

  /** @throws {UserError} `unknown-comment`. */
  async delete(taskId: TaskId, commentId: string): Promise<void> {
    const { events } = this.ports;
    draftOf(foundTask(events.state, taskId), commentId);
    await events.append([{ kind: 'comment.deleted', taskId, commentId }]);
  }

  /**
   * The drafts, and `text` if there is any, are the next turn of the conversation of the task's run.
   * @throws {UserError} `wrong-state`, `nothing-to-send`, `comment-invalid`.
   */
  async sendBack(taskId: TaskId, text: string): Promise<void> {
    const task = foundTask(this.ports.events.state, taskId);
    const run = this.continuable(task);
    const drafts = draftsOf(task);
    if (Buffer.byteLength(text) > maxCommentBytes) throw invalid(tooLarge);
    if (drafts.length === 0 && text.trim() === '') {
      throw new UserError('nothing-to-send', 'There is no comment yet. Comment on a line, or say what is to be done.', {
        taskId,
      });
    }
    const told = await Promise.all(drafts.map((draft) => this.told(draft, run)));
    await this.continue(task, run, { text: reviewFeedback(text, told), comments: drafts.map(({ id }) => id) });
  }

  /**
   * A result that is in conflict with its branch goes back to its agent, on what the branch is now.
   * @throws {UserError} `wrong-state` when it is in no conflict.
   */
  async sendBackConflict(taskId: TaskId): Promise<void> {
    const task = foundTask(this.ports.events.state, taskId);
    const { landing } = task;
    if (!landing || !isInConflict(task)) {
      throw wrongState(task, 'sent back for a conflict, for there is none');
    }
    const run = this.continuable(task);
    const onto = await this.ports.targets.tip(run.repo, landing.ref);
    if (!onto || !run.commit) throw wrongState(task, 'sent back: its branch is gone');
    const text = conflictFeedback(landing.ref.slice('refs/heads/'.length), landing.files);
    await this.continue(task, run, { text, comments: [], onto });
  }

  private async continue(
    task: TaskState,
    run: RunState,
    told: { readonly text: string; readonly comments: string[]; readonly onto?: ObjectId },
  ): Promise<void> {
    const feedback = await this.ports.blobs.put(told.text);
    // While that was written, another window may have been quicker.
    this.continuable(task);
    const bodies: EventBody[] = [
      {
        kind: 'run.continued',
        runId: run.id,
        attempt: task.attempts + 1,
        feedback,
        comments: told.comments,
        onto: told.onto ?? null,
      },
      { kind: 'task.requeued', taskId: task.id, reason: 'The user sent it back.', notBeforeMs: 0 },
    ];
    await this.ports.events.append(bodies);
  }

  private continuable(task: TaskState): RunState {
    const run = task.runId === null ? undefined : this.ports.events.state.runs.get(task.runId);
    const isDecided = task.status === 'landed' || task.status === 'discarded';
    if (!run || run.outcome === null || !isEnded(task.status) || isDecided || isLanding(task)) {
      throw wrongState(task, 'sent back');
    }
    if (run.messages.length === 0 || run.baseCommit === null) {
      throw wrongState(task, 'sent back, for its agent has not said anything yet; retry it');
    }
    return run;
  }

  private async told(draft: ReviewComment, run: RunState): Promise<ToldComment> {
    const [words, lines] = await Promise.all([this.textOf(draft.text), this.textOf(draft.quote)]);
    return { ...draft, words, lines, isOld: draft.commit !== run.commit };
  }

  private async textOf(digest: string): Promise<string> {
    const bytes = await this.ports.blobs.get(digest);
    return bytes ? Buffer.from(bytes).toString('utf8') : '(deleted)';
  }

  private async linesAt(task: TaskState, place: CommentPlace): Promise<{ commit: ObjectId; lines: string }> {
    const run = task.runId === null ? undefined : this.ports.events.state.runs.get(task.runId);
    if (!run?.commit || !run.baseCommit) {
      throw new UserError('no-result', 'This task has no result that changes something.', { taskId: task.id });
    }
    const from = place.side === 'base' ? run.baseCommit : run.commit;
    const bytes = await this.ports.workspaces.readFile(run.repo, from, place.path);
    if (!bytes) {
      throw new UserError('unknown-file', `There is no file ${place.path} in the ${place.side}.`, { path: place.path });
    }
    return { commit: run.commit, lines: quoteOf(bytes, place) };
  }
}

const tooLarge = `It is larger than ${maxCommentBytes / 1024} KiB.`;

function checked(written: NewComment): NewComment {
  const comment = newCommentSchema.parse(written);
  if (comment.text.trim() === '') throw invalid('The comment is empty.');
  if (Buffer.byteLength(comment.text) > maxCommentBytes) throw invalid(tooLarge);
  if (comment.endLine < comment.startLine) throw invalid('Its last line comes before its first.');
  return comment;
}

/** @throws {UserError} `comment-invalid` when there are no such lines. */
function quoteOf(bytes: Uint8Array, { path, startLine, endLine }: CommentPlace): string {
  if (bytes.includes(0)) return '';
  const lines = Buffer.from(bytes).toString('utf8').replace(/\n$/, '').split('\n');
  if (endLine > lines.length) throw invalid(`${path} has ${lines.length} lines.`);
  const quoted = lines.slice(startLine - 1, Math.min(endLine, startLine - 1 + maxQuotedLines)).join('\n');
  return quoted.slice(0, maxQuotedCharacters);
}

function draftOf(task: TaskState, commentId: string): ReviewComment {
  const found = draftsOf(task).find(({ id }) => id === commentId);
  if (found) return found;
  throw new UserError('unknown-comment', 'There is no such comment, or it was sent already.', { taskId: task.id });
}

function invalid(message: string): UserError {
  return new UserError('comment-invalid', message);
}
