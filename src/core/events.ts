import { z } from 'zod';
import { agentEvents } from './agentEvents';
import { approvalEvents } from './approvalEvents';
import { conversationEvents } from './conversationEvents';
import { evidenceEvents } from './evidenceEvents';
import { executorEvents } from './executorEvents';
import { landingEvents } from './landingEvents';
import { overlapEvents } from './overlapEvents';
import { reportEvents } from './reportEvents';
import { reviewEvents } from './reviewEvents';
import { runEvents } from './runEvents';
import { sessionEvents } from './sessionEvents';
import { snapshotEvents } from './snapshotEvents';
import { spendingEvents } from './spendingEvents';
import { taskEvents } from './taskEvents';

/**
 * Every fact that there can be, by subject. A kind's shape is never changed: it gets a new version (`v`), and older lines are
 * lifted as they are read. Nothing big and nothing private stands in an event: those are blobs, named by digest.
 */
const bodies = [
  ...executorEvents,
  ...taskEvents,
  ...landingEvents,
  ...reviewEvents,
  ...overlapEvents,
  ...runEvents,
  ...sessionEvents,
  ...conversationEvents,
  ...approvalEvents,
  ...agentEvents,
  ...spendingEvents,
  ...evidenceEvents,
  ...snapshotEvents,
  ...reportEvents,
] as const;

export const eventBodySchema = z.discriminatedUnion('kind', bodies);
/** A fact, before the journal has given it its place. */
export type EventBody = z.infer<typeof eventBodySchema>;
export type EventKind = EventBody['kind'];

const envelope = z.object({
  /** Its place in the journal: 1, 2, 3, … without gaps. */
  seq: z.number().int().positive(),
  /** Wall time at which it was appended. */
  atMs: z.number(),
  /** The version of its kind's shape. */
  v: z.number().int().positive(),
});

export const eventSchema = z.intersection(envelope, eventBodySchema);
/** An immutable fact. All state is a fold of these. */
export type AirlockEvent = z.infer<typeof eventSchema>;

/** Today's version of each kind that is not at 1. */
const versions: Partial<Record<EventKind, number>> = {};

export function currentVersion(kind: EventKind): number {
  return versions[kind] ?? 1;
}
