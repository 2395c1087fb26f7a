import { z } from 'zod';
import { historyAnswerSchema, historyQuerySchema } from '../../core/history';

/** What the worker is started with. */
export const workerDataSchema = z.object({
  file: z.string(),
  journalFolder: z.string(),
  /** Where `sql-wasm.wasm` is; `null`: where sql.js looks itself, beside the code that it stands in. */
  wasmFile: z.string().nullable(),
  /** How long each request to a model has a row of its own. */
  keepRawMs: z.number().positive(),
});
export type WorkerData = z.infer<typeof workerDataSchema>;

/** To the worker. Each is answered once, in order. */
export const workerRequestSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('query'),
    id: z.number(),
    query: historyQuerySchema,
    /** The answer covers the events up to this one, which is durable. */
    throughSeq: z.number().int().nonnegative(),
    nowMs: z.number(),
  }),
  /** Take the events up to this one in, and save: they are about to be dropped from the journal. */
  z.object({
    kind: z.literal('takeIn'),
    id: z.number(),
    throughSeq: z.number().int().nonnegative(),
    nowMs: z.number(),
  }),
  /** Save and let go. */
  z.object({ kind: z.literal('close'), id: z.number() }),
]);
export type WorkerRequest = z.infer<typeof workerRequestSchema>;

/** From the worker. */
export const workerReplySchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('answer'), id: z.number(), answer: historyAnswerSchema }),
  z.object({ kind: z.literal('tookIn'), id: z.number() }),
  z.object({ kind: z.literal('closed'), id: z.number() }),
  z.object({
    kind: z.literal('failed'),
    id: z.number(),
    /** The code of a `UserError`; `null` for what nobody foresaw. */
    code: z.string().nullable(),
    message: z.string(),
    facts: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
  }),
  /** Something that the user should know; to no request. */
  z.object({ kind: z.literal('note'), note: z.string() }),
]);
export type WorkerReply = z.infer<typeof workerReplySchema>;
