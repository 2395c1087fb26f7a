import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { systemCodeOf } from '../base/errors';

/** How much of a recording is read, from its end: what a terminal can scroll back to. */
const maxEndBytes = 512 * 1024;

/** A piece of output in an asciicast. */
const outputSchema = z.tuple([z.number(), z.literal('o'), z.string()]);

/**
 * What the newest recording in a session's folder shows at its end. It was filtered before it was written.
 * @returns `undefined` when there is none.
 */
export async function recordedEnd(folder: string): Promise<string | undefined> {
  const path = await newestRecording(folder);
  if (path === undefined) return undefined;
  const text = await endOf(path);
  return text
    .split('\n')
    .map((line) => outputOf(line))
    .join('');
}

async function newestRecording(folder: string): Promise<string | undefined> {
  try {
    const names = (await readdir(folder)).filter((name) => /^session(?:-\d+)?\.cast$/.test(name));
    const found = await Promise.all(
      names.map(async (name) => ({ path: join(folder, name), changedMs: (await stat(join(folder, name))).mtimeMs })),
    );
    return found.sort((a, b) => b.changedMs - a.changedMs)[0]?.path;
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function endOf(path: string): Promise<string> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const from = Math.max(0, size - maxEndBytes);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - from), 0, size - from, from);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}

/** Lines that are cut, torn or about something else show nothing. */
function outputOf(line: string): string {
  try {
    const entry = outputSchema.safeParse(JSON.parse(line));
    return entry.success ? entry.data[2] : '';
  } catch {
    return '';
  }
}
