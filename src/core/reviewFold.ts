import type { AirlockEvent } from './events';
import { type LiveState, type RunState, type TaskState } from './liveState';
import { maxPullRequests } from './pullRequest';
import { maxComments } from './reviewComment';

type EventOf<K extends AirlockEvent['kind']> = Extract<AirlockEvent, { kind: K }>;

/** The part of the fold that follows what the user says of a result. */
export function foldReview(task: TaskState, event: AirlockEvent): void {
  switch (event.kind) {
    case 'comment.written': {
      const { commentId: id, commit, side, path, startLine, endLine, text, quote, atMs: writtenAtMs } = event;
      const comment = { id, commit, side, path, startLine, endLine, text, quote, writtenAtMs, sentAtMs: null };
      const comments = task.comments ?? [];
      const isThere = comments.some((other) => other.id === id);
      task.comments = isThere
        ? comments.map((other) => (other.id === id ? comment : other))
        : [...comments, comment].slice(-maxComments);
      return;
    }
    case 'overlap.found':
      if (event.overlaps.length > 0) task.overlaps = event.overlaps;
      else delete task.overlaps;
      return;
    case 'result.kept':
      task.keptAs = [...(task.keptAs ?? []).filter((name) => name !== event.branch), event.branch];
      return;
    case 'pullRequest.opened':
      task.pullRequests = [...(task.pullRequests ?? []).filter((url) => url !== event.url), event.url].slice(
        -maxPullRequests,
      );
      return;
    case 'comment.deleted':
      task.comments = (task.comments ?? []).filter(({ id }) => id !== event.commentId);
      return;
    default:
      return;
  }
}

/** A run that has ended goes on, as another attempt, with what the user has to say. */
export function continueRun(state: LiveState, run: RunState, event: EventOf<'run.continued'>): void {
  const { attempt, feedback, onto, atMs } = event;
  const task = state.tasks.get(run.taskId);
  if (task) {
    task.attempts = attempt;
    const sent = new Set(event.comments);
    if (task.comments)
      task.comments = task.comments.map((comment) => (sent.has(comment.id) ? { ...comment, sentAtMs: atMs } : comment));
  }
  run.attempt = attempt;
  run.restedMs = (run.restedMs ?? 0) + Math.max(0, atMs - (run.endedAtMs ?? atMs));
  run.feedback = { text: feedback, at: run.messages.length, rounds: run.rounds, onto };
  run.outcome = null;
  run.reason = '';
  run.endedAtMs = null;
  run.phase = 'preparing';
  run.activity = 'preparing';
  run.percent = null;
  run.usedMs = 0;
  delete run.claims;
}

/** Calls that the conversation has no result of: should it ever go on, none of them is done twice. */
export function callsOfLastMessage(run: RunState): RunState['toolCalls'] {
  const prefix = `${run.messages.length - 1}/`;
  return Object.fromEntries(Object.entries(run.toolCalls).filter(([callId]) => callId.startsWith(prefix)));
}

/** What a run has to say is still to be said: the conversation is where it was when the user sent it back. */
export function untoldFeedback({ feedback, messages }: RunState): RunState['feedback'] {
  return feedback !== undefined && messages.length === feedback.at ? feedback : undefined;
}
