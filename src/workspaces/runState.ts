import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { systemCodeOf } from '../base/errors';
import { objectIdSchema, runIdSchema } from '../core/ids';

const words = z.array(z.string()).readonly();

const storedSetupSchema = z.object({
  commands: words,
  network: words,
  lockFiles: words.nullable(),
  outputs: words.nullable(),
  timeoutMs: z.number().positive(),
});

/** What must be known of a run's workspace to go on with it after a restart. */
export const runStateSchema = z.object({
  version: z.literal(1),
  runId: runIdSchema,
  /** The top folder of the user's work tree. */
  repo: z.string(),
  baseCommit: objectIdSchema,
  baseTree: objectIdSchema,
  config: z.object({
    checks: words,
    share: words,
    setup: storedSetupSchema.nullable().default(null),
  }),
  /** The base is what the user had checked out, and not a result that nobody has landed. */
  isUsersBase: z.boolean().default(false),
  /** Shares that were there: their path in the workspace, and the folder on the host without links in its path. */
  shares: z.array(z.object({ path: z.string(), folder: z.string() })),
  notes: z.array(z.string()),
  /** When the files were deleted, or began to be. The trees are still there. */
  filesRemovedAtMs: z.number().nullable().default(null),
  /** The boot of the machine in which all of it was written, or last looked through. */
  boot: z.string().nullable().default(null),
});
export type RunState = z.infer<typeof runStateSchema>;

/** @returns `undefined` when there is none or it is not whole. */
export async function readRunState(path: string): Promise<RunState | undefined> {
  try {
    const parsed = runStateSchema.safeParse(JSON.parse(await readFile(path, 'utf8')));
    return parsed.success ? parsed.data : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || systemCodeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
