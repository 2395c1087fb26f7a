import { z } from 'zod';
import type { ToolImage, ToolResult } from '../core/engine';
import { imageOf, maxImageBytes, tooLarge } from '../core/image';

/** About 25,000 tokens. */
export const maxResultCharacters = 100_000;

/** Of one result: no model is shown more at once. */
const maxImages = 10;

const textSchema = z.looseObject({ type: z.literal('text'), text: z.string() });
const resourceSchema = z.looseObject({
  type: z.literal('resource'),
  resource: z.looseObject({
    uri: z.string(),
    text: z.string().optional(),
    blob: z.string().optional(),
    mimeType: z.string().optional(),
  }),
});
const imageSchema = z.looseObject({ type: z.literal('image'), data: z.string() });
const linkSchema = z.looseObject({ type: z.literal('resource_link'), uri: z.string() });
const kindSchema = z.looseObject({ type: z.string() });

const resultSchema = z.looseObject({
  content: z.array(z.unknown()).default([]),
  structuredContent: z.unknown().optional(),
  isError: z.boolean().default(false),
});

/**
 * What a server gave: words for the model, of which those that do not fit are left out, and it is said how many; and images, of which
 * it is said in their place among the words what became of them.
 * @param redact What has to go out of the words before anything is cut off.
 */
export function toolResultOf(answer: unknown, redact: (text: string) => string): ToolResult {
  const { content, structuredContent, isError } = resultSchema.parse(answer);
  const images: ToolImage[] = [];
  const words = content.map((part) => wordsOf(part, images)).join('\n');
  const text = words === '' && structuredContent !== undefined ? JSON.stringify(structuredContent) : words;
  return { ok: !isError, text: cut(redact(text)), ...(images.length > 0 ? { images } : {}) };
}

/** An image is put to `images`. */
function wordsOf(part: unknown, images: ToolImage[]): string {
  const text = textSchema.safeParse(part).data;
  if (text) return text.text;
  const image = imageSchema.safeParse(part).data;
  if (image) return takeImage(image.data, images);
  const resource = resourceSchema.safeParse(part).data?.resource;
  if (resource) {
    const { uri, blob, mimeType } = resource;
    const isImage = blob !== undefined && mimeType?.startsWith('image/');
    return `${uri}:\n${resource.text ?? (isImage ? takeImage(blob, images) : '(no text)')}`;
  }
  const link = linkSchema.safeParse(part).data;
  if (link) return link.uri;
  return `(${kindSchema.safeParse(part).data?.type ?? 'something'}, which cannot be shown here)`;
}

/** What it is told by its bytes alone: the server's word for its kind may be wrong. */
function takeImage(base64: string, images: ToolImage[]): string {
  if (images.length === maxImages) return `(an image that is left out: ${maxImages} are shown at once)`;
  const bytes = Buffer.byteLength(base64, 'base64');
  const found = bytes > maxImageBytes ? tooLarge(bytes) : imageOf(Buffer.from(base64, 'base64'));
  if (found.kind === 'unusable') return `(an image that cannot be shown: it ${found.why})`;
  images.push(found.image);
  return `(image ${images.length}: ${found.width} × ${found.height} pixels)`;
}

function cut(text: string): string {
  if (text.length <= maxResultCharacters) return text;
  const rest = text.length - maxResultCharacters;
  return `${text.slice(0, maxResultCharacters)}\n[… ${rest} more characters were left out. Ask for less at once.]`;
}
