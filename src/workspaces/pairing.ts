import type { ObjectId } from '../core/ids';
import { hostGitInJail, type GitJail } from './gitJail';

const otherGitInJail = '/airlock/other.git';

/** Objects that are made go to a folder of the jail's own: neither run's git directory is written to. Its text is constant. */
const script = `set -eu
mkdir -p /tmp/objects
base=$(git commit-tree "$1" -m base)
ours=$(git commit-tree "$2" -p "$base" -m ours)
theirs=$(git commit-tree "$3" -p "$base" -m theirs)
git merge-tree --write-tree -z --name-only --no-messages "$ours" "$theirs"
`;

const identity = {
  GIT_AUTHOR_NAME: 'Airlock',
  GIT_AUTHOR_EMAIL: 'airlock@localhost',
  GIT_COMMITTER_NAME: 'Airlock',
  GIT_COMMITTER_EMAIL: 'airlock@localhost',
};

/** Two runs that started from the same tree, and what each has made of it. */
export interface Pair {
  readonly base: ObjectId;
  readonly ours: ObjectId;
  readonly theirs: ObjectId;
  /** The git directory of the other run. */
  readonly otherGit: string;
}

/** The files in which git's own text merge cannot join the two, found in one git jail without a file being checked out. */
export async function conflictingFiles(jail: GitJail, { base, ours, theirs, otherGit }: Pair): Promise<string[]> {
  const answer = await jail.run({
    argv: ['sh', '-c', script, 'pair', base, ours, theirs],
    alsoRead: { from: otherGit, at: otherGitInJail, access: 'read' },
    environment: {
      ...identity,
      GIT_OBJECT_DIRECTORY: '/tmp/objects',
      GIT_ALTERNATE_OBJECT_DIRECTORIES: `${hostGitInJail}/objects:${otherGitInJail}/objects`,
    },
    // It ends with 1 when there are conflicts.
    answers: [0, 1],
  });
  const [, ...files] = answer
    .toString('utf8')
    .split('\0')
    .filter((part) => part !== '');
  return [...new Set(files)];
}
