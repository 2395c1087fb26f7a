import type { Command } from 'commander';
import path from 'node:path';
import { ageMs, storageOption } from './arguments';
import { visiting } from './visit';
import { bytesText } from './words';

const help = `
Deletes prompts, conversations, outputs and recordings of tasks that have ended, and what the embedded ZMemory server keeps of
their texts. Titles, checks, verdicts, costs and branches stay, and the journal stays whole. A task without its prompt cannot be
tried again. What was written in the last minute stays.`;

interface Flags {
  readonly storage: string;
  readonly olderThan: number;
  readonly dryRun: boolean;
}

/** `airlock delete-data`: what is private and over goes, for good. */
export function addDataCommand(airlock: Command): void {
  airlock
    .command('delete-data')
    .description('delete private data of tasks that have ended, for good')
    .requiredOption('--older-than <age>', 'of tasks that ended so long ago: 12h, 7d; 0d for all that have ended', ageMs)
    .option('--dry-run', 'only say what would be deleted', false)
    .addOption(storageOption())
    .addHelpText('after', help)
    .action(({ storage, olderThan, dryRun }: Flags) =>
      visiting(path.resolve(storage), async (executor) => {
        const { tasks, texts, bytes, recordings } = await executor.deleteData({ olderThanMs: olderThan, dryRun });
        const verb = dryRun ? 'would be deleted' : 'deleted';
        process.stdout.write(
          `${texts} texts (${bytesText(bytes)}) and ${recordings} recordings of ${tasks} tasks ${verb}.\n`,
        );
      }),
    );
}
