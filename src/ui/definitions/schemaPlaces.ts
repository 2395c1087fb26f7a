import { z } from 'zod';
import taskDefinition from '../../../schemas/taskDefinition.json';

/** A part of a JSON schema, as far as completion and hover need it. */
interface SchemaPart {
  readonly type?: string | undefined;
  readonly description?: string | undefined;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[] | undefined;
  readonly properties?: Readonly<Record<string, SchemaPart>> | undefined;
  readonly required?: readonly string[] | undefined;
  readonly items?: SchemaPart | undefined;
  readonly anyOf?: readonly SchemaPart[] | undefined;
  readonly oneOf?: readonly SchemaPart[] | undefined;
}

const partSchema: z.ZodType<SchemaPart> = z.lazy(() =>
  z.object({
    type: z.string().optional(),
    description: z.string().optional(),
    default: z.unknown().optional(),
    const: z.unknown().optional(),
    enum: z.array(z.unknown()).optional(),
    properties: z.record(z.string(), partSchema).optional(),
    required: z.array(z.string()).optional(),
    items: partSchema.optional(),
    anyOf: z.array(partSchema).optional(),
    oneOf: z.array(partSchema).optional(),
  }),
);

/** Parsed when the first definition is edited. */
let root: SchemaPart | undefined;

/** A key that may stand somewhere. */
export interface KnownKey {
  readonly name: string;
  readonly description: string;
  readonly isRequired: boolean;
  /** It holds further keys, a list, or one value. */
  readonly holds: 'keys' | 'list' | 'value';
}

/** The keys that may stand below those of `path`. */
export function keysAt(path: readonly string[]): KnownKey[] {
  const keys = new Map<string, KnownKey>();
  for (const part of partsAt(path)) {
    for (const [name, value] of Object.entries(part.properties ?? {})) {
      if (keys.has(name)) continue;
      const isRequired = part.required?.includes(name) ?? false;
      keys.set(name, { name, description: describe(value), isRequired, holds: holdingOf(value) });
    }
  }
  return [...keys.values()];
}

/** The values that the key at `path` may have, where they can be told; as they are written. */
export function valuesAt(path: readonly string[]): string[] {
  const values = partsAt(path).flatMap((part) => {
    if (part.const !== undefined) return [part.const];
    if (part.type === 'boolean') return [true, false];
    return part.enum ?? [];
  });
  return [...new Set(values.map(String))];
}

/** What is said of the key at `path`; `undefined` for one that there is not. */
export function descriptionAt(path: readonly string[]): string | undefined {
  const words = partsNamed(path).map(describe);
  return words.find((text) => text !== '') ?? (words.length > 0 ? '' : undefined);
}

/** All variants of what may stand at a place: several where a schema gives a choice. */
function partsAt(path: readonly string[]): SchemaPart[] {
  return partsNamed(path).flatMap(variantsOf);
}

function partsNamed(path: readonly string[]): SchemaPart[] {
  root ??= partSchema.parse(taskDefinition);
  return path.reduce<SchemaPart[]>(
    (parts, key) => parts.flatMap(variantsOf).flatMap(({ properties }) => properties?.[key] ?? []),
    [root],
  );
}

/** A list counts as what stands in it. */
function variantsOf(part: SchemaPart): SchemaPart[] {
  const choices = [...(part.anyOf ?? []), ...(part.oneOf ?? []), ...(part.items ? [part.items] : [])];
  return [part, ...choices.flatMap(variantsOf)];
}

function holdingOf(part: SchemaPart): KnownKey['holds'] {
  if (part.type === 'array') return 'list';
  return variantsOf(part).some(({ type }) => type === 'object') ? 'keys' : 'value';
}

function describe(part: SchemaPart): string {
  const fallback = part.default;
  const isPlain = ['string', 'number', 'boolean'].includes(typeof fallback) && fallback !== '';
  return [part.description ?? '', isPlain ? `Default: \`${String(fallback)}\`.` : '']
    .filter((text) => text !== '')
    .join(' ');
}
