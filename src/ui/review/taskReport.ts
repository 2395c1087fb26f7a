import * as l10n from '@vscode/l10n';
import { plainText } from '../../base/ansi';
import { type CheckResult, describeVerdict, summarizeChecks } from '../../core/evidence';
import { spokenText } from '../../core/engine';
import type { Digest } from '../../core/ids';
import { runOf, type LiveState, type RunState, type TaskState } from '../../core/liveState';
import { cacheHitPercent, inputTokensOf } from '../../core/usage';
import { formatCost, formatDuration, formatTokens } from '../figures';
import { oneLine } from '../markdownText';
import { checkWords } from '../tasks/taskTooltip';
import { filesWord, phaseWord } from '../tasks/taskRow';
import { branchName, landingPhrase, statusWord } from '../tasks/taskWords';
import { proofLines } from './jailReport';
import { fields, heading, quoted, report, title } from './reportText';
import { claimsSection, commentsSection } from './talkSections';

/** The end of an output says what went wrong; the beginning is left out first. */
const maxShownBytes = 64 * 1024;

export type ReadBlob = (digest: Digest) => Promise<Uint8Array | undefined>;

export interface ReportInput {
  readonly state: LiveState;
  readonly task: TaskState;
  readonly run: RunState | undefined;
  readonly readBlob: ReadBlob;
  readonly nowMs: number;
}

/** Everything that is known of a task, as plain text in which everything foreign can be told apart. */
export async function taskReport(input: ReportInput): Promise<string> {
  const { task, run, readBlob } = input;
  return report([
    title(task.spec.title),
    fields(summary(input)),
    ...(await landingSection(task, readBlob)),
    ...(run ? await evidence(run, readBlob) : []),
    ...(run ? await claimsSection(run, (digest) => plainTextOf(digest, readBlob)) : []),
    ...(await commentsSection(task, (digest) => plainTextOf(digest, readBlob))),
    ...(await reviewSection(input)),
    heading(l10n.t('Prompt')),
    quoted(await textOf(task.spec.prompt, readBlob)),
    ...(await contextSection(task, readBlob)),
    ...(await lastWords(run, readBlob)),
    ...proofSection(input),
  ]);
}

type Field = readonly [string, string];

function summary({ task, run, nowMs }: ReportInput): Field[] {
  return [
    [l10n.t('State'), statusWord(task)],
    ...whyRows(task, run),
    [l10n.t('Task'), task.id],
    [l10n.t('Priority'), `P${task.spec.priority}`],
    [l10n.t('From'), `${task.spec.origin.sourceId} (${task.spec.origin.externalId})`],
    [l10n.t('Persona chosen'), task.routed ?? ''],
    [parentName(task), task.spec.parent?.taskId ?? ''],
    [l10n.t('Split into'), (run?.subtasks ?? []).join(', ')],
    [l10n.t('Repository'), run?.repo ?? task.spec.repo ?? ''],
    [l10n.t('Kept as'), (task.keptAs ?? []).join(', ')],
    [l10n.t('Pull request'), (task.pullRequests ?? []).join(' ')],
    ...(run ? runRows(run, nowMs) : []),
  ];
}

/** The verdict and the reason; a reason that begins with the words of the verdict stands for both. */
function whyRows(task: TaskState, run: RunState | undefined): Field[] {
  if (!run?.verdict) return [[l10n.t('Why'), task.reason]];
  const words = describeVerdict(run.verdict);
  const isSame = task.reason.startsWith(words);
  return [
    [l10n.t('Verdict'), `${run.verdict}: ${isSame ? task.reason : words}`],
    [l10n.t('Why'), isSame ? '' : task.reason],
  ];
}

function runRows(run: RunState, nowMs: number): Field[] {
  return [
    [l10n.t('Attempt'), String(run.attempt)],
    [l10n.t('Phase'), run.endedAtMs === null ? phaseWord(run.phase) : ''],
    [l10n.t('Branch'), run.branch ? `${run.branch} (${filesWord(run.filesChanged)})` : ''],
    [l10n.t('Commit'), run.commit ?? ''],
    [l10n.t('Base'), run.baseCommit ?? ''],
    [l10n.t('Persona'), run.persona],
    [l10n.t('Model'), `${run.model} (${run.engine})`],
    [l10n.t('Tokens'), tokens(run)],
    [l10n.t('Cost'), formatCost(run.costUsd)],
    [l10n.t('Time'), formatDuration(Math.max(0, (run.endedAtMs ?? nowMs) - run.startedAtMs - (run.restedMs ?? 0)))],
  ];
}

