import type { Executor } from '../core/executor';
import { UserError } from '../base/errors';
import { claimsSchema, standingOf } from '../core/claims';
import { passed, summarizeChecks, type CheckResult } from '../core/evidence';
import { conversationMessageSchema, spokenText } from '../core/engine';
import { isLanding, runOf, type RunState, type TaskState } from '../core/liveState';
import { totalTokens } from '../core/usage';
import { makeVisible } from '../base/visible';
import { approvalText } from './approvalCommands';
import { visiting } from './visit';
import { costText, durationText, oneLine, tableText } from './words';

/** Lists every task of the storage. With `json`, one task as JSON a line. */
export async function listTasks(storage: string, json: boolean): Promise<void> {
  await visiting(storage, async (executor) => {
    const tasks = [...executor.state.tasks.values()];
    if (json) {
      for (const task of tasks)
        process.stdout.write(`${JSON.stringify({ ...task, run: runOf(executor.state, task) ?? null })}\n`);
      return;
    }
    if (tasks.length === 0) {
      process.stdout.write('There are no tasks. Queue one with: airlock add TITLE --prompt TEXT\n');
      return;
    }
    const rows = tasks.map((task) => [
      task.id,
      `P${task.spec.priority}`,
      task.status,
      runOf(executor.state, task)?.branch ?? '–',
      oneLine(task.spec.title, 60),
    ]);
    process.stdout.write(`${tableText(['task', 'prio', 'state', 'branch', 'title'], rows)}\n`);
    for (const reason of executor.state.holds.values())
      process.stdout.write(`\nNothing new is started: ${oneLine(reason, 400)}\n`);
  });
}

/** Shows one task whole: state, evidence with the end of each output, cost, and what was said and done. */
export async function showTask(storage: string, taskId: string): Promise<void> {
  await visiting(storage, async (executor) => {
    const task = executor.state.tasks.get(taskId);
    if (!task) throw new UserError('unknown-task', `There is no task ${taskId}. See: airlock tasks`, { taskId });
    const run = runOf(executor.state, task);
    const parts = [overview(task, run)];
    // Once it has begun, the log starts with the prompt.
    if (!run || run.messages.length === 0) parts.push(await promptText(executor, task));
    if (run) {
      parts.push(questionText(task, run), await askedText(executor, task, run), await evidenceText(executor, run));
      parts.push(await reviewText(executor, task));
      parts.push(await claimsText(executor, run), await logText(executor, run));
    }
    process.stdout.write(`${parts.filter((part) => part !== '').join('\n\n')}\n`);
  });
}

/** Ends a task; of one that has ended, the landing that is under way. */
export async function cancelTask(storage: string, taskId: string): Promise<void> {
  await visiting(storage, async (executor) => {
    const task = executor.state.tasks.get(taskId);
    if (!task || !isLanding(task)) {
      await executor.cancel(taskId);
      process.stdout.write(`${taskId} is cancelled.\n`);
      return;
    }
    await executor.cancelLanding(taskId);
    const isLanded = executor.state.tasks.get(taskId)?.status === 'landed';
    process.stdout.write(isLanded ? `${taskId} had just landed.\n` : `${taskId} is not accepted.\n`);
  });
}

/** Queues a task again that ended without being verified, or lets one go on that waits for the user. */
export async function retryTask(storage: string, taskId: string): Promise<void> {
  await visiting(storage, async (executor) => {
    await executor.retry(taskId);
    process.stdout.write(`${taskId} is queued again.\n`);
  });
}

/** One command about one thing, and what is said when it is done. */
export async function steer(storage: string, said: string, act: (executor: Executor) => Promise<void>): Promise<void> {
  await visiting(storage, async (executor) => {
    await act(executor);
    process.stdout.write(`${said}\n`);
  });
}

function overview(task: TaskState, run: RunState | undefined): string {
  const facts: [string, string][] = [
    ['task', task.id],
    ['title', oneLine(task.spec.title, 200)],
    ['state', task.reason === '' ? task.status : `${task.status}: ${oneLine(task.reason, 500)}`],
    ['priority', `P${task.spec.priority}`],
    ['source', `${task.spec.origin.sourceId} (${oneLine(task.spec.origin.externalId)})`],
    ['repository', task.spec.repo ?? 'not decided'],
    ...(task.spec.parent
      ? [[task.spec.parent.kind === 'review' ? 'reviews' : 'split from', task.spec.parent.taskId] as [string, string]]
      : []),
    ...(task.routed === undefined ? [] : [['persona', oneLine(task.routed, 300)] as [string, string]]),
  ];
  if (run) {
    facts.push(
      ...run.notes.map((note): [string, string] => ['note', oneLine(note, 300)]),
      ['attempt', `${run.attempt}, ${run.engine} (${run.model})`],
      ['base', run.baseCommit ?? 'none'],
      [
        'result',
        run.branch === null ? 'no change' : `${run.branch} (${run.filesChanged} files, commit ${run.commit ?? ''})`,
      ],
      ['tokens', String(totalTokens(run.usage))],
      ['cost', costText(run.costUsd)],
    );
    if (run.endedAtMs !== null) facts.push(['time', durationText(run.endedAtMs - run.startedAtMs)]);
  }
  if (task.landingWaits) facts.push(['accepted', 'it waits for its turn']);
  else if (task.landing) facts.push(['accepted', landingText(task.landing)]);
  if (task.pullRequests) facts.push(['pull request', task.pullRequests.join(' ')]);
  return facts.map(([name, value]) => `${name.padEnd(12)} ${value}`).join('\n');
}

