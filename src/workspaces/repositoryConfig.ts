import { LineCounter, parseDocument, type Document } from 'yaml';
import { z } from 'zod';
import { UserError } from '../base/errors';
import { maxChecks } from '../core/task';
import type { RepositoryConfig } from '../core/workspace';
import { pathInRepositorySchema, setupSchema } from './setupConfig';

/** Where the configuration stands in a repository. Only what is committed counts. */
export const configPath = '.airlock/config.yaml';

/** More than that is no configuration. */
export const maxConfigBytes = 256 * 1024;

const configSchema = z
  .strictObject({
    checks: z.array(z.string().min(1).max(10_000)).max(maxChecks).nullish(),
    share: z.array(pathInRepositorySchema).max(50).nullish(),
    setup: setupSchema.nullish(),
  })
  .refine(({ share, setup }) => !share?.some((path) => setup?.outputs?.includes(path)), {
    path: ['share'],
    message: 'a folder that the setup makes cannot be shared too',
  });

/**
 * Reads `.airlock/config.yaml`. An empty file is an empty configuration.
 * @throws {UserError} `config-invalid`; its facts have the `line`.
 */
export function parseRepositoryConfig(text: string): RepositoryConfig {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const syntaxError = document.errors[0];
  if (syntaxError) throw invalidConfig(lines.linePos(syntaxError.pos[0]).line, firstLine(syntaxError.message));
  const parsed = configSchema.safeParse(plain(document) ?? {});
  if (parsed.success) {
    const { checks, share, setup } = parsed.data;
    return { checks: checks ?? [], share: [...new Set(share ?? [])], setup: setup ?? null };
  }
  const issue = parsed.error.issues[0];
  const where = issue?.path.join('.') ?? '';
  const offset = offsetOf(document, issue?.path ?? []);
  throw invalidConfig(lines.linePos(offset).line, `${where && `${where}: `}${issue?.message ?? 'not understood'}`);
}

export function invalidConfig(line: number | null, problem: string): UserError {
  return new UserError(
    'config-invalid',
    `${configPath}${line === null ? '' : `, line ${line}`}: ${problem}. Mend it and commit it.`,
    { path: configPath, line },
  );
}

function plain(document: Document): unknown {
  try {
    // Aliases can make a small file huge.
    return document.toJS({ maxAliasCount: 20 });
  } catch (error) {
    throw invalidConfig(1, error instanceof Error ? error.message : 'not understood');
  }
}

/** Where the nearest thing stands that the issue is about. */
function offsetOf(document: Document, path: readonly PropertyKey[]): number {
  for (let length = path.length; length > 0; length -= 1) {
    const node = document.getIn(path.slice(0, length), true);
    if (hasRange(node)) return node.range[0];
  }
  return 0;
}

function hasRange(node: unknown): node is { range: [number, number, number] } {
  return typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range);
}

function firstLine(message: string): string {
  return (message.split('\n')[0] ?? message).replace(/ at line \d+, column \d+:?$/, '');
}
