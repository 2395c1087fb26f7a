import { UserError } from '../base/errors';
import type { Repository } from './repositoryInspection';
import type { PathBytes } from './pathBytes';
import type { TreeListing } from './treeListing';

/** How long it may take to find out whether anything is not committed. It is only a note. */
const statusTimeoutMs = 5000;

const maxAttributesRead = 50;
const maxAttributesBytes = 1024 ** 2;

type Seen = Pick<Repository, 'git' | 'root' | 'subfolder' | 'branch' | 'baseCommit'>;

/** What the user should know about how their repository is seen: sentences, for people. Each is true of the base commit. */
export async function repositoryNotes(repository: Seen, base: TreeListing): Promise<string[]> {
  const [isDirty, usesLfs] = await Promise.all([hasUncommittedChanges(repository), hasLfsFiles(repository, base)]);
  const { subfolder, branch, baseCommit, root } = repository;
  const submodules = [...base.values()].filter(({ mode }) => mode === '160000').length;
  return [
    ...(isDirty
      ? ['There are changes that are not committed. The run does not see them: it starts from the last commit.']
      : []),
    ...(branch === null
      ? [`No branch is checked out: the run starts from the commit ${baseCommit.slice(0, 12)}.`]
      : []),
    ...(subfolder ? [`${subfolder} is a folder of the repository ${root}. The run gets the whole repository.`] : []),
    ...(usesLfs ? ['Files in Git LFS stay pointers: their content is not copied.'] : []),
    ...(submodules > 0 ? [`Submodules (${submodules}) are left empty.`] : []),
  ];
}

async function hasUncommittedChanges({ git }: Pick<Repository, 'git'>): Promise<boolean> {
  try {
    const configuration = await withoutFilters(git);
    const status = await git.run(
      ['status', '--porcelain', '-z', '--no-renames', '--ignore-submodules=all', '--untracked-files=normal'],
      { configuration, maxBytes: 1, signal: AbortSignal.timeout(statusTimeoutMs) },
    );
    return status.length > 0;
  } catch (error) {
    return error instanceof UserError && error.code === 'git-output-too-large';
  }
}

/** Status compares contents through the repository's filters, which are programs. They are all emptied. */
async function withoutFilters(git: Repository['git']): Promise<ReadonlyMap<string, string>> {
  const listed = await git.run(['config', '-z', '--name-only', '--get-regexp', '^filter\\.']).catch(() => undefined);
  const names = (listed?.toString('utf8') ?? '').split('\0').filter((name) => name !== '');
  return new Map(names.map((name) => [name, name.endsWith('.required') ? 'false' : '']));
}

async function hasLfsFiles({ git }: Pick<Repository, 'git'>, base: TreeListing): Promise<boolean> {
  const isAttributes = (path: PathBytes): boolean => path === '.gitattributes' || path.endsWith('/.gitattributes');
  const listed = [...base]
    .filter(([path, { mode }]) => isAttributes(path) && mode !== '160000')
    .slice(0, maxAttributesRead);
  for (const [, { objectId }] of listed) {
    const text = await git.run(['cat-file', 'blob', objectId], { maxBytes: maxAttributesBytes }).catch(() => undefined);
    if (text && /^[^#\n]*\bfilter=lfs\b/m.test(text.toString('utf8'))) return true;
  }
  return false;
}
