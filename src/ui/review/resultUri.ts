import { z } from 'zod';
import { objectIdSchema, type ObjectId, taskIdSchema, type TaskId } from '../../core/ids';

/** A file of a published result or of its base. */
export interface ResultFile {
  readonly taskId: TaskId;
  readonly side: 'base' | 'result';
  /** The commit of the result, so that an address never shows another attempt's file. */
  readonly commit: ObjectId;
  /** In the repository, without a slash at its start. */
  readonly path: string;
}

/** The parts of an address, as `vscode.Uri` has them: decoded. */
export interface UriParts {
  readonly authority: string;
  readonly path: string;
  readonly query: string;
}

const sideSchema = z.enum(['base', 'result']);

export function toUriParts(file: ResultFile): UriParts {
  const query = new URLSearchParams({ side: file.side, commit: file.commit });
  return { authority: file.taskId, path: `/${file.path}`, query: query.toString() };
}

/** `undefined` when it is no address of ours. */
export function fromUriParts(uri: UriParts): ResultFile | undefined {
  const query = new URLSearchParams(uri.query);
  const taskId = taskIdSchema.safeParse(uri.authority);
  const side = sideSchema.safeParse(query.get('side'));
  const commit = objectIdSchema.safeParse(query.get('commit'));
  const path = uri.path.slice(1);
  if (!taskId.success || !side.success || !commit.success || path === '') return undefined;
  return { taskId: taskId.data, side: side.data, commit: commit.data, path };
}
