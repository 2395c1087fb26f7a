import { z } from 'zod';

/** Something wrong in a file of the repository, at its place, for the Problems panel and for the terminal. */
export const diagnosticSchema = z.object({
  /** Absolute path of the file. */
  path: z.string(),
  /** From 1. */
  line: z.number().int(),
  /** In UTF-16 code units, from 1. */
  column: z.number().int(),
  /** `error`: what it is about is not worked on. `warning`: it is, but not wholly as written. */
  severity: z.enum(['error', 'warning', 'information']),
  /** What is wrong and what to do, as a sentence. */
  message: z.string(),
});
export type Diagnostic = Readonly<z.infer<typeof diagnosticSchema>>;

/** Takes all that is wrong now at one owner, in place of what it was told before. An empty list: nothing is. */
export type DiagnosticSink = (owner: string, diagnostics: readonly Diagnostic[]) => void;

/** A diagnostic on one line, as compilers print theirs. */
export function diagnosticLine({ path, line, column, severity, message }: Diagnostic): string {
  return `${path}:${line}:${column}: ${severity}: ${message}`;
}
