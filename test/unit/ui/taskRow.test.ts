import assert from 'node:assert/strict';
import type { EventBody } from '../../../src/core/events';
import { abilitiesOf } from '../../../src/ui/tasks/abilities';
import { groupOf } from '../../../src/ui/tasks/taskGroup';
import { rowOf, type RowInput } from '../../../src/ui/tasks/taskRow';
import { tooltipOf } from '../../../src/ui/tasks/taskTooltip';
import { FakeExecutor } from '../../fakes/executor';

const digest = 'd'.repeat(64);
const tree = 'b'.repeat(40);
const usage = {
  inputTokens: 1200,
  outputTokens: 300,
  cacheWrite5mTokens: 0,
  cacheWrite1hTokens: 0,
  cacheReadTokens: 8000,
};

function inputOf(executor: FakeExecutor, taskId = 'task-1'): RowInput {
  const task = executor.state.tasks.get(taskId);
  assert.ok(task);
  const report = [...executor.state.reports.values()].at(-1);
  return {
    state: executor.state,
    task,
    abilities: abilitiesOf(executor.state, task, {
      result: false,
      hasDeadReport: report?.status === 'dead',
      deadReport: false,
    }),
    report,
    nowMs: executor.nowMs,
  };
}

async function withTask(title = 'Round totals'): Promise<FakeExecutor> {
  const executor = new FakeExecutor();
  await executor.add({ title, prompt: 'p', repo: '/home/dev/project' });
  return executor;
}

async function running(): Promise<FakeExecutor> {
  const executor = await withTask();
  executor.beginRun('task-1', { runId: 'run-1', sessionId: 'session-1' });
  return executor;
}

function check(on: 'base' | 'result' | 'restored', exitCode: number): EventBody {
  const result = {
    command: 'npm test',
    on,
    tree,
    exitCode,
    endedBy: null,
    output: digest,
    outputBytes: 1,
    durationMs: 5,
  };
  return { kind: 'check.finished', runId: 'run-1', round: 0, result };
}

async function verified(costUsd: number | null = 0.0123): Promise<FakeExecutor> {
  const executor = await running();
  executor.append(
    { kind: 'usage.recorded', runId: 'run-1', model: 'm', usage, costUsd },
    check('base', 1),
    check('result', 0),
    check('restored', 0),
    { kind: 'evidence.recorded', runId: 'run-1', round: 0, verdict: 'verified', tree },
    {
      kind: 'result.published',
      runId: 'run-1',
      branch: 'airlock/task-1-1',
      commit: 'c'.repeat(40),
      filesChanged: 2,
      insertions: 5,
      deletions: 1,
    },
    { kind: 'session.closed', sessionId: 'session-1', reason: 'done', breach: null },
    { kind: 'task.ended', taskId: 'task-1', outcome: 'verified', reason: '', runId: 'run-1' },
  );
  return executor;
}

