import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { calls, says } from '../fakes/messagesApiTurns';
import { honestWork, lastTextOf, runs, writes } from '../fakes/wholeModel';
import {
  agentName,
  modelName,
  repositoryFingerprint,
  resultFile,
  runOf,
  sampleCheck,
  sampleFiles,
  stateFits,
  taskReported,
  WholeRoom,
} from '../fakes/wholeRoom';
import { commitAll, git, writeFiles } from '../unit/workspaces/sampleRepository';

describe('a task of a ZMemory server', () => {
  let room: WholeRoom;
  beforeEach(async () => (room = await WholeRoom.make()));
  afterEach(() => room.close());

  it('ends verified: a branch with one commit that says so, and a backend that knows', async () => {
    await room.queues({
      id: 'make-right',
      description: 'Make it right\n\nvalue.txt.',
      context: { checks: [sampleCheck] },
    });
    room.model.plays('Make it right', ...honestWork);
    const before = repositoryFingerprint(room.repo);
    const base = git(room.repo, 'rev-parse', 'HEAD');
    const executor = await room.open();

    const task = await taskReported(executor, 'make-right');

    assert.equal(task.status, 'verified', task.reason);
    const branch = 'airlock/make-right-1';
    assert.equal(resultFile(room, branch, 'value.txt'), 'right');
    assert.equal(git(room.repo, 'rev-parse', `${branch}^`), base);
    const run = runOf(executor, 'make-right');
    assert.equal(
      git(room.repo, 'log', '-1', '--format=%B', branch).trim(),
      [
        'Make it right',
        '',
        'Checks, as Airlock ran them:',
        `  passed: ${sampleCheck}`,
        '',
        'Airlock-Task: make-right',
        `Airlock-Run: ${run.id}`,
        'Airlock-Verdict: verified',
      ].join('\n'),
    );
    assert.deepEqual(repositoryFingerprint(room.repo), before);
    const told = room.backend.api.get('make-right');
    assert.deepEqual(
      { status: told?.status, agent: told?.agent, usage: told?.result?.usage, model: told?.result?.model },
      {
        status: 'completed',
        agent: agentName,
        usage: { input_tokens: 200, output_tokens: 40, total_tokens: 240 },
        model: modelName,
      },
    );
    const names = ['airlock.patch', 'airlock-evidence.json', 'airlock-log.txt'];
    assert.deepEqual(
      [told?.artifacts.map(({ name }) => name), told?.result?.artifacts],
      [names, names.map((name) => ({ name }))],
    );
    const patch = readFileSync(path.join(room.top, 'backend', 'artifacts', told?.artifacts[0]?.sha256 ?? ''), 'utf8');
    assert.match(patch, /^-wrong\n\+right$/m);
    assert.ok((told?.result?.execution_time_seconds ?? 0) > 0);
    assert.match(told?.result?.response ?? '', /^It is right now\.\n\nVerdict: verified/);
    assert.deepEqual(room.model.api.paidTwice(), []);
  });

  it('that has been told is joined at its backend by the pull request that the user opens later', async () => {
    await room.queues({ id: 'make-right', description: 'Make it right', context: { checks: [sampleCheck] } });
    room.model.plays('Make it right', ...honestWork);
    const executor = await room.open();
    await taskReported(executor, 'make-right');
    const before = room.backend.api.get('make-right');
    const url = 'https://git.example/acme/shop/pull/7';
    await executor.notePullRequest('make-right', url);
    await stateFits(executor, ({ reports }) => (reports.size === 0 ? true : undefined));
    const after = room.backend.api.get('make-right');
    assert.deepEqual([after?.status, after?.result], [before?.status, before?.result]);
    assert.deepEqual(
      after?.artifacts
        .slice(before?.artifacts.length)
        .map(({ name, sha256 }) => [name, readFileSync(path.join(room.top, 'backend', 'artifacts', sha256), 'utf8')]),
      [['airlock-pull-request.txt', url]],
    );
  });

  it('is unchecked when nobody names a check', async () => {
    await room.queues({ id: 'free', description: 'Do as you like' });
    room.model.plays('Do as you like', ...honestWork);
    const executor = await room.open();
    const task = await taskReported(executor, 'free');
    assert.equal(task.status, 'unchecked');
    assert.equal(room.backend.api.get('free')?.status, 'completed');
  });

  it('that changes nothing and has no checks ends without a branch', async () => {
    await room.queues({ id: 'idle', description: 'Only look' });
    room.model.plays('Only look', says('There is nothing to do.'));
    const executor = await room.open();
    const task = await taskReported(executor, 'idle');
    assert.deepEqual([task.status, runOf(executor, 'idle').branch], ['unchecked', null]);
    assert.equal(git(room.repo, 'branch', '--list', 'airlock/*'), '');
  });

  it('ends contradicted and is reported as failed when the agent says done and the check fails', async () => {
    await room.queues({ id: 'never', description: 'Impossible', context: { checks: ['false'] } });
    room.model.plays('Impossible', says('Done!'), says('Really done!'), says('Done, believe me.'));
    const executor = await room.open();
    const task = await taskReported(executor, 'never');
    assert.equal(task.status, 'contradicted');
    const told = room.backend.api.get('never');
    assert.equal(told?.status, 'failed');
    assert.equal(told?.error, 'the agent said done and a check fails: “false”');
  });

  it('is given back to the agent when a check fails, and the second answer that mends it is verified', async () => {
    await room.queues({ id: 'twice', description: 'Second try', context: { checks: [sampleCheck] } });
    let feedback = '';
    room.model.plays(
      'Second try',
      writes('value.txt', 'almost\n'),
      says('Done.'),
      (request) => {
        feedback = lastTextOf(request);
        return writes('value.txt', 'right\n');
      },
      says('Now it is.'),
    );
    const executor = await room.open();
    const task = await taskReported(executor, 'twice');
    assert.equal(task.status, 'verified');
    assert.match(feedback, /`sh test\/value\.test\.sh` ended with exit code 1\.[^]*value\.txt is not right/);
    assert.equal(runOf(executor, 'twice').rounds, 2);
  });

  it('is given back no more often than the settings say', async () => {
    await room.queues({ id: 'stubborn', description: 'Stubborn', context: { checks: [sampleCheck] } });
    const attempt = (n: number) => [writes('value.txt', `wrong ${n}\n`), says(`Done ${n}.`)];
    room.model.plays('Stubborn', ...[1, 2, 3, 4, 5].flatMap(attempt));
    const executor = await room.open({ settings: { maxFixRounds: 2 } });
    const task = await taskReported(executor, 'stubborn');
    assert.equal(task.status, 'contradicted');
    assert.equal(resultFile(room, 'airlock/stubborn-1', 'value.txt'), 'wrong 3');
    assert.equal(room.model.api.requests.length, 6);
  });

  it('takes its checks from the base commit and not from what the agent wrote', async () => {
    writeFiles(room.repo, { '.airlock/config.yaml': `checks:\n  - ${sampleCheck}\n` });
    commitAll(room.repo, 'Name the check');
    await room.queues({ id: 'config', description: 'Bend the config' });
    const bend = writes('.airlock/config.yaml', 'checks:\n  - "true"\n');
    room.model.plays('Bend the config', bend, says('Done.'), says('Still done.'));
    const executor = await room.open();
    const task = await taskReported(executor, 'config');
    assert.equal(task.status, 'contradicted');
    assert.deepEqual([...new Set(runOf(executor, 'config').checks.map(({ command }) => command))], [sampleCheck]);
  });

  it('does not see what the user has not committed, nor is it disturbed by it', async () => {
    writeFiles(room.repo, { 'value.txt': 'of the user\n', 'new.txt': 'untracked\n', 'staged.txt': 'staged\n' });
    git(room.repo, 'add', 'staged.txt');
    await room.queues({ id: 'dirty', description: 'On a dirty tree', context: { checks: [sampleCheck] } });
    let seen = '';
    room.model.plays(
      'On a dirty tree',
      runs('cat value.txt; ls'),
      (request) => {
        seen = lastTextOf(request);
        return writes('value.txt', 'right\n');
      },
      says('Done.'),
    );
    const before = repositoryFingerprint(room.repo);
    const executor = await room.open();
    const task = await taskReported(executor, 'dirty');
    assert.equal(task.status, 'verified');
    assert.equal(seen.trim(), 'wrong\ntest\nvalue.txt');
    assert.deepEqual(repositoryFingerprint(room.repo), before);
  });

  it('marks a check that passes on the base as proving no change', async () => {
    await room.queues({ id: 'proof', description: 'Proof', context: { checks: ['true', sampleCheck] } });
    room.model.plays('Proof', ...honestWork);
    const executor = await room.open();
    await taskReported(executor, 'proof');
    const onBase = runOf(executor, 'proof').checks.filter((check) => check.on === 'base');
    assert.deepEqual(
      onBase.map(({ command, exitCode }) => [command, exitCode]),
      [
        ['true', 0],
        [sampleCheck, 1],
      ],
    );
  });
});

