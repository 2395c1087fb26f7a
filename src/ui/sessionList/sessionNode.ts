import { z } from 'zod';
import { sessionIdSchema } from '../../core/ids';

/** The groups of the view, in their order. */
export const sessionGroups = ['living', 'ended'] as const;
export type SessionGroup = (typeof sessionGroups)[number];

const sessionNodeSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('sessions'), group: z.enum(sessionGroups) }),
  z.object({ kind: z.literal('session'), sessionId: sessionIdSchema }),
]);

/** An element of the view. The same thing is always the same object, so that VS Code knows it again. */
export type SessionNode = Readonly<z.infer<typeof sessionNodeSchema>>;

export function isSessionNode(value: unknown): value is SessionNode {
  return sessionNodeSchema.safeParse(value).success;
}
