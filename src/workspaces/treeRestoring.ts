import type { ObjectId } from '../core/ids';
import { workspaceInJail } from '../core/jailPolicy';

/**
 * Turns the workspace from one tree into another, to be run in a git jail that may write to it. Only the files that differ
 * are touched, so that what is ignored stays and what is built from the others need not be built again. Git never looks at
 * the workspace: it lists the differences of two trees and writes files to a folder that happens to be there. Its text is
 * constant. Arguments: the tree that is there, and the one that is wanted.
 */
const script = `set -eu
git diff-tree -r -z --no-renames --name-only --diff-filter=D "$1" "$2" > /tmp/gone
git diff-tree -r -z --no-renames --name-only --diff-filter=d "$1" "$2" > /tmp/wanted
mkdir /tmp/empty
cd ${workspaceInJail}
find . -path ./.git -prune -o -type d ! \\( -readable -writable -executable \\) -exec chmod u+rwx {} + || true
xargs -0r rm -f -- < /tmp/gone
xargs -0r dirname -z -- < /tmp/gone | sort -zu | xargs -0r rmdir -p --ignore-fail-on-non-empty -- 2> /dev/null || true
cd /tmp/empty
export GIT_INDEX_FILE=/tmp/index GIT_WORK_TREE=/tmp/empty
git read-tree "$2"
git checkout-index --force -z --stdin --prefix=${workspaceInJail}/ < /tmp/wanted
`;

export function restoreCommand(from: ObjectId, to: ObjectId): readonly string[] {
  return ['sh', '-c', script, 'restore', from, to];
}
