import { type Command, InvalidArgumentError } from 'commander';
import path from 'node:path';
import type { Executor } from '../core/executor';
import { draftsOf, type CommentPlace } from '../core/reviewComment';
import { UserError } from '../base/errors';
import { storageOption } from './arguments';
import { steer } from './tasks';
import { visiting } from './visit';
import { oneLine, tableText } from './words';

interface StorageFlag {
  readonly storage: string;
}

const sendBackHelp = `
The run goes on with its conversation, its files and what it has spent, as another attempt: its agent is given the comments that
are kept, each with the lines that it is about, and the text. Then the checks are run again.
With --conflict the run goes on from what the branch is now, with the result laid over it, and is told which files are in conflict.`;

/** `airlock comment`, `comments`, `send-back` and `keep`: what the user says of a result. */
export function addReviewCommands(airlock: Command): void {
  addCommenting(airlock);
  airlock
    .command('send-back')
    .description('send a result back to its agent, with the comments that are kept')
    .argument('<task>')
    .option('--text <text>', 'what is to be done')
    .option('--conflict', 'because it is in conflict with its branch')
    .addOption(storageOption())
    .addHelpText('after', sendBackHelp)
    .action((task: string, { text, conflict, storage }: StorageFlag & { text?: string; conflict?: true }) =>
      steer(path.resolve(storage), `${task} is queued again; its run goes on.`, async (executor) => {
        if (conflict && text !== undefined) {
          throw new UserError('usage', 'Name either --conflict or --text: a conflict says what is to be done.');
        }
        await (conflict ? executor.sendBackConflict(task) : executor.sendBack(task, text));
      }),
    );
  airlock
    .command('keep')
    .description('make a branch of your own of a result')
    .argument('<task>')
    .argument('<branch>')
    .addOption(storageOption())
    .action((task: string, branch: string, { storage }: StorageFlag) =>
      steer(path.resolve(storage), `${branch} is made.`, (executor) => executor.keepAsBranch(task, branch)),
    );
}

function addCommenting(airlock: Command): void {
  airlock
    .command('comment')
    .description('comment on lines of a result; send-back gives the comments to its agent')
    .argument('<task>')
    .argument('<file:line>', 'such as src/cart.js:12, or src/cart.js:12-15', placeOf)
    .argument('<text>')
    .option('--base', 'the lines are those of the base, as they were before')
    .addOption(storageOption())
    .action((task: string, place: LinesOfFile, text: string, { base, storage }: StorageFlag & { base?: true }) =>
      visiting(path.resolve(storage), async (executor) => {
        const id = await executor.comment(task, { ...place, side: base ? 'base' : 'result', text });
        process.stdout.write(`${id}\n`);
      }),
    );
  airlock
    .command('comments')
    .description('list the comments on a result')
    .argument('<task>')
    .option('--delete <comment>', 'throw one away that was not sent')
    .addOption(storageOption())
    .action((task: string, { storage, delete: commentId }: StorageFlag & { delete?: string }) =>
      visiting(path.resolve(storage), async (executor) => {
        if (commentId !== undefined) await executor.deleteComment(task, commentId);
        await list(executor, task);
      }),
    );
}

async function list(executor: Executor, taskId: string): Promise<void> {
  const task = executor.state.tasks.get(taskId);
  if (!task) throw new UserError('unknown-task', `There is no task ${taskId}. See: airlock tasks`, { taskId });
  const comments = task.comments ?? [];
  if (comments.length === 0) {
    process.stdout.write('There are no comments. Write one with: airlock comment TASK FILE:LINE TEXT\n');
    return;
  }
  const drafts = new Set(draftsOf(task));
  const rows = await Promise.all(
    comments.map(async (comment) => {
      const bytes = await executor.readBlob(comment.text);
      const text = bytes ? Buffer.from(bytes).toString('utf8') : '(deleted)';
      const lines =
        comment.startLine === comment.endLine ? comment.startLine : `${comment.startLine}-${comment.endLine}`;
      const where = `${oneLine(comment.path, 200)}:${lines}${comment.side === 'base' ? ' (base)' : ''}`;
      return [comment.id, drafts.has(comment) ? 'kept' : 'sent', where, oneLine(text, 200)];
    }),
  );
  process.stdout.write(`${tableText(['comment', 'state', 'where', 'text'], rows)}\n`);
}

type LinesOfFile = Pick<CommentPlace, 'path' | 'startLine' | 'endLine'>;

function placeOf(text: string): LinesOfFile {
  const match = /^(.+):(\d{1,7})(?:-(\d{1,7}))?$/.exec(text);
  const startLine = Number(match?.[2]);
  const endLine = Number(match?.[3] ?? match?.[2]);
  if (!match?.[1] || startLine < 1 || endLine < startLine) {
    throw new InvalidArgumentError('It must be a file and a line of it, such as src/cart.js:12.');
  }
  return { path: match[1], startLine, endLine };
}
