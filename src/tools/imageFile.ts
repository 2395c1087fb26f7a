import { imageSize } from 'image-size';
import { imageTypeSchema, type ImageType, type ToolImage } from '../core/engine';
import type { SessionFiles } from '../core/session';

/** Messages APIs take 5 MB of base64 for one image. */
const maxImageBytes = 3_750_000;

/** Larger ones are refused by Messages APIs. */
const maxSidePixels = 8000;

const typeOfFormat: Readonly<Record<string, ImageType>> = {
  png: imageTypeSchema.enum['image/png'],
  jpg: imageTypeSchema.enum['image/jpeg'],
  gif: imageTypeSchema.enum['image/gif'],
  webp: imageTypeSchema.enum['image/webp'],
};

export type ImageFile =
  | { readonly kind: 'image'; readonly image: ToolImage; readonly width: number; readonly height: number }
  /** One that no model looks at; `why` ends a sentence. */
  | { readonly kind: 'unusable'; readonly why: string };

/** The kind of image that begins so; `undefined` for anything else. */
export function imageTypeOf(start: Uint8Array): ImageType | undefined {
  const hex = Buffer.from(start.subarray(0, 12)).toString('hex');
  if (hex.startsWith('89504e470d0a1a0a')) return 'image/png';
  if (hex.startsWith('ffd8ff')) return 'image/jpeg';
  if (hex.startsWith('474946383761') || hex.startsWith('474946383961')) return 'image/gif';
  if (hex.startsWith('52494646') && hex.slice(16) === '57454250') return 'image/webp';
  return undefined;
}

/** Reads an image for a model to look at. @throws {UserError} of `SessionFiles.read`. */
export async function readImage(files: SessionFiles, path: string, mediaType: ImageType): Promise<ImageFile> {
  const { bytes, size } = await files.read(path, { maxBytes: maxImageBytes });
  if (size > maxImageBytes || bytes.length < size) return unusable(`has ${size} bytes, more than ${maxImageBytes}`);
  const measured = measure(bytes);
  if (measured?.mediaType !== mediaType) return unusable('is damaged');
  const { width, height } = measured;
  if (Math.max(width, height) > maxSidePixels)
    return unusable(`has ${width} × ${height} pixels, more than ${maxSidePixels} at a side`);
  return { kind: 'image', image: { mediaType, bytes }, width, height };
}

function unusable(why: string): ImageFile {
  return { kind: 'unusable', why };
}

function measure(bytes: Uint8Array): { mediaType: ImageType | undefined; width: number; height: number } | undefined {
  try {
    const { width, height, type } = imageSize(bytes);
    return width > 0 && height > 0 ? { mediaType: typeOfFormat[type ?? ''], width, height } : undefined;
  } catch {
    // What a jail wrote may be anything.
    return undefined;
  }
}