describe('the row of a task', () => {
  it('says how urgent a queued task is, and offers to run or cancel it', async () => {
    assert.deepEqual(rowOf(inputOf(await withTask())), {
      label: 'Round totals',
      description: 'P2',
      icon: { id: 'circle-large-outline', color: null },
      contextValue: ' task queued cancel runNow pause move showDetails ',
      accessibleLabel: 'Round totals, queued, P2',
    });
  });

  it('says what a running task is doing right now, and how far it is', async () => {
    const executor = await running();
    assert.equal(rowOf(inputOf(executor)).description, 'working');
    executor.append({ kind: 'run.progress', runId: 'run-1', message: 'reading src/total.ts', percent: 39.6 });
    assert.deepEqual(rowOf(inputOf(executor)), {
      label: 'Round totals',
      description: '40 % · reading src/total.ts',
      icon: { id: 'loading~spin', color: 'charts.blue' },
      contextValue: ' task running cancel pause openTerminal takeOver showDetails ',
      accessibleLabel: 'Round totals, running, 40 % · reading src/total.ts',
    });
  });

  it('says that the user has the keyboard, and offers to give it back', async () => {
    const executor = await running();
    executor.append({ kind: 'session.takenOver', sessionId: 'session-1' });
    const { description, contextValue } = rowOf(inputOf(executor));
    assert.deepEqual(
      [description, contextValue],
      ['you have the keyboard', ' task running cancel pause openTerminal giveBack showDetails '],
    );
    executor.append({ kind: 'session.givenBack', sessionId: 'session-1', changedFiles: null });
    assert.equal(rowOf(inputOf(executor)).description, 'working');
  });

  it('says what came of it, what changed, and what it cost', async () => {
    assert.deepEqual(rowOf(inputOf(await verified())), {
      label: 'Round totals',
      description: 'verified · 2 files · $0.0123',
      icon: { id: 'verified-filled', color: 'testing.iconPassed' },
      contextValue: ' task verified openChanges copyBranchName showDetails accept discard ',
      accessibleLabel: 'Round totals, verified, verified · 2 files · $0.0123',
    });
  });

  it('follows a result on its way out, and offers to take it back', async () => {
    const executor = await verified();
    const ref = 'refs/heads/main';
    const row = (): (string | null)[] => {
      const { description, icon, contextValue } = rowOf(inputOf(executor));
      return [description.split(' · ')[0] ?? '', icon.id, contextValue];
    };
    executor.append({ kind: 'landing.waiting', taskId: 'task-1' });
    assert.deepEqual(row(), [
      'waits for its turn to be let out',
      'loading~spin',
      ' task verified openChanges copyBranchName showDetails cancelAccept ',
    ]);
    executor.append({ kind: 'landing.started', taskId: 'task-1', runId: 'run-2', ref, only: null, resolved: [] });
    assert.deepEqual(row(), [
      'being laid over main',
      'loading~spin',
      ' task verified openChanges copyBranchName showDetails cancelAccept ',
    ]);
    await executor.land('task-1');
    assert.deepEqual(row(), [
      'landed on main',
      'git-merge',
      ' task landed openChanges copyBranchName showDetails undoAccept ',
    ]);
    await executor.undoLanding('task-1');
    assert.deepEqual(row(), [
      'verified',
      'verified-filled',
      ' task verified openChanges copyBranchName showDetails accept discard ',
    ]);
    await executor.discard('task-1');
    assert.deepEqual(row(), ['discarded', 'trash', ' task discarded retry showDetails ']);
  });

  it('says what was in the way of a result, and asks for a look at it', async () => {
    const executor = await verified();
    const failure = (code: string, ...files: string[]): EventBody[] => [
      { kind: 'landing.started', taskId: 'task-1', runId: 'run-2', ref: 'refs/heads/main', only: null, resolved: [] },
      {
        kind: 'landing.failed',
        taskId: 'task-1',
        code,
        reason: 'It did not work out.',
        files,
        target: null,
        conflicts: [],
      },
    ];
    const row = (): unknown[] => {
      const input = inputOf(executor);
      return [rowOf(input).description.split(' · ')[0], input.abilities.has('retry'), groupOf(input.task, false)];
    };
    executor.append(...failure('landing-conflict', 'a.ts'));
    assert.deepEqual(row(), ['not accepted: conflict in a.ts', true, 'needsYou']);
    executor.append(...failure('landing-conflict', 'a.ts', 'b.ts'));
    assert.deepEqual(row(), ['not accepted: conflicts in 2 files', true, 'needsYou']);
    executor.append(...failure('landing-check-failed'));
    assert.deepEqual(row(), ['not accepted: a check fails on main', true, 'needsYou']);
    executor.append(...failure('landing-overwrites'));
    assert.deepEqual(row(), ['not accepted: uncommitted changes are in the way', false, 'needsYou']);
    executor.append(...failure('landing-interrupted'));
    assert.deepEqual(row(), ['not accepted: It did not work out.', false, 'needsYou']);
  });

  it('offers to put files back while they are in their folder, and to read snapshots as long as they are there', async () => {
    const executor = await running();
    const can = (): string[] =>
      [...inputOf(executor).abilities].filter((ability) => /snapshot/i.test(ability)).toSorted();
    assert.deepEqual(can(), []);
    const names = { runId: 'run-1', tree, commit: 'e'.repeat(40) };
    executor.append({ kind: 'snapshot.taken', ...names, index: 1, cause: 'turn', filesChanged: 2 });
    assert.deepEqual(can(), ['readSnapshots', 'restoreSnapshot']);
    executor.append(
      {
        kind: 'result.published',
        runId: 'run-1',
        branch: 'airlock/task-1-1',
        commit: 'c'.repeat(40),
        filesChanged: 2,
        insertions: 5,
        deletions: 1,
      },
      { kind: 'task.ended', taskId: 'task-1', outcome: 'verified', reason: '', runId: 'run-1' },
    );
    assert.deepEqual(can(), ['readSnapshots']);
    await executor.discard('task-1');
    assert.deepEqual(can(), []);
  });

  it('gives tokens where the price is not known', async () => {
    assert.equal(rowOf(inputOf(await verified(null))).description, 'verified · 2 files · 9.5k tokens');
  });

  it('says when a source refused the report for good', async () => {
    const executor = await verified();
    const report = {
      reportId: 'r',
      taskId: 'task-1',
      sourceId: 's',
      externalId: 'x',
      kind: 'complete',
      body: digest,
    } as const;
    executor.append(
      { kind: 'report.queued', report },
      { kind: 'report.dead', taskId: 'task-1', reportId: 'r', error: 'gone' },
    );
    assert.match(rowOf(inputOf(executor)).description, /its source refused the report/);
    assert.match(tooltipOf(inputOf(executor)), /refused the report for good\. gone/);
  });

  it('offers to say which repository a task is for only when nobody could tell', async () => {
    const executor = new FakeExecutor();
    await executor.add({ title: 'a', prompt: 'p' });
    executor.append({ kind: 'task.waiting', taskId: 'task-1', on: 'user', reason: 'Which repository?' });
    assert.equal(rowOf(inputOf(executor)).contextValue, ' task waiting cancel assignRepository showDetails ');
    await executor.assignRepository('task-1', '/home/dev/project');
    executor.append({ kind: 'task.waiting', taskId: 'task-1', on: 'user', reason: 'No key.' });
    assert.equal(rowOf(inputOf(executor)).contextValue, ' task waiting cancel retry showDetails ');
  });

  it('offers to answer an agent that asks, until it has its answer', async () => {
    const executor = await running();
    executor.append(
      { kind: 'question.asked', runId: 'run-1', callId: 'call-1', text: 'Which colour?' },
      { kind: 'session.closed', sessionId: 'session-1', reason: 'It waits.', breach: null },
      { kind: 'task.waiting', taskId: 'task-1', on: 'user', reason: 'The agent asks: Which colour?' },
    );
    assert.match(rowOf(inputOf(executor)).contextValue, / answer /);
    assert.match(rowOf(inputOf(executor)).description, /Which colour\?/);
    executor.append({ kind: 'question.answered', runId: 'run-1', answer: digest });
    assert.doesNotMatch(rowOf(inputOf(executor)).contextValue, / answer /);
  });

  it('names what touches the same lines on both rows: of a run that goes on, and of a result until it is decided', async () => {
    const executor = await verified();
    await executor.add({ title: 'Other', prompt: 'p' });
    executor.beginRun('task-2', { runId: 'run-2', sessionId: 'session-2' });
    const files = ['src/a.ts'];
    executor.append(
      { kind: 'overlap.found', taskId: 'task-1', overlaps: [{ with: 'task-2', files }] },
      { kind: 'overlap.found', taskId: 'task-2', overlaps: [{ with: 'task-1', files }] },
    );
    const words = (taskId: string): string => rowOf(inputOf(executor, taskId)).description;
    assert.match(words('task-1'), /^verified · touches the same lines as “Other” · 2 files/);
    assert.match(words('task-2'), /^touches the same lines as “Round totals” · /);
    assert.match(
      tooltipOf(inputOf(executor)).replaceAll('\\', ''),
      /\n- Touches the same lines as “Other”: src\/a\.ts\n/,
    );
    executor.append({ kind: 'task.waiting', taskId: 'task-2', on: 'user', reason: 'Which colour?' });
    assert.equal(words('task-2'), 'Which colour? · touches the same lines as “Round totals”');
    executor.append({ kind: 'task.discarded', taskId: 'task-1' });
    assert.doesNotMatch(`${words('task-1')} ${tooltipOf(inputOf(executor))}`, /the same lines/);
  });

  it('shows unseen characters of a title, and keeps it on one line', async () => {
    const executor = await withTask('a\u202eb\nc\u200b');
    assert.equal(rowOf(inputOf(executor)).label, 'a<U+202E>b c<U+200B>');
  });
});

