import { z } from 'zod';
import type { UserError } from '../../base/errors';
import { contentBlocksSchema, type ContentBlock, type ConversationMessage, type Effort } from '../../core/engine';
import { thinkingParts } from './thinking';

/** More images than this in one request, and servers want them smaller. The newest are shown. */
const maxImages = 20;
const imagesAtOnce = 10;

/**
 * Base64 of all images in one request, when more than one is shown. Anthropic's own server takes 32 MB for the whole of it
 * (https://platform.claude.com/docs/en/api/overview#request-size-limits); a window full of words has about 4 MB.
 */
const maxImageBytes = 20_000_000;

const imageLeftOut = '(An older image was left out. Read the file again to see it.)';
const imageRefused = '(An image was here. This model does not look at images.)';

/** What of a request not every server and model takes, and what they say when they do not. */
const refusals = [
  {
    part: 'images',
    said: /image|vision|multimodal|mmproj/i,
    notice: 'The model does not take images: it is told that there is one instead.',
  },
  {
    part: 'signatures',
    said: /signature/i,
    notice: 'The server does not take its earlier thoughts back: they are left out of the conversation.',
  },
  {
    part: 'thinking',
    said: /thinking|effort|output_config|adaptive/i,
    notice: 'The model takes no settings for its thinking: it is asked without.',
  },
] as const;

/** What is asked for beyond what every server takes. What one refuses is given up, and the request is made without it. */
export class RequestShape {
  private readonly givenUp = new Set<(typeof refusals)[number]['part']>();

  constructor(
    private readonly model: string,
    private readonly effort: Effort | null,
  ) {}

  get thinking(): ReturnType<typeof thinkingParts> {
    return this.givenUp.has('thinking') ? {} : thinkingParts(this.model, this.effort);
  }

  /** The messages in what this server takes. */
  of(sent: readonly ConversationMessage[]): readonly ConversationMessage[] {
    let leftOut = leftOutOf(sent.flatMap(({ content }) => content.flatMap(imagesIn)).map(bytesOf));
    const isOld = (): boolean => (leftOut -= 1) >= 0;
    return sent.map((message) => ({
      ...message,
      content: message.content.filter((block) => this.takes(block)).map((block) => this.shown(block, isOld)),
    }));
  }

  /**
   * Looks at why a request was refused.
   * @returns what is given up for it, for people; `undefined` when the same request would be made again.
   */
  giveUp(error: UserError, sent: readonly ConversationMessage[]): string | undefined {
    const found = refusals.find(({ part, said }) => said.test(error.message) && this.asksFor(part, sent));
    if (!found) return undefined;
    this.givenUp.add(found.part);
    return found.notice;
  }

  private asksFor(part: (typeof refusals)[number]['part'], sent: readonly ConversationMessage[]): boolean {
    if (this.givenUp.has(part)) return false;
    switch (part) {
      case 'images':
        return sent.some(({ content }) => content.some((block) => imagesIn(block).length > 0));
      case 'signatures':
        return sent.some(({ content }) => content.some(isThought));
      case 'thinking':
        return Object.keys(this.thinking).length > 0;
    }
  }

  private takes(block: ContentBlock): boolean {
    return !this.givenUp.has('signatures') || !isThought(block);
  }

  private shown(block: ContentBlock, isOld: () => boolean): ContentBlock {
    if (imagesIn(block).length === 0) return block;
    const content = blocksIn(block).map((inner) => {
      if (inner.type !== 'image') return inner;
      const text = isOld() ? imageLeftOut : this.givenUp.has('images') ? imageRefused : undefined;
      return text === undefined ? inner : { type: 'text', text };
    });
    return { ...block, content };
  }
}

function isThought({ type }: ContentBlock): boolean {
  return type === 'thinking' || type === 'redacted_thinking';
}

/**
 * How many of the oldest images are not shown, by the bytes of all of them. They go ten at a time: each that goes changes an early
 * message, and servers then have to read all that follows it anew.
 */
function leftOutOf(sizes: readonly number[]): number {
  let bytes = 0;
  const last = sizes.findLastIndex((size, at) => {
    bytes += size;
    return sizes.length - at > maxImages || (bytes > maxImageBytes && at < sizes.length - 1);
  });
  return Math.min(Math.ceil((last + 1) / imagesAtOnce) * imagesAtOnce, Math.max(0, sizes.length - 1));
}

const imageSchema = z.looseObject({ source: z.looseObject({ data: z.string() }) });

function bytesOf(image: ContentBlock): number {
  return imageSchema.safeParse(image).data?.source.data.length ?? 0;
}

/** The images of a tool's result. */
function imagesIn(block: ContentBlock): ContentBlock[] {
  return blocksIn(block).filter(({ type }) => type === 'image');
}

function blocksIn(block: ContentBlock): ContentBlock[] {
  if (block.type !== 'tool_result') return [];
  return contentBlocksSchema.safeParse(block['content']).data ?? [];
}
