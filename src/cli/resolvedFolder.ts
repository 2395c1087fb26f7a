// For `airlock land --resolved`: the files in conflict as a folder of the user's has them.
import { lstat, readFile, realpath } from 'node:fs/promises';
import path from 'node:path';
import { messageOf, systemCodeOf, UserError } from '../base/errors';
import { type ConflictFile, maxResolvedBytes, type Resolution } from '../core/conflict';
import type { Executor } from '../core/executor';

/**
 * A file that is not there is deleted, where one of both sides has deleted it.
 * @throws {UserError} `resolution-invalid`, `resolution-too-large`, and what `Executor.conflict` throws.
 */
export async function resolutionIn(executor: Executor, task: string, folder: string): Promise<Resolution> {
  const { target, files } = await executor.conflict(task);
  const root = await folderOf(folder);
  const resolved: Resolution['files'] = [];
  let room = maxResolvedBytes;
  for (const file of files) {
    if (file.how === 'agent') throw invalid(`${file.path} can only be joined by the agent, or by merging the branch.`);
    const bytes = await contentOf(root, file.path, room);
    room -= bytes?.byteLength ?? 0;
    resolved.push(bytes ? { path: file.path, content: bytes.toString('base64') } : deleted(file, root));
  }
  return { target, files: resolved };
}

function deleted({ path: name, isInTarget, isInResult }: ConflictFile, folder: string): Resolution['files'][number] {
  if (!isInTarget) return { path: name, take: 'target' };
  if (!isInResult) return { path: name, take: 'result' };
  throw invalid(`${name} is in conflict, and not in ${folder}.`);
}

/** A name that was mistyped must not pass for one in which everything is deleted. */
async function folderOf(folder: string): Promise<string> {
  const root = await realpath(folder).catch((error: unknown) => {
    throw invalid(`The folder ${folder} cannot be read: ${messageOf(error)}.`);
  });
  if (!(await lstat(root)).isDirectory()) throw invalid(`${folder} is no folder.`);
  return root;
}

async function contentOf(root: string, name: string, maxBytes: number): Promise<Buffer | undefined> {
  const file = path.join(root, name);
  try {
    // A link, of the file or of a folder above it, would be followed out of the folder.
    if ((await realpath(path.dirname(file))) !== path.dirname(file)) throw invalid(`${file} lies behind a link.`);
    const found = await lstat(file);
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
    if (systemCodeOf(error) !== undefined) throw invalid(`${file} cannot be read: ${messageOf(error)}.`);
    throw error;
  }
}

function invalid(why: string): UserError {
  return new UserError('resolution-invalid', `${why} Nothing was changed.`);
}
