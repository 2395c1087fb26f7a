import { imageSize } from 'image-size';
import { imageTypeSchema, type ImageType, type ToolImage } from './engine';

/** Messages APIs take 5 MB of base64 for one image. */
export const maxImageBytes = 3_750_000;

/** Larger ones are refused by Messages APIs. */
const maxSidePixels = 8000;

const typeOfFormat: Readonly<Record<string, ImageType>> = {
  png: imageTypeSchema.enum['image/png'],
  jpg: imageTypeSchema.enum['image/jpeg'],
  gif: imageTypeSchema.enum['image/gif'],
  webp: imageTypeSchema.enum['image/webp'],
};

/** An image as a model gets it. */
export type ImageFile =
  | { readonly kind: 'image'; readonly image: ToolImage; readonly width: number; readonly height: number }
  | UnusableImage;

/** One that no model looks at; `why` ends a sentence. */
export interface UnusableImage {
  readonly kind: 'unusable';
  readonly why: string;
}

/** The kind of image that begins so; `undefined` for anything else. */
export function imageTypeOf(start: Uint8Array): ImageType | undefined {
  const hex = Buffer.from(start.subarray(0, 12)).toString('hex');
  if (hex.startsWith('89504e470d0a1a0a')) return 'image/png';
  if (hex.startsWith('ffd8ff')) return 'image/jpeg';
  if (hex.startsWith('474946383761') || hex.startsWith('474946383961')) return 'image/gif';
  if (hex.startsWith('52494646') && hex.slice(16) === '57454250') return 'image/webp';
  return undefined;
}

/** What an image's bytes are to a model. They may be anything. */
export function imageOf(bytes: Uint8Array): ImageFile {
  if (bytes.length > maxImageBytes) return tooLarge(bytes.length);
  const claimed = imageTypeOf(bytes);
  const measured = measure(bytes);
  if (claimed === undefined || measured?.mediaType !== claimed) return unusable('is damaged');
  const { width, height } = measured;
  if (Math.max(width, height) > maxSidePixels)
    return unusable(`has ${width} × ${height} pixels, more than ${maxSidePixels} at a side`);
  return { kind: 'image', image: { mediaType: claimed, bytes }, width, height };
}

export function tooLarge(bytes: number): UnusableImage {
  return unusable(`has ${bytes} bytes, more than ${maxImageBytes}`);
}

function unusable(why: string): UnusableImage {
  return { kind: 'unusable', why };
}

function measure(bytes: Uint8Array): { mediaType: ImageType | undefined; width: number; height: number } | undefined {
  try {
    // A copy with memory of its own: in a small `Buffer` the library would read on in what lies behind it.
    const { width, height, type } = imageSize(new Uint8Array(bytes));
    return width > 0 && height > 0 ? { mediaType: typeOfFormat[type ?? ''], width, height } : undefined;
  } catch {
    return undefined;
  }
}
