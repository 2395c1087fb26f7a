/** A process that prepares the dependencies of a repository and prints what the setup prints. Arguments: storage, repository. */
import { newId } from '../../src/base/ids';
import { createJails } from '../../src/jail/jails';
import { createWorkspaces } from '../../src/workspaces/workspaces';

const [storage = '', repo = ''] = process.argv.slice(2);

async function main(): Promise<void> {
  const workspaces = createWorkspaces({ jails: createJails(), storage });
  const workspace = await workspaces.create({ runId: newId('run'), repo });
  await workspace.prepare(workspace.baseTree, {
    allowedDomains: [],
    maxKeptBytes: 1024 ** 3,
    onOutput: (bytes) => {
      if (Buffer.from(bytes).includes('begun\n')) process.stdout.write(bytes);
    },
  });
}

void main();
