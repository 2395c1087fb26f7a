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

/** Suites of attempts. What only shows that work can be done in a jail is none. */
const suites =
  /^(jail(Escape|Reading|Writing|Reaching|Egress|Becoming|UsingUp|Outliving|Proof)|sessionsShell|workspacesHostile)\.test\.ts$/;

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

class SilentReporter extends Mocha.reporters.Base {
  override epilogue(): void {}
}

function runSuites(files: readonly string[]): Promise<Row[]> {
  const mocha = new Mocha({ timeout: 60_000, reporter: SilentReporter });
  for (const file of files) mocha.addFile(file);
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
  const files = readdirSync(__dirname)
    .filter((name) => suites.test(name))
    .sort()
    .map((name) => path.join(__dirname, name));
  const rows = await runSuites(files);
  const count = (outcome: Row['outcome']): number => rows.filter((row) => row.outcome === outcome).length;
  process.stderr.write('\n');
  if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
  else process.stdout.write(`${tableOf(rows)}\n\n`);
  const sentence = `${count('held')} held, ${count('GOT OUT')} got out, ${count('not tried')} could not be tried here`;
  (process.argv.includes('--json') ? process.stderr : process.stdout).write(`${sentence}\n`);
  process.exit(count('GOT OUT') > 0 || count('held') === 0 ? 1 : 0);
}

void main();
