import assert from 'node:assert/strict';
import fc from 'fast-check';
import { editRow } from '../../../../src/sources/taskFile/cellEdit';
import { taskTableIn, type TaskTable } from '../../../../src/sources/taskFile/taskTable';

const path = '/repo/docs/TASKS.md';

function read(text: string): TaskTable {
  const table = taskTableIn(text, path);
  assert.ok(table, 'there is a task table');
  return table;
}

function edited(text: string, id: string, edits: Parameters<typeof editRow>[2]): string {
  const table = read(text);
  const row = table.rows.get(id);
  assert.ok(row, `there is a row ${id}`);
  return editRow(text, row, edits);
}

function complaints(text: string): string[] {
  return read(text).diagnostics.map(
    ({ line, column, severity, message }) => `${line}:${column} ${severity} ${message}`,
  );
}

describe('a task table', () => {
  it('is each table whose header has ID, Title and Status, and none in code or HTML', () => {
    const table = '|ID|Title|Status|\n|-|-|-|\n|T-1|Real|Todo|\n';
    const decoy = '|ID|Title|Status|\n|-|-|-|\n|X|Decoy|Todo|\n';
    const text = `\`\`\`\n${decoy}\`\`\`\n\n<!--\n${decoy}-->\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n${table}\n## Later\n\n|Status|ID|Title|\n|-|-|-|\n|Todo|T-2|Later|\n`;
    assert.deepEqual([...read(text).rows.keys()], ['T-1', 'T-2']);
    assert.equal(taskTableIn(`\`\`\`\n${decoy}\`\`\`\n`, path), undefined);
  });

  it('may be one of several, whose columns are their own, while an ID stands for one row of the file', () => {
    const first = '|ID|Title|Status|\n|-|-|-|\n|T-1|One|Todo|\n|T-2|Two|Todo|\n';
    const second = '|Status|Notes|Title|ID|\n|-|-|-|-|\n|Todo||Three|T-3|\n|Todo||Again|T-2|\n';
    const text = `${first}\nBetween.\n\n${second}`;
    assert.equal(
      edited(text, 'T-3', { status: 'Review', notes: 'done' }),
      text.replace('|Todo||Three|', '|Review| done |Three|'),
    );
    assert.equal(edited(text, 'T-1', { status: 'Review', notes: 'lost' }), text.replace('|One|Todo|', '|One|Review|'));
    assert.deepEqual([...read(text).rows.keys()], ['T-1', 'T-3']);
    assert.deepEqual(
      read(text).diagnostics.map(({ line, message }) => [line, message.slice(0, 40)]),
      [4, 11].map((line) => [line, 'The ID T-2 stands in more than one row, ']),
    );
  });

  it('reads every column that means something, and keeps the others', () => {
    const text = [
      '| Status | ID | Title | Prio | Priority | Owner | Notes | Persona | Checks | Depends on |',
      '|---|:--|--:|---|---|---|---|---|---|---|',
      '| **Todo** | `T-1` | Do *it* \\| now | x | P1 | @anna | see [x](y) | tester | `npm test`, `a \\| b` | T-2, T-3 |',
    ].join('\n');
    const row = read(text).rows.get('T-1');
    assert.ok(row);
    const { source: _source, part: _part, ...values } = row;
    assert.deepEqual(values, {
      id: 'T-1',
      line: 3,
      title: 'Do *it* | now',
      status: 'Todo',
      priority: 1,
      owner: 'anna',
      notes: 'see [x](y)',
      persona: 'tester',
      checks: ['npm test', 'a | b'],
      depends: ['T-2', 'T-3'],
      others: { Prio: 'x' },
    });
  });

  it('understands statuses however they are written', () => {
    const words = ['todo', 'in-progress', '✅ Done', '~~Review~~', 'IN PROGRESS', 'Blocked!'];
    const text = `|ID|Title|Status|\n|-|-|-|\n${words.map((word, index) => `|${index}|t|${word}|`).join('\n')}`;
    assert.deepEqual(
      [...read(text).rows.values()].map(({ status }) => status),
      ['Todo', 'In Progress', 'Done', 'Review', 'In Progress', 'Blocked'],
    );
  });

  it('says what is wrong with a row at its line, and reads the others', () => {
    const text = [
      '| ID | Title | Status | Priority |',
      '|----|-------|--------|----------|',
      '| A | one | Todo | P0 |',
      '| B | two | Todo |',
      '|  | no id | Todo | |',
      '| B | again | Todo | |',
      '| C |  | Todo | |',
      '| D | what | Someday | P9 |',
      '| E | too | Todo | P1 | much |',
      '|  |  |  |  |',
    ].join('\n');
    assert.deepEqual(complaints(text), [
      '4:1 error The ID B stands in more than one row, so none of them is worked on. Give each its own.',
      '5:2 error The row has no ID, so it is not worked on. Give it one.',
      '6:1 error The ID B stands in more than one row, so none of them is worked on. Give each its own.',
      '7:6 error C has no title, so it is not worked on.',
      '8:13 warning D has the status “Someday”, so it is not worked on. Known are Todo, In Progress, Blocked, Review, Done.',
      '8:23 warning D has the priority “P9”, which is none of P0, P1, P2, P3; it counts as P2.',
      '9:1 warning E has more cells than the header; what is too much is not read. Is a | not escaped?',
    ]);
    assert.deepEqual([...read(text).rows.keys()], ['A', 'D', 'E']);
  });
});

