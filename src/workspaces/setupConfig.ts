import { z } from 'zod';
import type { SetupConfig } from '../core/dependencies';
import { isPlainPath } from './pathBytes';

const defaultTimeoutSeconds = 600;
const maxTimeoutSeconds = 4 * 3600;

/** A path inside the repository, without a slash at its end, that leads neither out of it nor into `.git`. */
export const pathInRepositorySchema = z
  .string()
  .min(1)
  .max(500)
  .transform((path) => path.replace(/\/+$/, ''))
  .refine(isInRepository, 'must be a path inside the repository, such as "node_modules", without ".." or ".git"');

const commandsSchema = z.preprocess(
  (written) => (typeof written === 'string' ? [written] : written),
  z.array(z.string().min(1).max(10_000)).min(1).max(20),
);

const outputsSchema = z
  .array(pathInRepositorySchema)
  .min(1)
  .max(50)
  .refine(areApart, 'must be folders of which none lies inside another');

const detailedSchema = z.strictObject({
  run: commandsSchema,
  network: z.array(z.string().min(1).max(255)).max(50).nullish(),
  lock_files: z.array(pathInRepositorySchema).min(1).max(50).nullish(),
  outputs: outputsSchema.nullish(),
  timeout_seconds: z.number().positive().max(maxTimeoutSeconds).nullish(),
});

/** `setup:` of the configuration: a command, a list of them, or a mapping with `run:`. */
export const setupSchema = z
  .preprocess(
    (written) => (typeof written === 'string' || Array.isArray(written) ? { run: written } : written),
    detailedSchema,
  )
  .transform(completed);

function completed(written: z.output<typeof detailedSchema>): SetupConfig {
  return {
    commands: written.run,
    network: written.network ?? [],
    lockFiles: written.lock_files ?? null,
    outputs: written.outputs ?? null,
    timeoutMs: (written.timeout_seconds ?? defaultTimeoutSeconds) * 1000,
  };
}

function isInRepository(path: string): boolean {
  return isPlainPath(path) && path.split('/').every((part) => part.toLowerCase() !== '.git');
}

function areApart(paths: readonly string[]): boolean {
  return paths.every((path, index) =>
    paths.every((other, at) => at === index || (path !== other && !path.startsWith(`${other}/`))),
  );
}
