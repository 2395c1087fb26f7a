import { realpath } from 'node:fs/promises';
import { relative } from 'node:path';
import type { ObjectId } from '../core/ids';
import { openRepository } from './openRepository';
import { assertQuarantineFree } from './publishing';
import { repositoryNotes } from './repositoryNotes';
import type { RunState } from './runState';
import { resolveShares } from './shares';
import type { TreeListing } from './treeListing';
import type { UserGit } from './userGit';

/** What a workspace would begin with if it were made now: the notes that it would have, or how it would be another. */
export type Renewal =
  { readonly kind: 'same'; readonly notes: readonly string[] } | { readonly kind: 'other'; readonly reason: string };

/**
 * Looks at the user's repository as it is now, for a workspace that was made of it earlier: at what may have changed since, and
 * with few commands, for somebody waits.
 * @param listing the tree of the workspace's base.
 */
export async function renewal(
  state: RunState,
  { repo, base }: { readonly repo: string; readonly base?: ObjectId },
  listing: TreeListing,
): Promise<Renewal> {
  if ((base === undefined) !== state.isUsersBase) {
    return { kind: 'other', reason: 'its base is not what is checked out' };
  }
  const git = await openRepository(repo);
  const start = await startOf(git, base);
  if (start.root !== state.repo) return { kind: 'other', reason: 'the repository is another folder' };
  if (start.commit !== state.baseCommit) return { kind: 'other', reason: 'the base is another commit' };
  const seen = {
    git: git.at(state.repo),
    root: state.repo,
    subfolder: relative(state.repo, await realpath(repo)),
    branch: start.branch,
    baseCommit: state.baseCommit,
  };
  const [notes, shared] = await Promise.all([
    repositoryNotes(seen, listing),
    resolveShares(state.repo, state.config.share, listing),
    assertQuarantineFree(seen.git),
  ]);
  if (JSON.stringify(shared.shares) !== JSON.stringify(state.shares)) {
    return { kind: 'other', reason: 'other folders are shared' };
  }
  return { kind: 'same', notes: [...notes, ...shared.notes] };
}

/** Where the repository is now. @throws {GitFailure} when it has no such commit. */
async function startOf(
  git: UserGit,
  base: ObjectId | undefined,
): Promise<{ readonly root: string; readonly commit: string; readonly branch: string | null }> {
  const answer = await git.text(
    ...['rev-parse', '--path-format=absolute', '--show-toplevel', `${base ?? 'HEAD'}^{commit}`],
    ...['--symbolic-full-name', 'HEAD'],
  );
  const [root = '', commit = '', ref = ''] = answer.split('\n');
  return { root: await realpath(root), commit, branch: ref === 'HEAD' ? null : ref.replace('refs/heads/', '') };
}
