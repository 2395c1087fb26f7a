import { z } from 'zod';
import { reportIdSchema, taskIdSchema } from './ids';
import { reportSchema } from './source';

/** What a source must still be told. */
export const reportEvents = [
  z.object({ kind: z.literal('report.queued'), report: reportSchema }),
  /** It is about to be sent. Written before it is, so that after a crash it is known that it may have been. */
  z.object({
    kind: z.literal('report.sending'),
    taskId: taskIdSchema,
    reportId: reportIdSchema,
    attempt: z.number().int().positive(),
  }),
  z.object({
    kind: z.literal('report.postponed'),
    taskId: taskIdSchema,
    reportId: reportIdSchema,
    error: z.string(),
    retryAtMs: z.number(),
  }),
  /** The source has an artifact that belongs to it: that one is not handed over again. */
  z.object({
    kind: z.literal('report.attached'),
    taskId: taskIdSchema,
    reportId: reportIdSchema,
    /** Its name at the source. */
    name: z.string().max(500),
  }),
  z.object({ kind: z.literal('report.acknowledged'), taskId: taskIdSchema, reportId: reportIdSchema }),
  /** A dead one is sent again, because the user wants it. */
  z.object({ kind: z.literal('report.revived'), taskId: taskIdSchema, reportId: reportIdSchema }),
  /** The source will never take it. It stays visible. */
  z.object({ kind: z.literal('report.dead'), taskId: taskIdSchema, reportId: reportIdSchema, error: z.string() }),
] as const;
