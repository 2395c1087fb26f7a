// Writes docs/commandLine.md from what the command says of itself; with `--check` it only says whether that is so already.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');
const file = path.join(root, 'docs', 'commandLine.md');
const named = process.argv.find((argument) => argument.startsWith('--program='));
const built = path.resolve(named?.slice('--program='.length) ?? path.join(root, 'dist', 'airlock.js'));
const { program } = createRequire(import.meta.url)(built);

const introduction = `# Command line

\`airlock\` is \`node dist/airlock.js\` in a checkout. This page is what each command says of itself (\`npm run docs:cli\`).
`;

/** As a pipe gets it, whatever terminal this runs in. */
function help(command) {
  let text = '';
  command.configureOutput({ writeOut: (part) => (text += part), getOutHelpWidth: () => 80 }).outputHelp();
  return text.trimEnd();
}

function sections(command, parents = []) {
  const names = [...parents, command.name()];
  const own = parents.length === 0 ? [] : [`## ${names.join(' ')}\n\n\`\`\`text\n${help(command)}\n\`\`\`\n`];
  return [...own, ...command.commands.flatMap((each) => sections(each, names))];
}

const wanted = [introduction, ...sections(program())].join('\n');
if (!process.argv.includes('--check')) writeFileSync(file, wanted);
else if (readFileSync(file, 'utf8') !== wanted) {
  process.stderr.write('docs/commandLine.md is not what the commands say of themselves. Run: npm run docs:cli\n');
  process.exit(1);
}
