import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { messageOf, UserError } from '../../base/errors';
import { newTaskBodySchema, type NewTaskBody } from './wire';

const listSchema = z.union([
  z.array(z.unknown()),
  z.object({ tasks: z.array(z.unknown()) }).transform(({ tasks }) => tasks),
]);

/**
 * Reads tasks to put into a server: `[{description, context?, agent?}]`, or that list under `tasks`.
 * @throws {UserError} `task-file-unreadable`, `task-file-invalid`: the message says which entry, counted from 1.
 */
export async function loadTasks(file: string): Promise<readonly NewTaskBody[]> {
  const list = listSchema.safeParse(parse(file, await read(file)));
  if (!list.success) {
    throw invalid(file, 'it is no list of tasks: it must be [{"description": …}, …], or that list under "tasks"');
  }
  return list.data.map((entry, index) => {
    const task = newTaskBodySchema.safeParse(entry);
    if (task.success) return task.data;
    const [issue] = task.error.issues;
    const where = issue?.path.join('.');
    throw invalid(file, `entry ${index + 1}${where ? `, ${where}` : ''}: ${issue?.message ?? 'not understood'}`);
  });
}

function invalid(file: string, problem: string, cause?: unknown): UserError {
  return new UserError('task-file-invalid', `${file}: ${problem}. Nothing was put in.`, { file }, { cause });
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new UserError('task-file-unreadable', `${file} cannot be read.`, { file }, { cause });
  }
}

function parse(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw invalid(file, `it is not JSON (${messageOf(cause)})`, cause);
  }
}
