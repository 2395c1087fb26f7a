import { type ImageFile, imageOf, maxImageBytes, tooLarge } from '../core/image';
import type { SessionFiles } from '../core/session';

/** Reads an image for a model to look at. @throws {UserError} of `SessionFiles.read`. */
export async function readImage(files: SessionFiles, path: string): Promise<ImageFile> {
  const { bytes, size } = await files.read(path, { maxBytes: maxImageBytes });
  return size > bytes.length ? tooLarge(size) : imageOf(bytes);
}
