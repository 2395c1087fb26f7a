import { z } from 'zod';
import { sessionIdSchema } from './ids';

/** What all processes of a jail use together, now. */
export interface ProcessUse {
  /** Private and shared memory that is resident, as the limit of memory counts it at first: shared pages in full for each process. */
  readonly residentBytes: number;
  /** Milliseconds of processor time since the start, of all cores together and of those that have ended too. */
  readonly cpuMs: number;
}

/** What a living session uses. It is never an event: who shows it asks for it, again and again. */
export const sessionUseSchema = z.object({
  sessionId: sessionIdSchema,
  residentBytes: z.number().nonnegative(),
  cpuMs: z.number().nonnegative(),
  /** When it was measured, in milliseconds from a fixed point of the executor's: two measurements make a share of a core. */
  monotonicMs: z.number(),
});
export type SessionUse = z.infer<typeof sessionUseSchema>;