function landingText({ phase, ref, commit, reason }: NonNullable<TaskState['landing']>): string {
  const branch = ref.slice('refs/heads/'.length);
  switch (phase) {
    case 'landed':
      return `${branch} is at ${commit ?? 'it'}`;
    case 'failed':
      return `not onto ${branch}: ${oneLine(reason, 500)}`;
    case 'merging':
    case 'moving':
      return `it is being put onto ${branch}`;
  }
}

async function promptText(executor: Executor, task: TaskState): Promise<string> {
  const text = await textOf(executor, task.spec.prompt);
  return `Prompt\n${indent(text.length <= 2000 ? text : `${text.slice(0, 2000)}\n[…]`, '  ')}`;
}

async function evidenceText(executor: Executor, run: RunState): Promise<string> {
  if (run.checks.length === 0) return '';
  const lines = ['Evidence'];
  for (const check of summarizeChecks(run.checks)) {
    lines.push(
      `  ${oneLine(check.command, 200)}${check.provesNoChange ? '  (passes on the base too: proves no change)' : ''}`,
    );
    lines.push(
      `    on the base: ${stateOf(check.onBase)}; on the result: ${stateOf(check.onResult)}; with the tests and configuration of the base: ${stateOf(check.onRestored)}`,
    );
    const decisive = [check.onResult, check.onRestored].find((result) => result && !passed(result));
    if (decisive) lines.push(indent(tail(await textOf(executor, decisive.output)), '    | '));
  }
  return lines.join('\n');
}

function questionText({ id, status }: TaskState, { question }: RunState): string {
  if (!question || question.answer !== null || status !== 'waiting') return '';
  return `The agent asks\n${indent(question.text, '  ')}\n  Answer it with: airlock answer ${id} TEXT`;
}

async function askedText(executor: Executor, task: TaskState, run: RunState): Promise<string> {
  const text = await approvalText(executor, task, run);
  if (text === undefined) return '';
  return `The agent asks to be allowed this\n${indent(text, '  | ')}\n  Say it with: airlock approve ${task.id}, or airlock deny ${task.id} [REASON]`;
}

/** What a reviewer found. No verdict follows from it. */
async function reviewText(executor: Executor, task: TaskState): Promise<string> {
  const review = task.review === undefined ? undefined : executor.state.tasks.get(task.review);
  if (!review) return '';
  const run = runOf(executor.state, review);
  const words =
    run?.outcome == null ? `Nothing yet: ${review.id} is ${review.status}.` : await lastWords(executor, run);
  return `What the reviewer says (it changes no verdict)\n${indent(words, '  | ')}`;
}

async function lastWords(executor: Executor, run: RunState): Promise<string> {
  const last = run.messages.at(-1);
  return last === undefined ? '' : spokenText(await textOf(executor, last));
}

/** What the agent said of its result, each with what the evidence says of that. */
async function claimsText(executor: Executor, run: RunState): Promise<string> {
  if (run.claims === undefined) return '';
  const said = claimsSchema.safeParse(JSON.parse((await textOf(executor, run.claims)) || 'null'));
  if (!said.success) return '';
  const { summary, claims } = said.data;
  const lines = claims.map((claim) => `  ${standingOf(claim, run.checks)}: ${oneLine(claim.statement, 500)}`);
  return ['What the agent says of its result', indent(summary, '  '), ...lines].join('\n');
}

function stateOf(result: CheckResult | undefined): string {
  if (!result) return 'not run';
  if (result.exitCode === null) return `ended by ${result.endedBy ?? 'unknown'}`;
  return passed(result) ? 'passed' : `failed (exit code ${result.exitCode})`;
}

async function logText(executor: Executor, run: RunState): Promise<string> {
  const lines = ['Log'];
  for (const digest of run.messages) {
    const parsed = conversationMessageSchema.safeParse(JSON.parse((await textOf(executor, digest)) || 'null'));
    if (!parsed.success) continue;
    for (const block of parsed.data.content) {
      if (block.type === 'text' && typeof block['text'] === 'string')
        lines.push(indent(block['text'], `  ${parsed.data.role}: `));
      if (block.type === 'tool_use')
        lines.push(`  → ${oneLine(`${String(block['name'])} ${JSON.stringify(block['input'])}`, 300)}`);
    }
  }
  return lines.length > 1 ? lines.join('\n') : '';
}

async function textOf(executor: Executor, digest: string): Promise<string> {
  const bytes = await executor.readBlob(digest);
  return bytes ? Buffer.from(bytes).toString('utf8') : '';
}

function tail(text: string): string {
  return text.length <= 2000 ? text : `[…]\n${text.slice(-2000)}`;
}

function indent(text: string, by: string): string {
  return makeVisible(text.trimEnd())
    .split('\n')
    .map((line) => by + line)
    .join('\n');
}
