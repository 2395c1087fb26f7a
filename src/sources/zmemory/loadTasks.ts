import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { UserError } from '../../base/errors';
import { newTaskBodySchema, type NewTaskBody } from './wire';

const fileSchema = z.union([
  z.array(newTaskBodySchema),
  z.object({ tasks: z.array(newTaskBodySchema) }).transform(({ tasks }) => tasks),
]);

/**
 * Reads tasks to put into a server: `[{description, context?, agent?}]`, or that list under `tasks`.
 * @throws {UserError} `task-file-unreadable`, `task-file-invalid`.
 */
export async function loadTasks(file: string): Promise<readonly NewTaskBody[]> {
  const parsed = fileSchema.safeParse(parse(file, await read(file)));
  if (parsed.success) return parsed.data;
  const why = z.prettifyError(parsed.error);
  throw new UserError('task-file-invalid', `${file} is no list of tasks: ${why.slice(0, 500)}`, { file });
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
    throw new UserError('task-file-invalid', `${file} is not JSON.`, { file }, { cause });
  }
}
