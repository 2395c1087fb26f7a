import { type Command, InvalidArgumentError } from 'commander';
import path from 'node:path';
import { createInterface } from 'node:readline/promises';
import { UserError } from '../base/errors';
import {
  approvalEffectSchema,
  type ApprovalDecision,
  type ApprovalEffect,
  isOpenApproval,
  plainWords,
} from '../core/approval';
import type { Executor } from '../core/executor';
import { runOf, type RunState, type TaskState } from '../core/liveState';
import { storageOption } from './arguments';
import { visiting } from './visit';

const approveHelp = `
What is allowed is shown whole, and asked about, unless --yes says that it was looked at. --for-task allows the very same call for the rest of the
task as well; --words allows every command that begins with so many words of this one and is nothing but plain words: no quotes, variables,
patterns, ;, &, |, redirections or line breaks.`;

interface ApproveFlags {
  readonly forTask: boolean;
  readonly words?: number;
  readonly yes: boolean;
  readonly storage: string;
}

/** `airlock approve` and `deny`: what the user says to what an agent asks to be allowed. */
export function addApprovalCommands(airlock: Command): void {
  airlock
    .command('approve')
    .description('allow what the agent of a task asks to be allowed')
    .argument('<task>')
    .option('--for-task', 'the very same call for the rest of the task too', false)
    .option('--words <n>', 'commands that begin with its first n words for the rest of the task too', wordCount)
    .option('--yes', 'without asking', false)
    .addOption(storageOption())
    .addHelpText('after', approveHelp)
    .action((task: string, { forTask, words, yes, storage }: ApproveFlags) =>
      decide(storage, task, async (callId, { text, command }) => {
        process.stdout.write(`${text}\n`);
        const beginning =
          words === undefined
            ? ''
            : (plainWords(command ?? '')
                ?.slice(0, words)
                .join(' ') ?? '');
        if (beginning !== '') process.stdout.write(`And every command of plain words that begins with: ${beginning}\n`);
        if (!yes) await confirm();
        const remember =
          words !== undefined
            ? ({ kind: 'words', count: words } as const)
            : forTask
              ? ({ kind: 'same' } as const)
              : null;
        return { callId, allow: true, remember };
      }),
    );
  airlock
    .command('deny')
    .description('deny what the agent of a task asks to be allowed')
    .argument('<task>')
    .argument('[reason]', 'what the agent is told', '')
    .addOption(storageOption())
    .action((task: string, reason: string, { storage }: { readonly storage: string }) =>
      decide(storage, task, (callId) => Promise.resolve({ callId, allow: false, reason })),
    );
}

/** All that will happen if it is allowed, whole; `undefined` when the task asks for nothing. */
export async function approvalText(
  executor: Executor,
  task: TaskState,
  run: RunState | undefined,
): Promise<string | undefined> {
  const approval = run?.outcome === null && task.status === 'waiting' ? run.approval : undefined;
  if (!isOpenApproval(approval)) return undefined;
  return (await effectOf(executor, approval.effect)).text;
}

async function decide(
  storage: string,
  taskId: string,
  decisionOn: (callId: string, effect: ApprovalEffect) => Promise<ApprovalDecision>,
): Promise<void> {
  await visiting(path.resolve(storage), async (executor) => {
    const task = executor.state.tasks.get(taskId);
    const approval = task && runOf(executor.state, task)?.approval;
    if (!isOpenApproval(approval)) {
      const message = task
        ? 'Its agent asks for nothing to be allowed.'
        : `There is no task ${taskId}. See: airlock tasks`;
      throw new UserError(task ? 'wrong-state' : 'unknown-task', message, { taskId });
    }
    const decision = await decisionOn(approval.callId, await effectOf(executor, approval.effect));
    await executor.decide(taskId, decision);
    process.stdout.write(`${taskId} is told ${decision.allow ? 'yes' : 'no'}.\n`);
  });
}

async function effectOf(executor: Executor, digest: string): Promise<ApprovalEffect> {
  const bytes = await executor.readBlob(digest);
  if (!bytes) throw new UserError('approval-gone', 'What was asked for was deleted.');
  return approvalEffectSchema.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
}

async function confirm(): Promise<void> {
  if (!process.stdin.isTTY)
    throw new UserError('approval-unconfirmed', 'Look at it, and say --yes if it is to be allowed.');
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  const said = await lines.question('Allow this? [y/N] ');
  lines.close();
  if (!/^y(es)?$/i.test(said.trim())) throw new UserError('approval-unconfirmed', 'Nothing was said to the agent.');
}

function wordCount(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 50)
    throw new InvalidArgumentError('It must be a whole number from 1 to 50.');
  return value;
}
