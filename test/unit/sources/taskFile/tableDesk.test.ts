import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import type { TaskState } from '../../../../src/core/liveState';
import type { TaskTables } from '../../../../src/core/taskTables';
import { insertRow, nextId } from '../../../../src/sources/taskFile/rowInsert';
import { createTableDesk } from '../../../../src/sources/taskFile/tableDesk';
import { taskTableIn } from '../../../../src/sources/taskFile/taskTable';
import { useTempFolder } from '../tempFolder';

const file = 'docs/TASKS.md';

describe('task tables that people change by commands', () => {
  const folder = useTempFolder();
  let tables: TaskTables;
  beforeEach(() => {
    mkdirSync(path.join(folder.path, 'docs'));
    tables = createTableDesk(() => 'airlock');
  });

  const write = (text: string): void => writeFileSync(path.join(folder.path, file), text);
  const text = (): string => readFileSync(path.join(folder.path, file), 'utf8');

  it('get a row at their end, as wide as the one before it, and stay as they were otherwise', async () => {
    write(
      '# Tasks\r\n\r\n| ID   | Title | Status |\r\n|:-----|------:|--------|\r\n| T-09 | One   | Todo   |\r\n\r\nThe end',
    );
    assert.equal(await tables.add(folder.path, file, { title: 'Two | more', priority: 'P1', notes: 'lost' }), 'T-10');
    assert.equal(
      text(),
      '# Tasks\r\n\r\n| ID   | Title | Status |\r\n|:-----|------:|--------|\r\n| T-09 | One   | Todo   |\r\n| T-10 | Two \\| more | Todo   |\r\n\r\nThe end',
    );
  });

  it('get a row at the end of the first of several, with an ID that none of them has', async () => {
    const second = '\n## Later\n\n|ID|Title|Status|Notes|\n|-|-|-|-|\n|T-7|Seven|Todo||\n';
    write(`|ID|Title|Status|\n|-|-|-|\n|T-1|One|Todo|\n${second}`);
    assert.equal(await tables.add(folder.path, file, { title: 'Next' }), 'T-8');
    assert.equal(text(), `|ID|Title|Status|\n|-|-|-|\n|T-1|One|Todo|\n| T-8 | Next | Todo |\n${second}`);
    await tables.edit(folder.path, file, { id: 'T-7', cells: { notes: 'Soon' } });
    assert.match(text(), /\|T-7\|Seven\|Todo\| Soon \|/);
    assert.deepEqual(
      (await tables.read(folder.path, file))?.rows.map(({ id, columns }) => [id, columns.includes('notes')]),
      [
        ['T-1', false],
        ['T-8', false],
        ['T-7', true],
      ],
    );
  });

  it('get their first row behind the line of dashes, at the end of a file too', async () => {
    write('|ID|Title|Status|\n|-|-|-|');
    await tables.add(folder.path, file, { title: 'One' });
    assert.equal(text(), '|ID|Title|Status|\n|-|-|-|\n| T-1 | One | Todo |');
  });

  it('are made where there is none', async () => {
    assert.equal(await tables.read(folder.path, 'new/TASKS.md'), undefined);
    assert.equal(await tables.add(folder.path, 'new/TASKS.md', { title: 'One', priority: 'P0' }), 'T-1');
    const view = await tables.read(folder.path, 'new/TASKS.md');
    assert.deepEqual(
      view?.rows.map(({ id, title, status, priority }) => [id, title, status, priority]),
      [['T-1', 'One', 'Todo', 0]],
    );
  });

  it('lose no row when many are added at the same time', async () => {
    write('|ID|Title|Status|\n|-|-|-|\n');
    const others = Array.from({ length: 4 }, () => createTableDesk(() => 'airlock'));
    const ids = await Promise.all(
      others.map((each, index) => each.add(folder.path, file, { title: `Number ${index}` })),
    );
    assert.deepEqual(ids.toSorted(), ['T-1', 'T-2', 'T-3', 'T-4']);
    assert.deepEqual((await tables.read(folder.path, file))?.rows.length, 4);
    assert.deepEqual(readdirSync(path.join(folder.path, 'docs')), ['TASKS.md']);
  });

  it('are changed cell by cell, beside what somebody else has changed', async () => {
    write('|ID|Title|Status|Notes|\n|-|-|-|-|\n|T-1|One|Todo|a|\n');
    const was = { status: 'Todo' };
    write('|ID|Title|Status|Notes|\n|-|-|-|-|\n|T-0|New|Done||\n|T-1|One, better|Todo|a|\n');
    await tables.edit(folder.path, file, { id: 'T-1', cells: { status: 'Blocked' }, was });
    assert.equal(text(), '|ID|Title|Status|Notes|\n|-|-|-|-|\n|T-0|New|Done||\n|T-1|One, better|Blocked|a|\n');
  });

  it('keep a cell that somebody has changed since it was shown', async () => {
    write('|ID|Title|Status|\n|-|-|-|\n|T-1|One|Done|\n');
    const change = { id: 'T-1', cells: { status: 'Todo' }, was: { status: 'In Progress' } };
    await assert.rejects(tables.edit(folder.path, file, change), { code: 'row-changed' });
    await assert.rejects(tables.edit(folder.path, file, { id: 'T-2', cells: {} }), { code: 'row-gone' });
    assert.equal(text(), '|ID|Title|Status|\n|-|-|-|\n|T-1|One|Done|\n');
  });

  it('are read nowhere outside of their repository, and say what is wrong with them', async () => {
    await assert.rejects(tables.read(folder.path, '../x.md'), { code: 'task-file-outside' });
    write('no table');
    await assert.rejects(tables.add(folder.path, file, { title: 'x' }), { code: 'task-file-unreadable' });
    assert.equal(text(), 'no table');
  });

  it('are not made behind a link that leads out of the repository', async () => {
    const repo = path.join(folder.path, 'repo');
    mkdirSync(repo);
    symlinkSync(path.join(folder.path, 'docs'), path.join(repo, 'docs'));
    await assert.rejects(tables.add(repo, file, { title: 'x' }), { code: 'task-file-unreadable' });
    assert.deepEqual(readdirSync(path.join(folder.path, 'docs')), []);
  });

  it('give rows as tasks, dependencies first, and say why the others cannot be had', async () => {
    write(
      '|ID|Title|Status|Owner|Depends|\n|-|-|-|-|-|\n|A|a|Todo||B|\n|B|b|Todo|||\n|C|c|Done|||\n|D|d|Todo|anna||\n|E|e|Todo||D|\n',
    );
    const { tasks, left } = await tables.tasksOf(folder.path, file, ['A', 'B', 'C', 'D', 'E', 'F'], []);
    assert.deepEqual(
      tasks.map(({ externalId, dependsOnExternal }) => [externalId, dependsOnExternal]),
      [
        ['B', []],
        ['A', ['B']],
      ],
    );
    assert.deepEqual(left, [
      { id: 'C', reason: 'it is Done, not Todo' },
      { id: 'D', reason: 'it belongs to anna' },
      { id: 'E', reason: 'it depends on D: queue that too' },
      { id: 'F', reason: 'it is not in the table any more, or more than once' },
    ]);
  });

  it('know a row that depends on one that is queued already', async () => {
    write('|ID|Title|Status|Depends|\n|-|-|-|-|\n|A|a|Todo|B|\n|B|b|Todo||\n');
    const known = [{ id: 'b', status: 'queued', spec: { prompt: 'x', origin: { externalId: 'B' } } }];
    const { tasks } = await tables.tasksOf(folder.path, file, ['A'], known as unknown as TaskState[]);
    assert.deepEqual(tasks[0]?.dependsOnExternal, ['B']);
  });
});

