import type { z } from 'zod';
import { UserError } from '../base/errors';
import type { TaskId } from '../core/ids';
import type { RejectedTask, TaskSource } from '../core/source';
import { maxPromptBytes, maxTitleLength, newTaskSchema, type NewTask, type TaskOrigin } from '../core/task';

type ParsedTask = z.output<typeof newTaskSchema>;

/** A task as it was handed in. */
export interface Draft {
  readonly input: NewTask;
  /** By ids of its own source. */
  readonly dependsOnExternal: readonly string[];
}

/** A task that is well-formed and has its id, and is not kept yet. */
export interface Shaped {
  readonly taskId: TaskId;
  readonly task: ParsedTask;
  readonly origin: TaskOrigin;
  readonly dependsOn: readonly TaskId[];
  /** What it depends on that its source has not offered yet. */
  readonly missing: readonly string[];
}

/** What stands for a task that can never be worked on. */
export function rejectedTask({ id: sourceId }: TaskSource, { externalId, title, reason }: RejectedTask): Draft {
  return {
    input: {
      title: title.slice(0, maxTitleLength) || 'A task that cannot be worked on',
      prompt: reason,
      origin: { sourceId, externalId },
      refusal: reason,
    },
    dependsOnExternal: [],
  };
}

/** What was handed in, with its defaults. @throws {UserError} `task-invalid`, `task-too-large`. */
export function parsedTask(input: NewTask): ParsedTask {
  const parsed = newTaskSchema.safeParse(input);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = issue?.path.join('.') || 'task';
    throw new UserError('task-invalid', `The task cannot be queued: ${where}: ${issue?.message ?? 'invalid'}.`, {
      where,
    });
  }
  const promptBytes = Buffer.byteLength(parsed.data.prompt);
  if (promptBytes > maxPromptBytes) {
    throw new UserError(
      'task-too-large',
      `The prompt has ${promptBytes} bytes; at most ${maxPromptBytes} are taken. Put large material into files of the repository.`,
      { promptBytes, maxPromptBytes },
    );
  }
  return parsed.data;
}
