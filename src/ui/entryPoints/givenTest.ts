import { z } from 'zod';

/** A test as a menu of VS Code hands it over: the item of whichever extension has it, or a message of one. */
export interface GivenTest {
  /** With those of the suites round it, where they are known. */
  readonly name: string;
  readonly uri: { readonly scheme: string; readonly path: string };
  /** From 0. */
  readonly firstLine: number;
  readonly lastLine: number;
  /** What it says; empty when nothing is known. */
  readonly message: string;
}

const textSchema = z.union([z.string(), z.looseObject({ value: z.string() }).transform(({ value }) => value)]);
const positionSchema = z.looseObject({ line: z.number().int().nonnegative() });
const rangeSchema = z.looseObject({ start: positionSchema, end: positionSchema });
const uriSchema = z.looseObject({ scheme: z.string(), path: z.string() });

const itemSchema = z.looseObject({
  label: z.string().min(1),
  uri: uriSchema,
  range: rangeSchema.nullish(),
  error: textSchema.nullish(),
});
const parentSchema = z.looseObject({ label: z.string(), parent: z.unknown() });
const messageSchema = z.looseObject({
  test: itemSchema,
  message: z.looseObject({ message: textSchema, location: z.looseObject({ range: rangeSchema }).nullish() }).nullish(),
});

const maxParents = 10;

/** VS Code has no way to ask for the results of others' tests: what is known is what its menus hand over. */
export function givenTest(argument: unknown): GivenTest | undefined {
  const asMessage = messageSchema.safeParse(argument);
  const item = asMessage.success ? asMessage.data.test : itemSchema.safeParse(argument).data;
  if (!item) return undefined;
  const message = asMessage.success ? asMessage.data.message : undefined;
  const { uri, range, error } = item;
  const place = range ?? message?.location?.range;
  return {
    name: [...parentsOf(item['parent']), item.label].join(' › '),
    uri: { scheme: uri.scheme, path: uri.path },
    firstLine: place?.start.line ?? 0,
    lastLine: place?.end.line ?? 0,
    message: message?.message ?? error ?? '',
  };
}

function parentsOf(parent: unknown): string[] {
  const labels: string[] = [];
  for (let next = parentSchema.safeParse(parent).data; next && labels.length < maxParents;) {
    labels.unshift(next.label);
    next = parentSchema.safeParse(next.parent).data;
  }
  return labels;
}