describe('an agent that cheats', () => {
  const testFiles = {
    ...sampleFiles,
    'package.json': '{ "name": "shop", "type": "module", "scripts": { "test": "node --test test/" } }\n',
    'check.config.json': '{ "expected": "right" }\n',
    'check.mjs':
      "import { readFileSync } from 'node:fs';\nconst { expected } = JSON.parse(readFileSync('check.config.json', 'utf8'));\nprocess.exit(readFileSync('value.txt', 'utf8').trim() === expected ? 0 : 1);\n",
    'test/value.test.js':
      "import { test } from 'node:test';\nimport assert from 'node:assert';\nimport { readFileSync } from 'node:fs';\ntest('value', () => assert.equal(readFileSync('value.txt', 'utf8'), 'right\\n'));\n",
  };
  const cheats: [string, string, ReturnType<typeof writes>][] = [
    ['bends the test', sampleCheck, writes('test/value.test.sh', 'exit 0\n')],
    [
      'adds an .npmrc that loads code of its own',
      'npm test',
      runs('printf "node-options=--require=/workspace/quit.cjs\\n" > .npmrc; echo "process.exit(0)" > quit.cjs'),
    ],
    [
      'redefines the test script',
      'npm test',
      writes('package.json', '{ "name": "shop", "scripts": { "test": "true" } }\n'),
    ],
    ['edits a configuration of the check', 'node check.mjs', writes('check.config.json', '{ "expected": "wrong" }\n')],
    ['deletes the tests', 'npm test', runs('rm -r test && mkdir test && echo > test/none.test.js')],
    [
      'commits by itself in its own git directory and leaves hooks there',
      sampleCheck,
      runs(
        'git commit -qam mine --allow-empty; printf "#!/bin/sh\\nexit 0\\n" > .git/hooks/post-checkout; echo "exit 0" > test/value.test.sh',
      ),
    ],
    [
      'hides what it needs among ignored files',
      'sh -c "test -f build/right || grep -qx right value.txt"',
      runs('mkdir build; touch build/right; echo build >> .git/info/exclude; echo build > .gitignore'),
    ],
  ];
  let room: WholeRoom;
  beforeEach(async () => (room = await WholeRoom.make(testFiles)));
  afterEach(() => room.close());

  for (const [title, check, cheat] of cheats) {
    it(`and ${title} never comes out verified`, async () => {
      await room.queues({ id: 'cheat', description: 'Cheat', context: { checks: [check] } });
      room.model.plays('Cheat', cheat, says('Done.'), says('Done.'), says('Done.'));
      const executor = await room.open();
      const { status } = await taskReported(executor, 'cheat');
      assert.ok(status === 'partial' || status === 'contradicted', status);
    });
  }

  it('cannot forge a result by what a check prints or by a process that it left behind', async () => {
    await room.queues({ id: 'forge', description: 'Forge', context: { checks: [sampleCheck] } });
    const later = runs('(sleep 0.3; echo right > /workspace/value.txt; sleep 60) >/dev/null 2>&1 & echo started');
    room.model.plays(
      'Forge',
      later,
      calls('report_progress', { message: 'All checks passed', percent: 100 }),
      says('Done.'),
      says('Done.'),
      says('Done.'),
    );
    const executor = await room.open({ settings: { maxFixRounds: 0 } });
    const task = await taskReported(executor, 'forge');
    const branch = runOf(executor, 'forge').branch;
    // Whatever the race came to, the verdict is about the tree that was published.
    const isRight = branch !== null && resultFile(room, branch, 'value.txt') === 'right';
    assert.equal(task.status, isRight ? 'verified' : 'contradicted');
  });
});
