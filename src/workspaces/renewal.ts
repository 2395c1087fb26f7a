import type { ObjectId } from '../core/ids';
import { assertQuarantineFree } from './publishing';
import { inspectRepository } from './repositoryInspection';
import { repositoryNotes } from './repositoryNotes';
import type { RunState } from './runState';
import { resolveShares } from './shares';
import type { TreeListing } from './treeListing';

/** What a workspace would begin with if it were made now: the notes that it would have, or how it would be another. */
export type Renewal =
  { readonly kind: 'same'; readonly notes: readonly string[] } | { readonly kind: 'other'; readonly reason: string };

/**
 * Looks at the user's repository as it is now, for a workspace that was made of it earlier.
 * @param listing the tree of the workspace's base.
 */
export async function renewal(
  state: RunState,
  { repo, base }: { readonly repo: string; readonly base?: ObjectId },
  listing: TreeListing,
): Promise<Renewal> {
  const repository = await inspectRepository(repo, base);
  if (repository.root !== state.repo) return { kind: 'other', reason: 'the repository is another folder' };
  if (repository.baseCommit !== state.baseCommit) return { kind: 'other', reason: 'the base is another commit' };
  if (repository.isCheckedOut !== state.isUsersBase) {
    return { kind: 'other', reason: 'its base is not what is checked out' };
  }
  const [shared, notes] = await Promise.all([
    resolveShares(repository.root, state.config.share, listing),
    repositoryNotes(repository, listing),
    assertQuarantineFree(state.repo),
  ]);
  if (JSON.stringify(shared.shares) !== JSON.stringify(state.shares)) {
    return { kind: 'other', reason: 'other folders are shared' };
  }
  return { kind: 'same', notes: [...notes, ...shared.notes] };
}
