import { z } from 'zod';
import { approvalAnswererSchema, approvalRuleSchema } from './approval';
import { digestSchema, runIdSchema } from './ids';

/** What agents ask to be allowed, and what is said to it. */
export const approvalEvents = [
  /** The agent wants to do something and must ask first. It has not been done. */
  z.object({
    kind: z.literal('approval.asked'),
    runId: runIdSchema,
    callId: z.string(),
    tool: z.string(),
    /** The digest of the tool and its whole input. */
    call: digestSchema,
    summary: z.string().max(400),
    /** The blob with an `ApprovalEffect` as JSON. */
    effect: digestSchema,
    /** When it is denied by itself, in wall time; `null` for never. */
    untilMs: z.number().nullable(),
  }),
  /** What was said to it, and by whom. `rule`: what is allowed for the rest of the task besides. */
  z.object({
    kind: z.literal('approval.answered'),
    runId: runIdSchema,
    callId: z.string(),
    allowed: z.boolean(),
    by: approvalAnswererSchema,
    /** What the agent is told with a no. */
    reason: z.string().max(2000),
    rule: approvalRuleSchema.nullable(),
  }),
] as const;
