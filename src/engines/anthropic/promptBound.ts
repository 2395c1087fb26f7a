import { z } from 'zod';
import { type ContentBlock, contentBlocksSchema } from '../../core/engine';

/** A picture is billed by its size in pixels, whatever it is compressed to: at most 4,784 tokens. */
const tokensOfImage = 5_000;

/** Pages are billed and not bytes: the largest window that there is. */
const tokensOfDocument = 1_000_000;

const bodySchema = z.looseObject({
  messages: z.array(z.looseObject({ content: z.union([z.string(), contentBlocksSchema]) })),
});

/** No tokenizer makes more tokens of a request than this. */
export function promptBound(body: unknown): number {
  const parsed = bodySchema.safeParse(body);
  const json = JSON.stringify(parsed.success ? withoutPixels(parsed.data) : body);
  // Within a string the quotes are escaped, so that words of the conversation are no match.
  const count = (type: string): number => json.split(`"type":"${type}"`).length - 1;
  return Buffer.byteLength(json) + count('image') * tokensOfImage + count('document') * tokensOfDocument;
}

/** What pictures are compressed to is no text. Only where the server takes them for pictures: elsewhere it is text. */
function withoutPixels(body: z.infer<typeof bodySchema>): unknown {
  const messages = body.messages.map((message) => ({
    ...message,
    content: typeof message.content === 'string' ? message.content : message.content.map(unpixelled),
  }));
  return { ...body, messages };
}

function unpixelled(block: ContentBlock): ContentBlock {
  const inner = block.type === 'tool_result' ? contentBlocksSchema.safeParse(block['content']) : undefined;
  if (inner?.success) return { ...block, content: inner.data.map(unpixelled) };
  return block.type === 'image' ? { type: 'image' } : block;
}
