import { z } from 'zod';
import { checkResultSchema, verdictSchema } from './evidence';
import { objectIdSchema, runIdSchema } from './ids';

/** What the executor saw, and what was kept of it. */
export const evidenceEvents = [
  z.object({
    kind: z.literal('check.finished'),
    runId: runIdSchema,
    round: z.number().int().nonnegative(),
    result: checkResultSchema,
  }),
  /** The executor has judged. `tree` is what the verdict is about. */
  z.object({
    kind: z.literal('evidence.recorded'),
    runId: runIdSchema,
    round: z.number().int().nonnegative(),
    verdict: verdictSchema,
    tree: objectIdSchema,
  }),
  z.object({
    kind: z.literal('result.published'),
    runId: runIdSchema,
    branch: z.string(),
    commit: objectIdSchema,
    filesChanged: z.number().int(),
    insertions: z.number().int(),
    deletions: z.number().int(),
  }),
] as const;
