import { z } from 'zod';
import { runIdSchema, sessionIdSchema } from './ids';
import { jailProofSchema } from './jail';
import { processIdentitySchema } from './session';

/** A jail with shells and a terminal in it. */
export const sessionEvents = [
  z.object({
    kind: z.literal('session.created'),
    sessionId: sessionIdSchema,
    runId: runIdSchema,
    process: processIdentitySchema,
    proof: jailProofSchema,
    /** It was prepared ahead and waited for a run. Absent: it was not. */
    warm: z.literal(true).optional(),
  }),
  /**
   * A workspace and a session are about to be prepared ahead, under the id of a run that has not begun. They are in use once
   * that run starts, and are nobody's work until then.
   */
  z.object({ kind: z.literal('session.warming'), runId: runIdSchema, repo: z.string() }),
  /** It is proven and waits. */
  z.object({
    kind: z.literal('session.warmed'),
    runId: runIdSchema,
    sessionId: sessionIdSchema,
    process: processIdentitySchema,
  }),
  /** What was prepared ahead was thrown away, unused; nothing of it is left. */
  z.object({ kind: z.literal('session.discarded'), runId: runIdSchema, reason: z.string() }),
  z.object({
    kind: z.literal('session.closed'),
    sessionId: sessionIdSchema,
    reason: z.string(),
    breach: z.string().nullable(),
  }),
  /** A command of the agent's failed, it seems, at a limit that the kernel held it to; the session went on. */
  z.object({ kind: z.literal('session.limited'), sessionId: sessionIdSchema, limit: z.string(), detail: z.string() }),
  /** The user has put a session that is over out of the way; its recording stays. */
  z.object({ kind: z.literal('session.archived'), sessionId: sessionIdSchema }),
  /** What was recorded of a session that is over is gone. */
  z.object({ kind: z.literal('session.deleted'), sessionId: sessionIdSchema }),
  /** A user has the keyboard; the agent waits. */
  z.object({ kind: z.literal('session.takenOver'), sessionId: sessionIdSchema }),
  /** The agent goes on. `changedFiles`: how many the user changed; `null` when that could not be told. */
  z.object({
    kind: z.literal('session.givenBack'),
    sessionId: sessionIdSchema,
    changedFiles: z.number().int().nonnegative().nullable(),
  }),
] as const;
