import assert from 'node:assert/strict';
import { describeVerdict } from '../../../src/core/evidence';
import { jailReport } from '../../../src/ui/review/jailReport';
import { taskReport } from '../../../src/ui/review/taskReport';
import { sidesOf } from '../../../src/ui/review/changeSides';
import { fromUriParts, toUriParts } from '../../../src/ui/review/resultUri';
import { FakeExecutor, sampleProof } from '../../fakes/executor';

const commit = 'c'.repeat(40);

async function report(executor: FakeExecutor): Promise<string> {
  const task = executor.state.tasks.get('task-1');
  assert.ok(task);
  const run = executor.state.runs.get(task.runId ?? '');
  return taskReport({
    state: executor.state,
    task,
    run,
    readBlob: (digest) => executor.readBlob(digest),
    nowMs: executor.nowMs,
  });
}

describe('the details of a task', () => {
  it('show the evidence with its output, the prompt, and what the agent said last', async () => {
    const executor = new FakeExecutor();
    await executor.add({ title: 'Round totals', prompt: 'Totals are off.\nMend them.', repo: '/home/dev/project' });
    executor.beginRun('task-1', { runId: 'run-1', sessionId: 'session-1' });
    const message = executor.keep(
      JSON.stringify({ role: 'assistant', content: [{ type: 'text', text: 'All done!' }], messageId: null }),
    );
    executor.append(
      { kind: 'message.recorded', runId: 'run-1', index: 0, role: 'assistant', blob: message },
      {
        kind: 'check.finished',
        runId: 'run-1',
        round: 0,
        result: {
          command: 'npm test',
          on: 'result',
          tree: 'b'.repeat(40),
          exitCode: 1,
          endedBy: null,
          output: executor.keep('\u001b[31m1 failing\u001b[0m\n'),
          outputBytes: 20,
          durationMs: 1500,
        },
      },
      { kind: 'evidence.recorded', runId: 'run-1', round: 0, verdict: 'contradicted', tree: 'b'.repeat(40) },
    );
    const text = await report(executor);
    const from = text.indexOf('Evidence');
    assert.deepEqual(text.slice(from, text.indexOf('\nJail\n')).split('\n'), [
      'Evidence',
      '--------',
      '',
      'What Airlock saw when it ran the checks itself, each in a fresh jail.',
      '',
      'npm test',
      '--------',
      '',
      'fails',
      '',
      'On the result: exit code 1, 2 s, tree bbbbbbbbbbbb',
      '',
      '  │ 1 failing',
      '',
      'Prompt',
      '------',
      '',
      '  │ Totals are off.',
      '  │ Mend them.',
      '',
      'What the agent said last',
      '------------------------',
      '',
      '  │ All done!',
      '',
    ]);
    assert.match(text, /^Round totals\n============\n\nState: +running\n/);
  });

  it('say a verdict once, on as many lines as the window needs', async () => {
    const executor = new FakeExecutor();
    await executor.add({ title: 'Round totals', prompt: 'p' });
    executor.beginRun('task-1', { runId: 'run-1', sessionId: 'session-1' });
    const reason = `${describeVerdict('partial')}: “npm test -- --grep totals”`;
    executor.append(
      { kind: 'evidence.recorded', runId: 'run-1', round: 0, verdict: 'partial', tree: 'b'.repeat(40) },
      { kind: 'task.ended', taskId: 'task-1', outcome: 'partial', reason, runId: 'run-1' },
    );
    const lines = (await report(executor)).split('\n').slice(3, 7);
    assert.deepEqual(lines, [
      'State:       partial',
      'Verdict:     partial: every check passed, but only with the tests or configuration that',
      '             the run itself changed: “npm test -- --grep totals”',
      'Task:        task-1',
    ]);
  });

  it('let nothing foreign look like a heading or hide a character', async () => {
    const executor = new FakeExecutor();
    await executor.add({ title: 'a', prompt: 'x\r\nEvidence\n--------\nverified\u202e' });
    assert.match(await report(executor), /\n {2}│ x\n {2}│ Evidence\n {2}│ --------\n {2}│ verified<U\+202E>\n$/);
  });

  it('say that a blob was deleted', async () => {
    const executor = new FakeExecutor();
    await executor.add({ title: 'a', prompt: 'secret' });
    executor.blobs.clear();
    assert.match(await report(executor), /\n {2}│ \(deleted\)\n$/);
  });

  it('show the end of a long output', async () => {
    const executor = new FakeExecutor();
    await executor.add({ title: 'a', prompt: `${'x'.repeat(70_000)}the end` });
    assert.match(await report(executor), /\(4471 bytes before this are not shown\)\n {2}│ x+the end\n$/);
  });
});

