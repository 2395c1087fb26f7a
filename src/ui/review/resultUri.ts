import { z } from 'zod';
import type { ConflictSide } from '../../core/conflict';
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

/** A file of a snapshot of a task's last run. */
export interface SnapshotFile {
  readonly taskId: TaskId;
  readonly side: 'snapshot';
  /** 0 is the base. */
  readonly index: number;
  /** The commit of the snapshot, so that an address never shows another run's file. */
  readonly commit: ObjectId;
  readonly path: string;
}

/** One side of a file that a result and its branch are in conflict about. */
export interface ConflictSideFile {
  readonly taskId: TaskId;
  readonly side: 'conflict';
  readonly of: ConflictSide;
  /** Where the branch was when the conflict was found. */
  readonly commit: ObjectId;
  readonly path: string;
}

export type ReviewFile = ResultFile | SnapshotFile | ConflictSideFile;

/** The parts of an address, as `vscode.Uri` has them: decoded. */
export interface UriParts {
  readonly authority: string;
  readonly path: string;
  readonly query: string;
}

const partsSchema = z.object({ taskId: taskIdSchema, commit: objectIdSchema, path: z.string().min(1) });
const fileSchema = z.discriminatedUnion('side', [
  partsSchema.extend({ side: z.enum(['base', 'result']) }),
  partsSchema.extend({
    side: z.literal('snapshot'),
    index: z
      .string()
      .regex(/^\d{1,9}$/)
      .transform(Number),
  }),
  partsSchema.extend({ side: z.literal('conflict'), of: z.enum(['base', 'target', 'result']) }),
]);

export function toUriParts(file: ReviewFile): UriParts {
  const query = new URLSearchParams({ side: file.side, commit: file.commit });
  if (file.side === 'snapshot') query.set('index', String(file.index));
  if (file.side === 'conflict') query.set('of', file.of);
  return { authority: file.taskId, path: `/${file.path}`, query: query.toString() };
}

/** `undefined` when it is no address of ours. */
export function fromUriParts({ authority, path, query }: UriParts): ReviewFile | undefined {
  const told = Object.fromEntries(new URLSearchParams(query));
  return fileSchema.safeParse({ ...told, taskId: authority, path: path.slice(1) }).data;
}
