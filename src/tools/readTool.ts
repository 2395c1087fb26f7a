import { z } from 'zod';
import { defineTool, failed, pathSchema, succeeded } from './defineTool';
import type { ToolResult } from '../core/engine';
import { type ImageFile, imageTypeOf } from '../core/image';
import { readImage } from './imageFile';
import { maxScannedBytes, readLines, type LinePage } from './lineReader';
import { binaryKind, numbered } from './textFile';

const defaultLines = 2000;
const maxLines = 5000;
const maxPageBytes = 64_000;
const maxLineLength = 2000;

export const readTool = defineTool({
  name: 'read',
  description: `Reads a text file, with line numbers before a tab, or shows an image (PNG, JPEG, GIF, WebP). Gives up to ${defaultLines} lines at a time; use offset (the first line, from 1) and limit to read on in a long file. Lines longer than ${maxLineLength} characters are cut.`,
  schema: z.object({
    path: pathSchema,
    offset: z.number().int().positive().default(1).describe('The first line to read; 1 is the first of the file.'),
    limit: z.number().int().positive().max(maxLines).default(defaultLines).describe('How many lines to read.'),
  }),
  readOnly: true,
  summarize: ({ path, offset }) => (offset === 1 ? `read ${path}` : `read ${path} from line ${offset}`),
  async run({ path, offset, limit }, { session }) {
    const start = await session.files.read(path, { maxBytes: 8000 });
    if (imageTypeOf(start.bytes) !== undefined) return shown(path, await readImage(session.files, path));
    const what = binaryKind(start.bytes);
    if (what !== undefined) return failed(`${path} is no text but a ${what} of ${start.size} bytes.`);
    if (start.size === 0) return succeeded('(the file is empty)');
    const page = await readLines(session.files, path, offset, {
      maxLines: limit,
      maxBytes: maxPageBytes,
      maxLineLength,
    });
    if (page.lines.length === 0) return failed(noLines(path, offset, page));
    return succeeded([numbered(page.lines, offset), ...notes(page)].join('\n'));
  },
});

function shown(path: string, file: ImageFile): ToolResult {
  if (file.kind === 'unusable') return failed(`${path} is an image that cannot be shown: it ${file.why}.`);
  const { image, width, height } = file;
  const text = `${path}: ${image.mediaType}, ${width} × ${height} pixels, ${image.bytes.length} bytes.`;
  return { ok: true, text, images: [image] };
}

function notes({ nextLine, crlf }: LinePage): string[] {
  return [
    ...(crlf ? ['[Lines of this file end with CRLF.]'] : []),
    ...(nextLine === null ? [] : [`[The file goes on: read it with offset ${nextLine}.]`]),
  ];
}

function noLines(path: string, offset: number, { nextLine }: LinePage): string {
  if (nextLine === null) return `${path} has no line ${offset}.`;
  return `Line ${offset} of ${path} is past the first ${maxScannedBytes / 1024 ** 2} MiB; look for it with bash, for example with tail or sed.`;
}
