import { z } from 'zod';
import type { topicSchema } from './agentEvents';

/** One part of a task that is to be a task of its own. */
export const subtaskSchema = z.object({
  key: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,40}$/)
    .describe('Its name among these, for depends_on.'),
  title: z.string().trim().min(1).max(200),
  prompt: z.string().trim().min(1).max(50_000),
  persona: z.string().min(1).max(100).nullable().default(null).describe('Without it: as for any other task.'),
  checks: z
    .array(z.string().min(1).max(10_000))
    .max(50)
    .nullable()
    .default(null)
    .describe("Without it: the repository's own."),
  depends_on: z
    .array(z.string())
    .max(50)
    .default([])
    .describe('Keys of others that must be verified before it starts.'),
  max_cost_usd: z.number().positive().nullable().default(null),
});
export type Subtask = z.infer<typeof subtaskSchema>;

/** What an agent can do with other agents. Each answers in words for the model. @throws {UserError} for what it can mend. */
export interface AgentDesk {
  /** @param to A task's id, or `topic:NAME`. */
  send(to: string, text: string): Promise<string>;
  /** What is unread, who is at work, and what became of what it sent and split off. @param join Topics that it wants to hear. */
  read(join: readonly z.infer<typeof topicSchema>[]): Promise<string>;
  /** Queues parts of its task as tasks. The same call again answers the same tasks. */
  split(subtasks: readonly Subtask[]): Promise<string>;
}
