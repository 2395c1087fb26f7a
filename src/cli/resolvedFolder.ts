// For `airlock land --resolved`: the files in conflict as a folder of the user's has them.
import { lstat, readFile } from 'node:fs/promises';
import path from 'node:path';
import { systemCodeOf, UserError } from '../base/errors';
import { type ConflictFile, maxResolvedBytes, type Resolution } from '../core/conflict';
import type { Executor } from '../core/executor';

/**
 * A file that is not there is deleted, where one of both sides has deleted it.
 * @throws {UserError} `resolution-invalid`, `resolution-too-large`, and what `Executor.conflict` throws.
 */
export async function resolutionIn(executor: Executor, task: string, folder: string): Promise<Resolution> {
  const { target, files } = await executor.conflict(task);
  const resolved: Resolution['files'] = [];
  let room = maxResolvedBytes;
  for (const file of files) {
    if (file.how === 'agent') throw invalid(`${file.path} can only be joined by the agent, or by merging the branch.`);
    const bytes = await contentOf(path.join(folder, file.path), room);
    room -= bytes?.byteLength ?? 0;
    resolved.push(bytes ? { path: file.path, content: bytes.toString('base64') } : deleted(file, folder));
  }
  return { target, files: resolved };
}

function deleted({ path: name, isInTarget, isInResult }: ConflictFile, folder: string): Resolution['files'][number] {
  if (!isInTarget) return { path: name, take: 'target' };
  if (!isInResult) return { path: name, take: 'result' };
  throw invalid(`${name} is in conflict, and not in ${folder}.`);
}

async function contentOf(file: string, maxBytes: number): Promise<Buffer | undefined> {
  try {
    const found = await lstat(file);
    // A link would be followed out of the folder.
    if (!found.isFile()) throw invalid(`${file} is no file.`);
    if (found.size > maxBytes) {
      throw new UserError(
        'resolution-too-large',
        `The resolved files have more than ${maxResolvedBytes / 1024 ** 2} MiB together. Merge the branch yourself.`,
        { maxBytes: maxResolvedBytes },
      );
    }
    return await readFile(file);
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function invalid(why: string): UserError {
  return new UserError('resolution-invalid', `${why} Nothing was changed.`);
}