describe('the tooltip of a task', () => {
  it('tells verdict, checks, branch, tokens, cost and time', async () => {
    const executor = await verified();
    assert.equal(
      tooltipOf(inputOf(executor)).replaceAll('\\', ''),
      [
        '**Round totals**',
        'verified: every check passed, also with the tests and configuration of the base',
        '- npm test: passes',
        [
          'Repository: /home/dev/project',
          'Branch: airlock/task-1-1 (2 files)',
          'Attempt 1, 11 s',
          'Model: scripted-1',
          'Tokens: 9.2k in (86 % from the cache), 300 out · $0.0123',
          'From: user',
        ].join('  \n'),
      ].join('\n\n'),
    );
  });

  it('names the branches of yours that were made of its result', async () => {
    const executor = await verified();
    executor.append({ kind: 'result.kept', taskId: 'task-1', branch: 'round-totals', commit: 'c'.repeat(40) });
    assert.match(tooltipOf(inputOf(executor)).replaceAll('\\', ''), /\(2 files\) {2}\nKept as: round-totals {2}\n/);
  });

  it('leads to the pull requests that were opened of its result', async () => {
    const executor = await verified();
    executor.append({ kind: 'pullRequest.opened', taskId: 'task-1', url: 'https://git.example/a/b_c/pull/7' });
    assert.ok(
      tooltipOf(inputOf(executor)).includes(
        'Pull request: [https\\:\\/\\/git\\.example\\/a\\/b\\_c\\/pull\\/7](<https://git.example/a/b_c/pull/7>)',
      ),
    );
  });

  it('makes nothing but text of what a backend wrote', async () => {
    const executor = await withTask('![x](https://evil.example/a.png) [y](command:z) <b> https://evil.example');
    const [first] = tooltipOf(inputOf(executor)).split('\n');
    assert.doesNotMatch(first?.replaceAll(/\\[!-/:-@[-`{-~]/g, '') ?? '', /[[\]()<>:/!]/);
  });
});