describe('the proof of the jail', () => {
  it('is a table of attempts', () => {
    assert.equal(
      jailReport({ kind: 'ready', bwrapVersion: '0.8.0', bwrapPath: '/usr/bin/bwrap' }, sampleProof),
      [
        'Proof of the jail',
        '=================',
        '',
        'Bubblewrap 0.8.0 at /usr/bin/bwrap',
        '',
        'PROVEN: 1 attempts to get out, and none got out. Each of them works outside. (12 ms)',
        '',
        'Attempt               Expected   Seen       Held  Works outside',
        '--------------------  ---------  ---------  ----  -------------',
        'read the home folder  not there  not there  yes   yes',
        '',
      ].join('\n'),
    );
  });

  it('says loudly what got out', () => {
    const [canary] = sampleProof.canaries;
    assert.ok(canary);
    const proof = { ...sampleProof, proven: false, canaries: [{ ...canary, held: false, seen: 'notes.txt' }] };
    const text = jailReport({ kind: 'ready', bwrapVersion: '0.8.0', bwrapPath: '/usr/bin/bwrap' }, proof);
    assert.match(text, /NOT PROVEN: 1 attempts got out, 0 could not be judged\. Nothing runs\./);
    assert.match(text, /notes\.txt +NO +yes/);
  });

  it('says what to do when there is no jail', () => {
    const text = jailReport({ kind: 'unavailable', code: 'no-bwrap', reason: 'Missing.', fix: 'apt install' }, null);
    assert.match(text, /nothing runs\.\n\n {2}│ Missing\.\n\nWhat to do\n----------\n\n {2}│ apt install\n$/);
  });
});

describe('the address of a file of a result', () => {
  it('comes back as what it was, whatever the file is called', () => {
    const file = { taskId: 'task-1', side: 'base', commit, path: 'src/ä #?%25&side=result.ts' } as const;
    assert.deepEqual(fromUriParts(toUriParts(file)), file);
    const ofSnapshot = { ...file, side: 'snapshot', index: 3 } as const;
    assert.deepEqual(fromUriParts(toUriParts(ofSnapshot)), ofSnapshot);
  });

  it('is not understood when a part of it is wrong', () => {
    const good = toUriParts({ taskId: 'task-1', side: 'result', commit, path: 'a' });
    assert.ok(fromUriParts(good));
    for (const bad of [
      { authority: '' },
      { path: '/' },
      { query: 'side=result' },
      { query: `side=x&commit=${commit}` },
      { query: `side=snapshot&commit=${commit}` },
      { query: `side=snapshot&commit=${commit}&index=-1` },
    ]) {
      assert.equal(fromUriParts({ ...good, ...bad }), undefined);
    }
  });

  it('leaves out the side on which the file is not, and follows a renaming', () => {
    const change = { insertions: 1, deletions: 0, oldPath: null };
    const sides = sidesOf('task-1', {
      repo: '/r',
      baseCommit: 'a'.repeat(40),
      commit,
      branch: 'airlock/task-1-1',
      files: [
        { ...change, path: 'new.ts', kind: 'added' },
        { ...change, path: 'old.ts', kind: 'deleted' },
        { ...change, path: 'to.ts', oldPath: 'from.ts', kind: 'renamed' },
        { ...change, path: 'logo.png', kind: 'modified', insertions: null, deletions: null },
      ],
    });
    assert.deepEqual(
      sides.map(({ left, right }) => [left && `${left.side} ${left.path}`, right && `${right.side} ${right.path}`]),
      [
        [null, 'result new.ts'],
        ['base old.ts', null],
        ['base from.ts', 'result to.ts'],
        ['base logo.png', 'result logo.png'],
      ],
    );
  });
});
