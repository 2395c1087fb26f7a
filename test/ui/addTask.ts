import type { Workbench } from './workbench';

export interface TaskAnswers {
  /** Which of several repositories; none is asked for when only one is open. */
  readonly repository?: string;
  readonly title: string;
  readonly check: string;
}

/** Queues a task as a user does: by the palette, question by question. */
export async function addTask(workbench: Workbench, { repository, title, check }: TaskAnswers): Promise<void> {
  await workbench.command('Airlock: Add Task…');
  if (repository !== undefined) await workbench.pick(repository);
  for (const [index, text] of [title, '', check].entries()) {
    await workbench.question(`Add Task (${index + 1}/4)`);
    await workbench.answer(text);
  }
  await workbench.pick('P2');
}
