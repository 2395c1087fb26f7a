import { z } from 'zod';
import { taskIdSchema } from './ids';

/** Another task whose files cannot be joined with this one's, as both are now. */
export const overlapSchema = z.object({
  with: taskIdSchema,
  /** Files that both change at the same lines; at most 20. */
  files: z.array(z.string()),
});
export type Overlap = z.infer<typeof overlapSchema>;

export const overlapEvents = [
  /** What of a task touches the same lines as others, anew and whole: it was found out by merging their snapshots. */
  z.object({ kind: z.literal('overlap.found'), taskId: taskIdSchema, overlaps: z.array(overlapSchema) }),
] as const;
