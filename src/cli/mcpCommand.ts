import type { Command } from 'commander';
import path from 'node:path';
import { airlockVersion, serveMcp } from '../assemble';
import { UserError } from '../base/errors';
import { Mutex } from '../base/mutex';
import { collect, positiveAmount, positiveInteger, storageOption } from './arguments';
import { visiting } from './visit';
import { repositoriesOf } from './workCommand';

interface McpFlags {
  readonly storage: string;
  readonly repo: readonly string[];
  readonly maxOpen: number;
  readonly maxCost?: number;
}

/** `airlock mcp`: other agents queue tasks and read their state. They cannot approve, land or change anything. */
export function addMcp(airlock: Command): void {
  airlock
    .command('mcp')
    .description('serve the queue to other agents, by the Model Context Protocol on standard input and output')
    .addOption(storageOption())
    .option('--repo <dir>', 'a repository that their tasks may be for; may be repeated', collect, [])
    .option('--max-open <n>', 'tasks of theirs that may be open at the same time', positiveInteger, 20)
    .option('--max-cost <usd>', 'US dollars that each of their tasks may cost', positiveAmount)
    .action(async ({ storage, repo, maxOpen, maxCost }: McpFlags) => {
      const folders = repo.length > 0 ? repo : [process.cwd()];
      const repositories = await repositoriesOf(folders, true);
      if (repositories.length === 0) throw new UserError('not-a-repository', 'There is no repository to serve.');
      // Calls come at the same time; a visit that met another one of this process would be its client, and end with it.
      const visits = new Mutex();
      await serveMcp(
        {
          ask: (action) => visits.run(() => visiting(path.resolve(storage), action)),
          repositories,
          maxOpen,
          maxCostUsd: maxCost ?? null,
          version: airlockVersion,
        },
        process.stdin,
        process.stdout,
      );
    });
}