describe('a change of cells', () => {
  it('leaves everything else byte for byte', () => {
    const before =
      '\ufeff# Tasks\r\n\r\n|ID |  Title | Status      | Notes |\n|:--|-------:|-------------|-------|\r\n' +
      '| T-1 | a `x \\| y` 😀 | Todo        | |\r\n|T-2|b|Todo|keep   this|\rlone\n\ttabs\t\n\n| not | a | table';
    const after = edited(before, 'T-1', { status: 'In Progress', notes: 'a | b' });
    assert.equal(after, before.replace('| Todo        | |\r\n', '| In Progress | a \\| b |\r\n'));
    assert.equal(
      edited(after, 'T-2', { status: 'Review', notes: 'keep   this' }),
      after.replace('|T-2|b|Todo|', '|T-2|b|Review|'),
    );
  });

  it('keeps a column’s width where there is room, on the side where it is', () => {
    const before = '| ID | Title | Status      |   Owner |\n|-|-|-|-:|\n| T | t | Todo        |     bob |';
    assert.equal(
      edited(before, 'T', { status: 'Review', owner: 'airlock' }),
      before.replace('| Todo        |     bob |', '| Review      | airlock |'),
    );
  });

  it('adds the cells that a short row lacks', () => {
    const table = '|ID|Title|Status|Owner|Notes|\n|-|-|-|-|-|\n';
    assert.equal(edited(`${table}| T | t | Todo |`, 'T', { notes: 'n' }), `${table}| T | t | Todo |  | n |`);
    assert.equal(edited(`${table}T | t | Todo\r\n`, 'T', { notes: 'n' }), `${table}T | t | Todo |  | n\r\n`);
  });

  it('reads as what was written, whatever the table and the words are, and changes no other line', () => {
    const word = fc.stringMatching(/^[ -~é😀\t]{0,12}$/u).map((text) => text.replaceAll('|', '\\|'));
    const line = fc.tuple(word, word, fc.constantFrom('| ', '|', '|\t'), fc.constantFrom('|', ' |', ''));
    const file = fc.record({
      bom: fc.constantFrom('', '\ufeff'),
      eols: fc.array(fc.constantFrom('\n', '\r\n', '\r'), { minLength: 6, maxLength: 6 }),
      before: fc.array(line, { maxLength: 3 }),
      notes: word,
      end: fc.constantFrom('', '\n', '\r\n\r\ntext'),
    });
    fc.assert(
      fc.property(file, fc.string({ maxLength: 20 }), ({ bom, eols, before, notes, end }, raw) => {
        const rows = before.map(([a, b, bar, close], index) => `${bar}R${index} | ${a} | x${b}${close}`);
        const all = ['|ID|Title|Status|Notes|', '|:-|-|-:|-|', ...rows, `| T | t | Todo | ${notes} |`];
        const text =
          bom + all.map((row, index) => row + (index === all.length - 1 ? '' : (eols[index] ?? '\n'))).join('') + end;
        const table = taskTableIn(text, path);
        const row = table?.rows.get('T');
        if (!table || !row) return;
        const wanted = raw.replace(/[\r\n\\]/g, ' ').trim();
        const after = editRow(text, row, { status: 'Review', notes: wanted });
        const again = read(after).rows.get('T');
        assert.deepEqual([again?.status, again?.notes], ['Review', wanted]);
        const other = (whole: string): string[] =>
          whole.split(/(?<=\r\n|\n|\r(?!\n))/).filter((each) => !each.startsWith('| T '));
        assert.deepEqual(other(after), other(text));
        // The same again is no change at all.
        assert.equal(editRow(after, again ?? row, { status: 'Review', notes: wanted }), after);
      }),
      { numRuns: 300 },
    );
  });

  it('reads a table of the largest size that is taken within seconds', () => {
    const rows = Array.from(
      { length: 14_000 },
      (_, index) => `| T-${index} | do the thing with \`code\` ${index} | Todo |`,
    );
    const table = read(`| ID | Title | Status |\n|---|---|---|\n${rows.join('\n')}`);
    assert.equal(table.rows.size, 14_000);
  });
});
