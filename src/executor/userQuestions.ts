import { UserError } from '../base/errors';
import { makeVisible } from '../base/visible';
import { isOpenApproval } from '../core/approval';
import type { RunId, TaskId } from '../core/ids';
import type { RunState, TaskState } from '../core/liveState';
import type { ExecutorPorts } from './ports';
import { foundTask, wrongState } from './steering';

export const maxAnswerBytes = 64 * 1024;

/** The run has asked its user something and has no answer yet. */
export function isAsking(run: RunState | undefined): boolean {
  return run?.outcome === null && run.question !== undefined && run.question.answer === null;
}

/** The run stands until its user has said something to it. */
export function needsWord(run: RunState | undefined): boolean {
  return isAsking(run) || (run?.outcome === null && isOpenApproval(run.approval));
}

/**
 * Gives the answer to a question of a run. Without one, the run is to be left: nobody knows how long it takes, and a jail and
 * a slot are not kept for it. The same call is done again when the run goes on.
 * @throws {UserError} `question-open`
 */
export async function answerTo(
  { events, blobs }: Pick<ExecutorPorts, 'events' | 'blobs'>,
  runId: RunId,
  asked: { readonly callId: string; readonly text: string },
): Promise<string> {
  const question = events.state.runs.get(runId)?.question;
  if (question?.callId !== asked.callId) {
    await events.append([{ kind: 'question.asked', runId, ...asked }]);
  } else if (question.answer !== null) {
    const bytes = await blobs.get(question.answer);
    return bytes ? Buffer.from(bytes).toString('utf8') : '(The answer was deleted.)';
  }
  throw new UserError('question-open', `The agent asks: ${makeVisible(asked.text)}`);
}

/** Takes the user's answers: they are on disk before the run that asked goes on. */
export class UserQuestions {
  constructor(private readonly ports: Pick<ExecutorPorts, 'events' | 'blobs'>) {}

  /** @throws {UserError} `unknown-task`, `wrong-state` when it asks nothing; `answer-invalid`. */
  async answer(taskId: TaskId, text: string): Promise<void> {
    const { events, blobs } = this.ports;
    const task = foundTask(events.state, taskId);
    const run = openRun(events.state.runs.get(task.runId ?? ''), task);
    if (text.trim() === '') throw new UserError('answer-invalid', 'The answer is empty.', { taskId });
    if (Buffer.byteLength(text) > maxAnswerBytes)
      throw new UserError('answer-invalid', `The answer is larger than ${maxAnswerBytes / 1024} KiB.`, { taskId });
    await events.append([
      { kind: 'question.answered', runId: run.id, answer: await blobs.put(text) },
      ...(task.paused ? [] : [{ kind: 'task.requeued', taskId, reason: '', notBeforeMs: 0 } as const]),
    ]);
  }
}

function openRun(run: RunState | undefined, task: TaskState): RunState {
  if (run && isAsking(run) && task.status === 'waiting') return run;
  throw wrongState(task, 'answered, for it asks nothing');
}
