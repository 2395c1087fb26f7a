// Runs the escape suite and prints what it tried as a table. Ends with 1 when something got out, or nothing could be tried.
// `--json` prints the rows as JSON. The suite is the list of attempts: nothing is written down twice.
import { readdirSync } from 'node:fs';
import path from 'node:path';
import Mocha from 'mocha';
import { escapeAttempts } from './escapeAttempts';

/** One attempt, and what came of it. */
interface Row {
  readonly class: string;
  readonly attempt: string;
  readonly expected: string;
  readonly seen: string;
  readonly outcome: 'held' | 'GOT OUT' | 'not tried';
}

/** Tests in one folder whose files and titles match: attempts, and not what only shows that work can be done in a jail. */
interface Suites {
  readonly folder: string;
  readonly files: RegExp;
  readonly titles?: RegExp;
}

const suites: readonly Suites[] = [
  {
    folder: 'test/jail',
    files:
      /^(jail(Escape|Bait|Reading|Writing|Reaching|Egress|Becoming|UsingUp|Outliving|Proof)|sessionsShell|workspacesHostile|swapRaces)\.test\.ts$/,
  },
  { folder: 'test/jail', files: /^jailShell\.test\.ts$/, titles: /nothing of git/ },
  { folder: 'test/jail', files: /^jailToolChains\.test\.ts$/, titles: /beside them|more than a tool chain/ },
  { folder: 'test/jail', files: /^sessionsOutput\.test\.ts$/, titles: /safe to show|300 MB|no secret|floods on/ },
  {
    folder: 'test/jail',
    files: /^workspacesPublish\.test\.ts$/,
    titles: /changes nothing else|takes it for an attack/,
  },
  { folder: 'test/jail', files: /^warmSessions\.test\.ts$/, titles: /is not used when/ },
  {
    folder: 'test/unit/engines/claudeCode',
    files: /^apiSocket\.test\.ts$/,
    titles:
      /lets .* not through|may be a way out|finds nothing at|of the asker|budget|CONNECT|without an end|turn of the run/,
  },
  { folder: 'test/unit/jail', files: /^egressPolicy\.test\.ts$/, titles: /no address|is none of/ },
  { folder: 'test/unit/sessions', files: /^terminal\.test\.ts$/, titles: /leaves out|lets only|instead of obeying/ },
  { folder: 'test/unit/ui', files: /^words\.test\.ts$/, titles: /Markdown/ },
];

const expectations = new Map(escapeAttempts.map((each) => [`${each.class}: ${each.attempt}`, each]));

function rowOf(test: Mocha.Test, outcome: Row['outcome'], seen: string): Row {
  const described = expectations.get(test.title);
  if (described)
    return { class: described.class, attempt: described.attempt, expected: described.expected, seen, outcome };
  const [suite = ''] = test.titlePath();
  return {
    class: suite,
    attempt: test.titlePath().slice(1).join(', '),
    expected: 'as the attempt says',
    seen,
    outcome,
  };
}

/** An expression that finds nothing would let attempts vanish from the report. */
const emptyRow: Omit<Row, 'attempt'> = {
  class: 'the report itself',
  expected: 'attempts',
  seen: 'none of that name',
  outcome: 'GOT OUT',
};

class SilentReporter extends Mocha.reporters.Base {
  override epilogue(): void {}
}

function filesOf({ folder, files }: Suites): string[] {
  const root = path.resolve(__dirname, '../..', folder);
  const names = readdirSync(root).filter((name) => files.test(name));
  return names.sort().map((name) => path.join(root, name));
}

async function runSuites(group: Suites): Promise<Row[]> {
  const mocha = new Mocha({ timeout: 60_000, reporter: SilentReporter });
  for (const file of filesOf(group)) mocha.addFile(file);
  if (group.titles) mocha.grep(group.titles);
  const rows: Row[] = [];
  return new Promise((resolve) => {
    const runner = mocha.run(() => resolve(rows));
    runner.on('pass', (test) => {
      rows.push(rowOf(test, 'held', 'as expected'));
      process.stderr.write('.');
    });
    // A skipped test has said on stderr why it was.
    runner.on('pending', (test) => rows.push(rowOf(test, 'not tried', 'skipped')));
    // A hook that fails is a row too: nothing behind it was tried.
    runner.on('fail', (test, error: Error) => rows.push(rowOf(test, 'GOT OUT', firstLines(error))));
  });
}

function firstLines(error: Error): string {
  return error.message.replace(/\s+/g, ' ').slice(0, 200);
}

function tableOf(rows: readonly Row[]): string {
  const columns = ['class', 'attempt', 'expected', 'seen', 'outcome'] as const;
  const header = Object.fromEntries(columns.map((name) => [name, name.toUpperCase()]));
  const cells = [header, ...rows].map((row) => columns.map((name) => String(row[name])));
  const widths = columns.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  return cells
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

async function main(): Promise<void> {
  const rows: Row[] = [];
  // One after the other, for some of them look at all processes of this machine.
  for (const group of suites) {
    const found = await runSuites(group);
    if (found.length === 0) rows.push({ ...emptyRow, attempt: String(group.titles ?? group.files) });
    rows.push(...found);
  }
  const count = (outcome: Row['outcome']): number => rows.filter((row) => row.outcome === outcome).length;
  process.stderr.write('\n');
  if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
  else process.stdout.write(`${tableOf(rows)}\n\n`);
  const sentence = `${count('held')} held, ${count('GOT OUT')} got out, ${count('not tried')} could not be tried here`;
  (process.argv.includes('--json') ? process.stderr : process.stdout).write(`${sentence}\n`);
  process.exit(count('GOT OUT') > 0 || count('held') === 0 ? 1 : 0);
}

void main();
