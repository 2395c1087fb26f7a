import { z } from 'zod';
import type { ToolResult } from '../core/engine';

/** About 25,000 tokens. */
export const maxResultCharacters = 100_000;

const textSchema = z.looseObject({ type: z.literal('text'), text: z.string() });
const resourceSchema = z.looseObject({
  type: z.literal('resource'),
  resource: z.looseObject({ uri: z.string(), text: z.string().optional() }),
});
const linkSchema = z.looseObject({ type: z.literal('resource_link'), uri: z.string() });
const kindSchema = z.looseObject({ type: z.string() });

const resultSchema = z.looseObject({
  content: z.array(z.unknown()).default([]),
  structuredContent: z.unknown().optional(),
  isError: z.boolean().default(false),
});

/**
 * What a server gave, in words for the model: those that do not fit are left out, and it is said how many.
 * @param redact What has to go out of it before anything is cut off.
 */
export function toolResultOf(answer: unknown, redact: (text: string) => string): ToolResult {
  const { content, structuredContent, isError } = resultSchema.parse(answer);
  const words = content.map(wordsOf).join('\n');
  const text = words === '' && structuredContent !== undefined ? JSON.stringify(structuredContent) : words;
  return { ok: !isError, text: cut(redact(text)) };
}

function wordsOf(part: unknown): string {
  const text = textSchema.safeParse(part).data;
  if (text) return text.text;
  const resource = resourceSchema.safeParse(part).data?.resource;
  if (resource) return `${resource.uri}:\n${resource.text ?? '(no text)'}`;
  const link = linkSchema.safeParse(part).data;
  if (link) return link.uri;
  return `(${kindSchema.safeParse(part).data?.type ?? 'something'}, which cannot be shown here)`;
}

function cut(text: string): string {
  if (text.length <= maxResultCharacters) return text;
  const rest = text.length - maxResultCharacters;
  return `${text.slice(0, maxResultCharacters)}\n[… ${rest} more characters were left out. Ask for less at once.]`;
}
