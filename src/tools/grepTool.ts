import { z } from 'zod';
import { plainText } from '../base/ansi';
import type { ExecResult } from '../core/session';
import { throwIfCancelled } from './commandOutput';
import { defineTool, failed, pathSchema, succeeded } from './defineTool';
import { expandChoices } from './globPattern';
import { prunedFolders, searchPath } from './searchScope';

const defaultResults = 200;
const maxResults = 2000;
const maxLineLength = 400;
const maxOutputBytes = 2 * 1024 ** 2;
const timeoutMs = 30_000;

const schema = z.object({
  pattern: z.string().min(1).max(4000).describe('A regular expression as Perl has them.'),
  path: pathSchema.default('.').describe('The file or folder to search in.'),
  glob: z.string().min(1).max(500).optional().describe('Only files whose name matches, such as *.ts or *.{js,mjs}.'),
  ignore_case: z.boolean().default(false),
  files_only: z.boolean().default(false).describe('Give the names of files that match instead of the lines.'),
  context: z.number().int().min(0).max(20).default(0).describe('Lines to show before and after each match.'),
  limit: z.number().int().positive().max(maxResults).default(defaultResults).describe('How many lines to give.'),
});
type GrepInput = z.output<typeof schema>;

export const grepTool = defineTool({
  name: 'grep',
  description:
    'Searches the text of files, below path (default: the workspace). Gives path, line number and line of each match. Binary files, and what is in .git and node_modules, are left out unless path names them.',
  schema,
  readOnly: true,
  summarize: ({ pattern, path }) => `search ${pattern}${path === '.' ? '' : ` in ${path}`}`,
  async run(input, { session, signal }) {
    if (input.pattern.includes('\0')) return failed('A pattern has no NUL in it.');
    if (input.glob?.includes('/')) return failed('glob is matched against names alone: give the folder as path.');
    const run = (flavour: '-P' | '-E'): Promise<ExecResult> =>
      session.files.run(grepArguments(flavour, input), { timeoutMs, maxOutputBytes, signal });
    let result = await run('-P');
    // Some systems have a grep without Perl's expressions.
    if (result.exitCode === 2 && /\bP\b/.test(plainText(result.stderr)) && result.stdout.length === 0) {
      const plain = await run('-E');
      if (plain.exitCode !== 2) result = plain;
    }
    throwIfCancelled(result);
    return answer(result, input.limit);
  },
});

function grepArguments(flavour: '-P' | '-E', input: GrepInput): string[] {
  return [
    'grep',
    ...['-rnIH', flavour, '--color=never'],
    ...(input.ignore_case ? ['-i'] : []),
    ...(input.files_only ? ['-l'] : []),
    ...(input.context > 0 && !input.files_only ? ['-C', String(input.context)] : []),
    ...prunedFolders(input.path).map((name) => `--exclude-dir=${name}`),
    ...(input.glob === undefined ? [] : expandChoices(input.glob).map((glob) => `--include=${glob}`)),
    ...['-e', input.pattern, '--', searchPath(input.path)],
  ];
}

function answer(result: ExecResult, limit: number): ReturnType<typeof failed> {
  if (result.kind !== 'exited') return failed('The search took too long. Search in a smaller folder or for less.');
  const isCut = result.droppedBytes > 0;
  // When it was cut, the first half is whole but for its last line.
  const bytes = isCut ? result.stdout.subarray(0, maxOutputBytes / 2) : result.stdout;
  const lines = plainText(bytes).trimEnd().split('\n');
  if (isCut) lines.pop();
  if (lines.length === 1 && lines[0] === '') {
    const problem = plainText(result.stderr).trim();
    return result.exitCode === 1 || problem === '' ? succeeded('Nothing matches.') : failed(problem.slice(0, 2000));
  }
  const shown = lines.slice(0, limit).map(readable);
  const more = lines.length - shown.length;
  if (more > 0 || isCut) shown.push(`[${isCut ? 'Many' : more} more lines match. Search for less, or raise limit.]`);
  return succeeded(shown.join('\n'));
}

function readable(line: string): string {
  const path = line.replace(/^\.\//, '');
  return path.length > maxLineLength
    ? `${path.slice(0, maxLineLength)} […${path.length - maxLineLength} more characters]`
    : path;
}