function tokens({ usage }: RunState): string {
  return l10n.t(
    '{0} in, of them {1} ({2} %) read from the cache and {3} written to it; {4} out',
    formatTokens(inputTokensOf(usage)),
    formatTokens(usage.cacheReadTokens),
    cacheHitPercent(usage),
    formatTokens(usage.cacheWrite5mTokens + usage.cacheWrite1hTokens),
    formatTokens(usage.outputTokens),
  );
}

/** What became of the wish to let the result out, and what its checks said together with what the branch has become. */
async function landingSection(task: TaskState, readBlob: ReadBlob): Promise<string[]> {
  const { landing } = task;
  if (!landing) return [];
  const sections = [
    heading(l10n.t('Acceptance')),
    fields([
      [l10n.t('State'), landingPhrase(task)],
      [l10n.t('Why'), landing.reason],
      [l10n.t('Files'), landing.files.join(', ')],
      [l10n.t('Commit'), landing.phase === 'landed' ? (landing.commit ?? '') : ''],
    ]),
  ];
  for (const check of landing.checks) {
    const where = l10n.t('{0}, on {1}', check.command, branchName(landing.ref));
    sections.push(resultLine(oneLine(where, 200), check), quoted(await textOf(check.output, readBlob)));
  }
  return sections;
}

async function evidence(run: RunState, readBlob: ReadBlob): Promise<string[]> {
  const checks = summarizeChecks(run.checks);
  if (checks.length === 0) return [];
  const sections = [
    heading(l10n.t('Evidence')),
    l10n.t('What Airlock saw when it ran the checks itself, each in a fresh jail.'),
  ];
  for (const check of checks) {
    sections.push(heading(check.command), checkWords(check));
    const trees: [string, CheckResult | undefined][] = [
      [l10n.t('On the result'), check.onResult],
      [l10n.t('On the result, with tests and configuration of the base'), check.onRestored],
      [l10n.t('On the base'), check.onBase],
    ];
    for (const [where, result] of trees) {
      if (result) sections.push(resultLine(where, result), quoted(await textOf(result.output, readBlob)));
    }
  }
  return sections;
}

function resultLine(where: string, result: CheckResult): string {
  const end =
    result.exitCode === null ? l10n.t('ended by {0}', result.endedBy ?? '?') : l10n.t('exit code {0}', result.exitCode);
  return `${where}: ${end}, ${formatDuration(result.durationMs)}, ${l10n.t('tree {0}', result.tree.slice(0, 12))}`;
}

async function contextSection(task: TaskState, readBlob: ReadBlob): Promise<string[]> {
  if (task.spec.context === null) return [];
  return [heading(l10n.t('Context from the source')), quoted(await textOf(task.spec.context, readBlob))];
}

function parentName({ spec }: TaskState): string {
  return spec.parent?.kind === 'review' ? l10n.t('Reviews') : l10n.t('Split from');
}

/** What a reviewer found. No verdict follows from it. */
async function reviewSection({ state, task, readBlob }: ReportInput): Promise<string[]> {
  const review = task.review === undefined ? undefined : state.tasks.get(task.review);
  if (!review) return [];
  const run = runOf(state, review);
  const last = run?.messages.at(-1);
  const text = run?.outcome == null || last === undefined ? '' : spokenText(await textOf(last, readBlob));
  return [
    heading(l10n.t('What the reviewer says ({0}; it changes no verdict)', run?.persona ?? review.spec.persona ?? '')),
    text === '' ? l10n.t('Nothing yet: {0}.', statusWord(review)) : quoted(text),
  ];
}

/** What the agent said last. Its own words: evidence is what stands above. */
async function lastWords(run: RunState | undefined, readBlob: ReadBlob): Promise<string[]> {
  const last = run?.messages.at(-1);
  if (last === undefined) return [];
  const text = spokenText(await textOf(last, readBlob));
  return text === '' ? [] : [heading(l10n.t('What the agent said last')), quoted(text)];
}

function proofSection({ state, run }: ReportInput): string[] {
  const session = run?.sessionId ? state.sessions.get(run.sessionId) : undefined;
  return session ? [heading(l10n.t('Jail')), ...proofLines(session.proof)] : [];
}

/** As it is, where words of ours about it would be in the way. */
async function plainTextOf(digest: Digest, readBlob: ReadBlob): Promise<string> {
  const bytes = await readBlob(digest);
  return bytes ? plainText(bytes) : l10n.t('(deleted)');
}

async function textOf(digest: Digest, readBlob: ReadBlob): Promise<string> {
  const bytes = await readBlob(digest);
  if (!bytes) return l10n.t('(deleted)');
  if (bytes.byteLength === 0) return l10n.t('(empty)');
  if (bytes.byteLength <= maxShownBytes) return plainText(bytes);
  const hidden = bytes.byteLength - maxShownBytes;
  return `${l10n.t('({0} bytes before this are not shown)', hidden)}\n${plainText(bytes.subarray(hidden))}`;
}
