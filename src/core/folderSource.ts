import { z } from 'zod';
import type { Disposable } from '../base/disposable';
import type { DiagnosticSink } from './diagnostic';

/** Absolute path of the repository: the user trusts it. */
const repoSchema = z.string().regex(/^\//, 'is no absolute path').max(4096);

/**
 * What tasks come from in a folder that the user has open. It can be lent: whoever works the queue follows it for a window whose
 * folder it is.
 */
export const folderSourceSchema = z.discriminatedUnion('kind', [
  z.object({
    /** The table of tasks in a Markdown file of the repository. */
    kind: z.literal('taskFile'),
    repo: repoSchema,
    /** Relative to the repository. */
    file: z.string().min(1).max(4096),
    /** The owner that rows get when they are taken. */
    agent: z.string().min(1).max(200),
    /** `all`, or IDs and priorities such as `P0,P1,T-17`; empty: only those that the user queues. */
    rows: z.string().max(100_000),
    /** True: a repository without the file is nothing wrong. */
    mayBeMissing: z.boolean(),
  }),
  z.object({
    /** The task definitions of the repository: `.airlock/tasks/*.yaml`. */
    kind: z.literal('taskDefinitions'),
    repo: repoSchema,
    /** Names of environment variables that their prompts may have. */
    environment: z.array(z.string().max(1000)).max(1000).readonly(),
  }),
]);
export type FolderSource = Readonly<z.infer<typeof folderSourceSchema>>;

/**
 * Follows these until what it resolves with is disposed of, and tells what is wrong in their files.
 * @throws {UserError} when one of them cannot be followed; then none is.
 */
export type LendFolders = (folders: readonly FolderSource[], onDiagnostics: DiagnosticSink) => Promise<Disposable>;
