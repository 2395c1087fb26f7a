import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { badRequest } from '../fakes/messagesApiTurns';
import type { WholeCommand } from '../fakes/wholeCommand';
import { honestWork } from '../fakes/wholeModel';
import { git, makeRepository } from '../unit/workspaces/sampleRepository';
import { resultFile, sampleCheck, sampleFiles, stateFits, taskReported, WholeRoom } from '../fakes/wholeRoom';
import type { Diagnostic } from '../../src/core/diagnostic';
import type { Executor } from '../../src/core/executor';
import { isEnded } from '../../src/core/task';

/** Resolves when there are so many tasks, all of them over, and their sources know it. */
function allTold(executor: Executor, count: number): Promise<true> {
  return stateFits(executor, ({ tasks, reports }) => {
    const areOver = tasks.size === count && [...tasks.values()].every(({ status }) => isEnded(status));
    return areOver && reports.size === 0 ? true : undefined;
  });
}

describe('tasks from files of a repository', () => {
  let room: WholeRoom;
  beforeEach(async () => (room = await WholeRoom.make()));
  afterEach(() => room.close());

  it('works a table off row by row, and shows what came of it with all else as it was', async function () {
    this.timeout(120_000);
    const before = [
      '# Tasks\r\n',
      '\r\n',
      '| ID  | Title     | Status      | Priority | Owner   | Notes | Checks |\r\n',
      '|:----|-----------|-------------|---------:|---------|-------|--------|\r\n',
      `| T-1 | Put right | Todo        | P1       |         | ask \\| Bob 😀 | \`${sampleCheck}\` |\r\n`,
      '| T-2 | Not ours  | Todo        | P0       | anna    | |\n',
      '| T-3 | Fail it   | Todo        | P2       |\r\n',
      '| T-4 | Not now   | Todo        | P3       |         |       |\r\n',
      '\r\nThe end',
    ].join('');
    const file = path.join(room.repo, 'docs', 'TASKS.md');
    mkdirSync(path.dirname(file));
    writeFileSync(file, before);
    room.model.plays('Put right', ...honestWork);
    room.model.plays('Fail it', badRequest('not today'));
    const end = await room.command(['work', '--task-file', '--rows', 'P1,T-3', '--until-idle']).exited;
    const after = readFileSync(file, 'utf8');
    assert.equal(end.code, 1, end.stdout + end.stderr);
    const branch = /branch (airlock\/t-1-[0-9a-f]{8}-1) \(([0-9a-f]{10})\)\]/.exec(after);
    assert.ok(branch?.[1] && branch[2], after);
    assert.equal(resultFile(room, branch[1], 'value.txt'), 'right');
    assert.ok(git(room.repo, 'rev-parse', branch[1]).startsWith(branch[2]));
    const lines = new Map([
      [
        'T-1',
        `| T-1 | Put right | Review      | P1       | airlock | ask \\| Bob 😀 [Airlock: verified, ${branch[0]} | \`${sampleCheck}\` |\r\n`,
      ],
      ['T-3', '| T-3 | Fail it   | Blocked     | P2       | airlock | [Airlock: failed, …] |\r\n'],
    ]);
    assert.deepEqual(
      after.replace(/(\[Airlock: failed, )[^|]*\]/, '$1…]').split(/(?<=\n)/),
      before.split(/(?<=\n)/).map((line) => lines.get(line.slice(2, 5)) ?? line),
    );
  });

  it('writes the page of a pull request into the note of its row, whatever a person has made of its status', async () => {
    const file = path.join(room.repo, 'TASKS.md');
    const table = (row: string): string => `| ID | Title | Status | Owner | Notes | Checks |\n|-|-|-|-|-|-|\n${row}\n`;
    writeFileSync(file, table(`| T-1 | Put right | Todo | | mine | \`${sampleCheck}\` |`));
    room.model.plays('Put right', ...honestWork);
    const source = { kind: 'taskFile', repo: room.repo, file: 'TASKS.md', agent: 'airlock', rows: 'T-1' } as const;
    const executor = await room.open({ sources: [{ ...source, mayBeMissing: false }] });
    const [taskId] = await stateFits(executor, ({ tasks }) => (tasks.size === 1 ? [...tasks.keys()] : undefined));
    assert.ok(taskId !== undefined);
    assert.equal((await taskReported(executor, taskId)).status, 'verified');
    writeFileSync(file, readFileSync(file, 'utf8').replace(/\| Review +\|/, '| Done |'));
    const url = 'https://git.example/acme/shop/pull/7';
    await assert.rejects(executor.notePullRequest(taskId, 'http://git.example/acme'), { code: 'pull-request-invalid' });
    await executor.notePullRequest(taskId, url);
    await executor.notePullRequest(taskId, url);
    assert.deepEqual(executor.state.tasks.get(taskId)?.pullRequests, [url]);
    await stateFits(executor, ({ reports }) => (reports.size === 0 ? true : undefined));
    assert.match(
      readFileSync(file, 'utf8'),
      /\| Done \| airlock \| mine \[Airlock: verified, branch airlock\/\S+ \([0-9a-f]{10}\), https:\/\/git\.example\/acme\/shop\/pull\/7\] \|/,
    );
    await executor.shutdown();
    const shown = await room.command(['show', taskId]).exited;
    assert.match(shown.stdout, /^pull request https:\/\/git\.example\/acme\/shop\/pull\/7$/m);
  });

  it('works off what lies in the folder of another process, for as long as that is there', async () => {
    const table = (...rows: string[]): string =>
      `| ID | Title | Status | Owner | Checks |\n|-|-|-|-|-|\n${rows.join('\n')}\n`;
    const other = path.join(room.top, 'other');
    makeRepository(other, { ...sampleFiles, 'TASKS.md': table(`| T-1 | Put right | Todo | | \`${sampleCheck}\` |`) });
    mkdirSync(path.join(other, '.airlock', 'tasks'), { recursive: true });
    writeFileSync(path.join(other, '.airlock', 'tasks', 'wrong.yaml'), 'name: Wrong\n');
    const file = path.join(other, 'TASKS.md');
    room.model.plays('Put right', ...honestWork);
    room.model.plays('Go on', ...honestWork);
    const owner = await room.open();
    const told: Diagnostic[] = [];
    const visit = (): Promise<Executor> =>
      room.open({
        sources: [
          { kind: 'taskFile', repo: other, file: 'TASKS.md', agent: 'airlock', rows: 'all', mayBeMissing: false },
          { kind: 'taskDefinitions', repo: other, environment: [] },
        ],
        onDiagnostics: (_owner, diagnostics) => void told.push(...diagnostics),
      });
    const visitor = await visit();
    assert.equal(visitor.place.kind, 'elsewhere');
    await allTold(owner, 1);
    assert.match(readFileSync(file, 'utf8'), /T-1 \| Put right \| Review +\| airlock/);
    assert.match(git(other, 'branch', '--list', 'airlock/*'), /airlock\/t-1-/);
    assert.deepEqual(
      told.map(({ path: of }) => path.basename(of)),
      ['wrong.yaml'],
    );

    await visitor.shutdown();
    await stateFits(owner, ({ sources }) => (sources.size === 1 ? true : undefined));
    writeFileSync(file, readFileSync(file, 'utf8') + `| T-2 | Go on | Todo | | \`${sampleCheck}\` |\n`);
    const again = await visit();
    await allTold(owner, 2);
    assert.match(readFileSync(file, 'utf8'), /T-2 \| Go on \| Review/);
    await again.shutdown();
  });

  it('does a task definition once, and says what is wrong with another', async function () {
    this.timeout(120_000);
    const folder = path.join(room.repo, '.airlock', 'tasks');
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      path.join(folder, 'fix.yaml'),
      `name: Put right\ntask: { prompt: "Do {{ context.what }}", context: { what: it }, checks: ["${sampleCheck}"] }\non_success: [{ notify: "on {{ context.branch }}" }]\n`,
    );
    writeFileSync(path.join(folder, 'wrong.yaml'), 'name: Wrong\n');
    room.model.plays('Put right', ...honestWork);
    const work = (): WholeCommand => room.command(['work', '--task-definitions', '--until-idle']);
    const first = await work().exited;
    assert.equal(first.code, 0, first.stdout + first.stderr);
    assert.match(first.stderr, /wrong\.yaml:1:1: error: task: /);
    const branch = /^on (airlock\/\S+)$/m.exec(first.stderr)?.[1] ?? '';
    assert.equal(resultFile(room, branch, 'value.txt'), 'right');
    const again = await work().exited;
    assert.equal(again.code, 0, again.stdout + again.stderr);
    assert.doesNotMatch(again.stdout, /queued: /);
    const plan = await room.command(['schedule', '--json']).exited;
    assert.equal(plan.code, 1, plan.stderr);
    assert.deepEqual(
      plan.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { file: string; startedBy: string })
        .map(({ file, startedBy }) => [file, startedBy]),
      [
        ['fix.yaml', 'once'],
        ['wrong.yaml', 'nothing: the file is wrong'],
      ],
    );
  });
});
