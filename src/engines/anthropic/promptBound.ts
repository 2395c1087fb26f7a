/** A picture is billed by its size in pixels, whatever it is compressed to: at most 4,784 tokens. */
const tokensOfImage = 5_000;

/** Pages are billed and not bytes: the largest window that there is. */
const tokensOfDocument = 1_000_000;

/** No tokenizer makes more tokens of a request than this. */
export function promptBound(body: unknown): number {
  const json = JSON.stringify(body);
  // Within a string the quotes are escaped, so that words of the conversation are no match.
  const count = (type: string): number => json.split(`"type":"${type}"`).length - 1;
  return Buffer.byteLength(json) + count('image') * tokensOfImage + count('document') * tokensOfDocument;
}
