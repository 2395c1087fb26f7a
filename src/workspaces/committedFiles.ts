import { isUserError } from '../base/errors';
import { objectIdSchema } from '../core/ids';
import type { CommittedFiles } from '../core/workspace';
import { openRepository } from './openRepository';
import { textOf } from './pathBytes';
import { parseTreeListing } from './treeListing';

/**
 * The files that lie directly in a folder of the user's repository, as the commit has them that is checked out there.
 * @throws {UserError} `not-a-repository`, `repository-untrusted`, `repository-unreadable`.
 */
export async function committedFiles(repo: string, folder: string, maxBytes: number): Promise<CommittedFiles> {
  const found = await openRepository(repo);
  const git = found.at(await found.text('rev-parse', '--path-format=absolute', '--show-toplevel'));
  const commit = await git.textIfAny('rev-parse', '--verify', '--quiet', 'HEAD^{commit}');
  if (commit === undefined) return { root: git.folder, files: [] };
  const head = objectIdSchema.parse(commit);
  const listing = parseTreeListing(await git.run(['ls-tree', '-z', '--full-tree', head, '--', `${folder}/`]));
  const files: CommittedFiles['files'][number][] = [];
  for (const [path, { mode, objectId }] of listing) {
    const name = textOf(path)?.slice(folder.length + 1);
    if (name === undefined) continue;
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
