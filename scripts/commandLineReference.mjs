// Writes docs/commandLine.md from what the command says of itself; with `--check` it only says whether that is so already.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');
const file = path.join(root, 'docs', 'commandLine.md');
const named = process.argv.find((argument) => argument.startsWith('--program='));
const program = named?.slice('--program='.length) ?? path.join(root, 'dist', 'airlock.js');

const introduction = `# Command line

\`airlock\` is \`node dist/airlock.js\` in a checkout. This page is what each command says of itself (\`npm run docs:cli\`).
`;

function help(command) {
  const { stdout, status } = spawnSync(process.execPath, [program, ...command, '--help'], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`airlock ${command.join(' ')} --help ended with ${status}`);
  return stdout.trimEnd();
}

/** The names under "Commands:", but `help`. */
function commandsIn(text) {
  const section = text.split('\nCommands:\n')[1]?.split('\n\n')[0] ?? '';
  const names = [...section.matchAll(/^ {2}([a-z][\w-]*)/gm)].map(([, name]) => name);
  return names.filter((name) => name !== 'help');
}

function sections(command) {
  const text = help(command);
  const title = ['airlock', ...command].join(' ');
  const own = command.length === 0 ? [] : [`## ${title}\n\n\`\`\`text\n${text}\n\`\`\`\n`];
  return [...own, ...commandsIn(text).flatMap((name) => sections([...command, name]))];
}

const wanted = [introduction, ...sections([])].join('\n');
if (!process.argv.includes('--check')) writeFileSync(file, wanted);
else if (readFileSync(file, 'utf8') !== wanted) {
  process.stderr.write('docs/commandLine.md is not what the commands say of themselves. Run: npm run docs:cli\n');
  process.exit(1);
}
