import { z } from 'zod';
import { defineTool, pathSchema, succeeded } from './defineTool';

/** More in one file is data, which a command makes better than a model. */
const maxContentLength = 2 * 1024 ** 2;

export const writeTool = defineTool({
  name: 'write',
  description:
    'Writes a whole file: makes it and its folders, or replaces all of it. To change a part of a file use edit.',
  schema: z.object({ path: pathSchema, content: z.string().max(maxContentLength) }),
  readOnly: false,
  summarize: ({ path, content }) => `write ${path} (${lineCount(content)} lines)`,
  async run({ path, content }, { session }) {
    await session.files.write(path, Buffer.from(content, 'utf8'));
    return succeeded(`Wrote ${path}: ${lineCount(content)} lines, ${Buffer.byteLength(content)} bytes.`);
  },
});

function lineCount(content: string): number {
  if (content === '') return 0;
  return content.split('\n').length - (content.endsWith('\n') ? 1 : 0);
}