describe('a new row', () => {
  it('has an ID that no row has', () => {
    assert.deepEqual([[], ['x'], ['T-1'], ['T-9', 'T-3'], ['A-007', 'B-1', 'A-010'], ['v1.9']].map(nextId), [
      'T-1',
      'T-1',
      'T-2',
      'T-10',
      'A-011',
      'v1.10',
    ]);
  });

  it('leaves every other character as it was, and can be read again, whatever its title', () => {
    fc.assert(
      fc.property(
        fc.string({ maxLength: 40 }),
        fc.constantFrom('\n', '\r\n'),
        fc.boolean(),
        (words, ending, isLast) => {
          const title = words.replace(/[\s\p{Cc}]+/gu, ' ').trim();
          fc.pre(title !== '' && !/[`\\[\]<>*_~]/.test(title));
          const before = ['# x', '', '| ID | Title | Status |', '|---|---|---|', '| T-1 | é😀 \\| x | Todo |'].join(
            ending,
          );
          const after = isLast ? '' : `${ending}${ending}The end`;
          const table = taskTableIn(before + after, '/x');
          assert.ok(table);
          const result = insertRow(before + after, table.parts[0], { id: 'T-2', title, status: 'Todo' });
          assert.ok(result.startsWith(before) && result.endsWith(after));
          assert.equal(taskTableIn(result, '/x')?.rows.get('T-2')?.title, title);
        },
      ),
    );
  });
});
