import { isUserError } from '../base/errors';
import { objectIdSchema } from '../core/ids';
import type { CommittedFiles } from '../core/workspace';
import { openRepository } from './openRepository';
import { textOf } from './pathBytes';
import { parseTreeListing } from './treeListing';

/**
 * The files that lie directly in a folder of the user's repository, as the commit has them that is checked out there.
 * @param folder Or a file at the top of the repository: then it alone.
 * @throws {UserError} `not-a-repository`, `repository-untrusted`, `repository-unreadable`.
 */
export async function committedFiles(
  repo: string,
  folder: string | { readonly file: string },
  maxBytes: number,
): Promise<CommittedFiles> {
  const inside = typeof folder === 'string' ? `${folder}/` : '';
  const found = await openRepository(repo);
  const git = found.at(await found.text('rev-parse', '--path-format=absolute', '--show-toplevel'));
  const commit = await git.textIfAny('rev-parse', '--verify', '--quiet', 'HEAD^{commit}');
  if (commit === undefined) return { root: git.folder, files: [] };
  const head = objectIdSchema.parse(commit);
  const listing = parseTreeListing(
    await git.run(['ls-tree', '-z', '--full-tree', head, '--', typeof folder === 'string' ? inside : folder.file]),
  );
  const files: CommittedFiles['files'][number][] = [];
  for (const [path, { mode, objectId }] of listing) {
    const name = textOf(path)?.slice(inside.length);
    if (name === undefined || (typeof folder !== 'string' && name !== folder.file)) continue;
    if (mode === '120000' || mode === '160000') {
      files.push({ name, bytes: null, problem: 'It is not a file.' });
      continue;
    }
    try {
      files.push({ name, bytes: await git.run(['cat-file', 'blob', objectId], { maxBytes }), problem: '' });
    } catch (error) {
      if (!isUserError(error)) throw error;
      files.push({ name, bytes: null, problem: `It cannot be read: ${error.message}` });
    }
  }
  return { root: git.folder, files };
}
