import { z } from 'zod';

/** A task's id: chosen by us, safe as a part of a git branch and of a file name. */
export const taskIdSchema = z.string().regex(/^[a-z0-9][a-z0-9-]{0,79}$/);
export type TaskId = z.infer<typeof taskIdSchema>;

export const runIdSchema = z.string().regex(/^run-[a-z0-9]{1,40}$/);
export type RunId = z.infer<typeof runIdSchema>;

export const sessionIdSchema = z.string().regex(/^session-[a-z0-9]{1,40}$/);
export type SessionId = z.infer<typeof sessionIdSchema>;

export const reportIdSchema = z.string().min(1).max(120);
export type ReportId = z.infer<typeof reportIdSchema>;

/** The name of a blob: the lower-case hexadecimal SHA-256 of its bytes. */
export const digestSchema = z.string().regex(/^[0-9a-f]{64}$/);
export type Digest = z.infer<typeof digestSchema>;

/** A git object's name, SHA-1 or SHA-256. */
export const objectIdSchema = z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/);
export type ObjectId = z.infer<typeof objectIdSchema>;
