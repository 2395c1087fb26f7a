import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCodeOf } from '../base/errors';
import { recordedText } from '../core/recordedText';

/** How much of a recording is read, from its end: what a terminal can scroll back to. */
const maxEndBytes = 512 * 1024;

/**
 * What the newest recording in a session's folder shows at its end. It was filtered before it was written.
 * @returns `undefined` when there is none.
 */
export async function recordedEnd(folder: string): Promise<string | undefined> {
  const path = await newestRecording(folder);
  if (path === undefined) return undefined;
  const text = await endOf(path);
  return recordedText(text);
}

/** The file of it, or `undefined` when there is none. */
export async function newestRecording(folder: string): Promise<string | undefined> {
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
