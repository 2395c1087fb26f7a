import type { Command } from 'commander';
import path from 'node:path';
import { createInterface } from 'node:readline/promises';
import { UserError } from '../base/errors';
import { type ApprovalDecision, type ApprovalEffect, isOpenApproval, plainWords, readEffect } from '../core/approval';
import type { Executor } from '../core/executor';
import { runOf, type RunState, type TaskState } from '../core/liveState';
import { numberFrom, storageOption } from './arguments';
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
    .option(
      '--words <n>',
      'commands that begin with its first n words for the rest of the task too',
      numberFrom(1, 50, 'whole'),
    )
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
  const place = path.resolve(storage);
  const { callId, effect } = await visiting(place, (executor) => askedBy(executor, taskId));
  // A person may take long over it: nobody else must wait for that.
  const decision = await decisionOn(callId, effect);
  await visiting(place, (executor) => executor.decide(taskId, decision));
  process.stdout.write(`${taskId} is told ${decision.allow ? 'yes' : 'no'}.\n`);
}

/** @throws {UserError} `unknown-task`; `wrong-state` when its agent asks for nothing. */
async function askedBy(executor: Executor, taskId: string): Promise<{ callId: string; effect: ApprovalEffect }> {
  const task = executor.state.tasks.get(taskId);
  const approval = task && runOf(executor.state, task)?.approval;
  if (!isOpenApproval(approval)) {
    const message = task
      ? 'Its agent asks for nothing to be allowed.'
      : `There is no task ${taskId}. See: airlock tasks`;
    throw new UserError(task ? 'wrong-state' : 'unknown-task', message, { taskId });
  }
  return { callId: approval.callId, effect: await effectOf(executor, approval.effect) };
}

async function effectOf(executor: Executor, digest: string): Promise<ApprovalEffect> {
  const effect = await readEffect((each) => executor.readBlob(each), digest);
  if (!effect) throw new UserError('approval-gone', 'What was asked for was deleted.');
  return effect;
}

async function confirm(): Promise<void> {
  if (!process.stdin.isTTY)
    throw new UserError('approval-unconfirmed', 'Look at it, and say --yes if it is to be allowed.');
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  const said = await lines.question('Allow this? [y/N] ');
  lines.close();
  if (!/^y(es)?$/i.test(said.trim())) throw new UserError('approval-unconfirmed', 'Nothing was said to the agent.');
}
