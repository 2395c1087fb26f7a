import type { Command } from 'commander';
import path from 'node:path';
import { runningAgents } from '../core/runningAgents';
import { storageOption } from './arguments';
import { visiting } from './visit';
import { oneLine, tableText } from './words';

/** `airlock agents`: who has begun and not ended. */
export function addAgents(airlock: Command): void {
  airlock
    .command('agents')
    .description('list the agents that are at work or wait in their work')
    .option('--json', 'one agent as JSON a line', false)
    .addOption(storageOption())
    .action(({ json, storage }: { readonly json: boolean; readonly storage: string }) =>
      visiting(path.resolve(storage), (executor) => {
        const agents = runningAgents(executor.state);
        if (json) for (const agent of agents) process.stdout.write(`${JSON.stringify(agent)}\n`);
        else if (agents.length === 0) process.stdout.write('No agent is at work.\n');
        else {
          const rows = agents.map(({ taskId, persona, status, unread, repo, title, activity }) => [
            taskId,
            oneLine(persona, 40),
            status,
            String(unread),
            oneLine(repo, 60),
            oneLine(title, 60),
            oneLine(activity, 80),
          ]);
          process.stdout.write(
            `${tableText(['task', 'persona', 'state', 'unread', 'repository', 'title', 'does'], rows)}\n`,
          );
        }
        return Promise.resolve();
      }),
    );
}
