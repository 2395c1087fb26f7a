import assert from 'node:assert/strict';
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { sha256 } from '../../../../src/base/digest';
import { UserError } from '../../../../src/base/errors';
import { silentLogger } from '../../../../src/base/logger';
import type { TaskState } from '../../../../src/core/liveState';
import type { OfferedTask, Report, ReportBody, TaskSource } from '../../../../src/core/source';
import type { TaskOutcome, TaskStatus } from '../../../../src/core/task';
import { parseRowChoice } from '../../../../src/sources/taskFile/rowChoice';
import { TaskFile } from '../../../../src/sources/taskFile/taskFile';
import { createTaskFileSource } from '../../../../src/sources/taskFile/taskFileSource';
import { OwnWrites } from '../../../../src/sources/ownWrites';
import { FakeClock } from '../../../fakes/clock';
import { HeardSource } from '../heardSource';
import { useTempFolder } from '../tempFolder';

const header = '| ID | Title | Status | Owner | Notes |\n|----|-------|--------|-------|-------|\n';

describe('the source on a task table', () => {
  const folder = useTempFolder();
  describe('in a repository', () => suite(folder));
});

function suite(folder: { readonly path: string }): void {
  let clock: FakeClock;
  let heard: HeardSource;
  let source: TaskSource;
  let known: TaskState[];
  let file: string;

  beforeEach(() => {
    clock = new FakeClock();
    heard = new HeardSource();
    known = [];
    mkdirSync(path.join(folder.path, 'docs'));
    file = path.join(folder.path, 'docs', 'TASKS.md');
  });

  afterEach(() => {
    source.dispose();
    assert.equal(clock.pendingTimers, 0);
    const left = readdirSync(path.dirname(file)).filter((name) => name !== path.basename(file));
    assert.deepEqual(left, [], 'nothing is left beside the file');
  });

  function start(rows = 'all', mayBeMissing = false): void {
    source = createTaskFileSource({
      repo: folder.path,
      file: 'docs/TASKS.md',
      agent: 'airlock',
      rows: parseRowChoice(rows),
      mayBeMissing,
      known: () => known,
      ownWrites: new OwnWrites(),
      onDiagnostics: heard.onDiagnostics,
      clock,
      logger: silentLogger,
    });
    heard.start(source);
  }

  async function open(text: string, rows = 'all'): Promise<void> {
    writeFileSync(file, text);
    start(rows);
    await heard.until(clock, () => heard.health.length > 0);
  }

  async function save(text: string): Promise<void> {
    const before = heard.offers.length;
    writeFileSync(file, text);
    await heard.until(clock, () => heard.offers.length > before);
  }

  function remember(offered: OfferedTask | undefined, status: TaskStatus): void {
    assert.ok(offered);
    known.push({
      id: 'task',
      spec: {
        title: offered.task.title,
        prompt: sha256(offered.task.prompt),
        priority: 2,
        persona: null,
        checks: null,
        limits: {},
        dependsOn: [],
        repo: null,
        origin: { sourceId: source.id, externalId: offered.externalId },
        context: null,
        refusal: null,
      },
      status,
      reason: '',
      statusBeforeWait: null,
      waitingOn: null,
      accepted: true,
      attempts: 1,
      failures: 0,
      runId: null,
      landing: null,
      queuedAtMs: 0,
      notBeforeMs: 0,
      endedAtMs: null,
      changedAtMs: 0,
    });
  }

  it('offers the rows that are Todo and nobody else’s, with what they say', async () => {
    await open(
      `${header}| T-1 | One | Todo | | Be quick |\n| T-2 | Two | Done | | |\n| T-3 | Three | Todo | anna | |\n| T-4 | Four | Todo | @Airlock | |\n`,
    );
    const common = { priority: 2, persona: null, checks: null, repo: folder.path };
    const table = 'docs/TASKS.md';
    assert.deepEqual(heard.offers, [
      {
        tasks: [
          {
            externalId: 'T-1',
            task: {
              ...common,
              localKey: 'T-1',
              title: 'One',
              prompt: 'One\n\nBe quick',
              context: { id: 'T-1', table },
            },
            dependsOnExternal: [],
          },
          {
            externalId: 'T-4',
            task: { ...common, localKey: 'T-4', title: 'Four', prompt: 'Four', context: { id: 'T-4', table } },
            dependsOnExternal: [],
          },
        ],
        complete: true,
        problems: [],
      },
    ]);
    assert.deepEqual(heard.health, [{ kind: 'ok' }]);
  });

  it('offers only the rows that were chosen, by ID or priority', async () => {
    const rows = '|ID|Title|Status|Priority|\n|-|-|-|-|\n|A|a|Todo|P0|\n|B|b|Todo|P1|\n|C|c|Todo||\n|D|d|Todo|P3|\n';
    await open(rows, 'P0, D');
    assert.deepEqual(heard.ids, ['A', 'D']);
    assert.throws(() => parseRowChoice(' , '), { name: 'UserError', code: 'rows-invalid' });
  });

  it('shows a row as in progress, then for review, and changes nothing else', async () => {
    const before = `# Tasks\r\n\r\n${header}| T-1 | One \\| 1 | Todo | | ask Bob |\r\n| T-2 | Two | Todo | anna | |\n\nEnd`;
    await open(before);
    chmodSync(file, 0o640);
    assert.deepEqual(await source.accept('T-1', { isRepeat: false }), { kind: 'accepted' });
    assert.equal(
      readFileSync(file, 'utf8'),
      before.replace('| Todo | | ask Bob |', '| In Progress | airlock | ask Bob |'),
    );
    // Its answer was lost, and it is asked for again.
    assert.deepEqual(await source.accept('T-1', { isRepeat: true }), { kind: 'accepted' });
    await source.report(reportOf('T-1'), bodyOf('verified'), { isRepeat: false });
    const after = before.replace(
      '| Todo | | ask Bob |',
      '| Review      | airlock | ask Bob [Airlock: verified, branch airlock/t-1-1 (0123456789)] |',
    );
    assert.equal(readFileSync(file, 'utf8'), after);
    await source.report(reportOf('T-1'), bodyOf('verified'), { isRepeat: true });
    assert.equal(readFileSync(file, 'utf8'), after);
    assert.equal(statSync(file).mode & 0o777, 0o640);
  });

  it('shows a failure as blocked, with the reason as text that is no Markdown', async () => {
    await open(`${header}| T-1 | One | In Progress | airlock | |\n`);
    const body = { ...bodyOf('failed'), branch: null, commit: null, error: 'a | b\n[x](y) ]' };
    await source.report(reportOf('T-1'), body, { isRepeat: false });
    const note = String.raw`[Airlock: failed, a \| b \[x\](y) \]]`;
    assert.equal(readFileSync(file, 'utf8'), `${header}| T-1 | One | Blocked     | airlock | ${note} |\n`);
    // It is retried by hand: in progress again, and the note is replaced.
    await source.progress('T-1', 0, 'started');
    assert.match(readFileSync(file, 'utf8'), /\| In Progress \| airlock \| \[Airlock: failed/);
    await source.report(reportOf('T-1'), bodyOf('partial'), { isRepeat: false });
    assert.match(readFileSync(file, 'utf8'), /\| Review {6}\| airlock \| \[Airlock: partial, branch [^|]*\)\] \|\n$/);
  });

  it('keeps what a person has changed meanwhile', async () => {
    await open(`${header}| T-1 | One | Todo | | |\n`);
    writeFileSync(file, `${header}| T-1 | One | Done | | did it |\n`);
    assert.deepEqual(await source.accept('T-1', { isRepeat: false }), {
      kind: 'unavailable',
      reason: 'T-1 is Done now.',
    });
    writeFileSync(file, `${header}| T-0 | New | Todo | | |\n| T-1 | One, other words | Done | bob | did it |\n`);
    await source.report(reportOf('T-1'), bodyOf('verified'), { isRepeat: false });
    assert.equal(
      readFileSync(file, 'utf8'),
      `${header}| T-0 | New | Todo | | |\n| T-1 | One, other words | Done | bob | did it [Airlock: verified, branch airlock/t-1-1 (0123456789)] |\n`,
    );
  });

  it('begins anew when a person saves between the reading and the writing', async () => {
    await open(`${header}| T-1 | One | Todo | | |\n`);
    const saves = [
      `${header}| T-1 | One | Todo | | mine |\n`,
      `${header}| T-0 | Zero | Todo | | |\n| T-1 | One | Todo | | mine |\n`,
    ];
    const seen: string[] = [];
    const other = path.join(folder.path, 'other');
    await new TaskFile(folder.path, 'docs/TASKS.md', new OwnWrites()).edit('T-1', (row) => {
      seen.push(row?.notes ?? 'none');
      const save = saves.shift();
      if (save !== undefined) {
        // As editors do it: in place, or as a new file that takes the place.
        if (saves.length > 0) writeFileSync(file, save);
        else {
          writeFileSync(other, save);
          renameSync(other, file);
        }
      }
      return { edits: { status: 'In Progress' }, result: undefined };
    });
    assert.deepEqual(seen, ['', 'mine', 'mine']);
    assert.equal(
      readFileSync(file, 'utf8'),
      `${header}| T-0 | Zero | Todo | | |\n| T-1 | One | In Progress | | mine |\n`,
    );
  });

  it('writes rows that are taken at the same time one after another', async () => {
    const ids = Array.from({ length: 12 }, (_, index) => `T-${index}`);
    await open(header + ids.map((id) => `| ${id} | t | Todo | | |\n`).join(''));
    await Promise.all(ids.map((id) => source.accept(id, { isRepeat: false })));
    assert.equal(readFileSync(file, 'utf8').match(/\| In Progress \| airlock \|/g)?.length, 12);
  });

  it('is the same task when the row is Todo again, and another one when its words are others', async () => {
    await open(`${header}| T-1 | One | Todo | | |\n`);
    remember(heard.offers[0]?.tasks[0], 'failed');
    await save(`${header}| T-1 | One | Todo | | [Airlock: failed, no] |\n`);
    assert.deepEqual(heard.ids, ['T-1']);
    assert.match(heard.diagnostics[0] ?? '', /^3:1: information: T-1 was worked on already \(failed\)/);
    await save(`${header}| T-1 | One | Todo | | Try B [Airlock: failed, no] |\n`);
    const externalId = `T-1 (${sha256('One\n\nTry B').slice(0, 8)})`;
    assert.deepEqual(heard.ids, [externalId]);
    assert.deepEqual(await source.accept(externalId, { isRepeat: false }), { kind: 'accepted' });
    assert.match(readFileSync(file, 'utf8'), /\| T-1 \| One \| In Progress \| airlock \| Try B/);
  });

  it('offers what depends on others only when these are done here or by people', async () => {
    const rows = (first: string): string =>
      `|ID|Title|Status|Depends|\n|-|-|-|-|\n|A|a|${first}||\n|B|b|Todo|A|\n|C|c|Todo|B, X|\n|D|d|Todo|E|\n|E|e|Todo|D|\n`;
    await open(rows('In Progress'));
    assert.deepEqual(heard.ids, []);
    await save(rows('Todo'));
    assert.deepEqual(
      heard.offers.at(-1)?.tasks.map(({ externalId, dependsOnExternal }) => [externalId, dependsOnExternal]),
      [
        ['A', []],
        ['B', ['A']],
      ],
    );
    await save(rows('Done'));
    assert.deepEqual(
      heard.offers.at(-1)?.tasks.map(({ externalId, dependsOnExternal }) => [externalId, dependsOnExternal]),
      [['B', []]],
    );
    assert.deepEqual(heard.diagnostics, ['5:1: error: C depends on X, which is no row of the table.']);
  });

  it('says that it is not there, where it need not be, and is one as soon as it is made', async () => {
    start('all', true);
    await heard.until(clock, () => heard.health.length > 0);
    writeFileSync(file, `${header}| T-1 | One | Todo | | |\n`);
    await heard.until(clock, () => heard.health.length > 1);
    assert.deepEqual(heard.health, [{ kind: 'absent', message: 'It is not there.' }, { kind: 'ok' }]);
    assert.equal(heard.offers.at(-1)?.tasks.length, 1);
    assert.deepEqual(heard.diagnostics, []);
  });

  it('says what is wrong with the file, withdraws nothing, and goes on when it is well', async () => {
    const good = `${header}| T-1 | One | Todo | | |\n`;
    await open(good);
    const problems: string[] = [];
    const breakIt = async (action: () => void): Promise<void> => {
      rmSync(file, { force: true });
      const before = heard.health.length;
      action();
      await heard.until(clock, () => heard.health.length > before && heard.health.at(-1)?.kind === 'down');
      problems.push(heard.diagnostics.join());
      rmSync(file, { force: true, recursive: true });
      writeFileSync(file, good);
      await heard.until(clock, () => heard.health.at(-1)?.kind === 'ok');
      assert.deepEqual(heard.diagnostics, []);
    };
    await breakIt(() => {});
    await breakIt(() => symlinkSync('/etc/passwd', file));
    await breakIt(() => {
      writeFileSync(file, '');
      truncateSync(file, 50 * 1024 * 1024);
    });
    await breakIt(() => writeFileSync(file, Buffer.from([0xff, 0xfe, 0x41, 0])));
    await breakIt(() => writeFileSync(file, Buffer.from([0xc3, 0x28])));
    await breakIt(() => mkdirSync(file));
    await breakIt(() => writeFileSync(file, 'no table\n'));
    assert.deepEqual(
      problems.map((problem) => problem.replace('1:1: error: The task table cannot be read: ', '')),
      [
        'It is not there.',
        'It is a symbolic link; those are not followed.',
        'It has 52428800 bytes; at most 1048576 are read.',
        'It is not text: it has a zero byte in it.',
        'It is not UTF-8 text. Save it as UTF-8.',
        'It is not a regular file.',
        'It has no table with the columns ID, Title and Status.',
      ],
    );
    for (const offer of heard.offers) assert.deepEqual(offer.tasks.length, 1);
  });

  it('says that a report cannot be written when the row or the file is gone', async () => {
    await open(`${header}| T-1 | One | Todo | | |\n`);
    const report = source.report(reportOf('T-9'), bodyOf('verified'), { isRepeat: false });
    await assert.rejects(report, (error) => error instanceof UserError && error.code === 'task-row-gone');
    rmSync(file);
    const second = source.report(reportOf('T-1'), bodyOf('verified'), { isRepeat: false });
    await assert.rejects(second, (error) => error instanceof UserError && error.code === 'task-file-unreadable');
    writeFileSync(file, header);
  });

  it('refuses a file outside its repository', async () => {
    await open(header);
    const make = (): TaskSource =>
      createTaskFileSource({
        repo: folder.path,
        file: '../TASKS.md',
        agent: 'airlock',
        rows: parseRowChoice('all'),
        mayBeMissing: false,
        known: () => [],
        ownWrites: new OwnWrites(),
        onDiagnostics: () => {},
        clock,
        logger: silentLogger,
      });
    assert.throws(make, (error) => error instanceof UserError && error.code === 'task-file-outside');
  });
}

function reportOf(externalId: string): Report {
  return { reportId: 'r/1', taskId: 't', sourceId: 'table:x', externalId, kind: 'complete', body: '0'.repeat(64) };
}

function bodyOf(outcome: TaskOutcome): ReportBody {
  return {
    outcome,
    response: 'Done.',
    error: '',
    model: 'm',
    inputTokens: 1,
    outputTokens: 1,
    executionSeconds: 1,
    branch: 'airlock/t-1-1',
    commit: '0123456789abcdef0123456789abcdef01234567',
    endedAtMs: 0,
  };
}
