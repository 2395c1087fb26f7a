import { z } from 'zod';
import { plainText } from '../base/ansi';
import { throwIfCancelled } from './commandOutput';
import { defineTool, failed, pathSchema, succeeded } from './defineTool';
import { escapeRegex, globToRegex } from './globPattern';
import { prunedFolders, searchPath } from './searchScope';

const maxResults = 500;
const maxListBytes = 4 * 1024 ** 2;
const timeoutMs = 30_000;

export const globTool = defineTool({
  name: 'glob',
  description: `Finds files by a glob such as **/*.ts or src/{a,b}/*.test.js, below path (default: the workspace). Gives up to ${maxResults} paths, sorted. What is in .git and node_modules is left out unless path or pattern name it.`,
  schema: z.object({ pattern: z.string().min(1).max(1000), path: pathSchema.default('.') }),
  readOnly: true,
  summarize: ({ pattern, path }) => `find ${pattern}${path === '.' ? '' : ` in ${path}`}`,
  async run({ pattern, path }, { session, signal }) {
    if (pattern.includes('\0')) return failed('A pattern has no NUL in it.');
    const scope = searchScope(path, pattern);
    const argv = findArguments(scope.folder, scope.pattern, prunedFolders(`${path}/${pattern}`));
    const result = await session.files.run(argv, { timeoutMs, maxOutputBytes: maxListBytes, signal });
    throwIfCancelled(result);
    if (result.kind !== 'exited') return failed('The search took too long. Search in a smaller folder.');
    // When it was cut, the first half of the list is whole but for its last path.
    const isCut = result.droppedBytes > 0;
    const bytes = isCut ? result.stdout.subarray(0, maxListBytes / 2) : result.stdout;
    const paths = new TextDecoder().decode(bytes).split('\0').slice(0, -1).sort();
    if (paths.length > 0) return succeeded(listing(paths, isCut));
    if (result.exitCode !== 0) return failed(plainText(result.stderr).trim().slice(0, 2000));
    return succeeded('No file matches.');
  },
});

/** An absolute pattern names its own place: the folders before its first special character. */
function searchScope(path: string, pattern: string): { readonly folder: string; readonly pattern: string } {
  if (!pattern.startsWith('/')) return { folder: searchPath(path), pattern: pattern.replace(/^(\.\/+)+/, '') };
  const folder = /^(?:\/[^/*?[\]{}\\]+(?=\/))*/.exec(pattern)?.[0] ?? '';
  return { folder: folder || '/', pattern: pattern.slice(folder.length).replace(/^\/+/, '') };
}

function findArguments(folder: string, pattern: string, pruned: readonly string[]): string[] {
  const base = folder === '/' ? '/' : `${folder}/`;
  const prune = pruned.flatMap((name, at) => [...(at === 0 ? [] : ['-o']), '-name', name]);
  return [
    'find',
    folder,
    '-regextype',
    'posix-extended',
    ...(prune.length === 0 ? [] : ['(', '-type', 'd', '(', ...prune, ')', '-prune', ')', '-o']),
    ...['(', '-type', 'f', '-o', '-type', 'l', ')'],
    ...['-regex', escapeRegex(base) + globToRegex(pattern)],
    ...['-printf', folder === '.' ? '%P\\0' : '%p\\0'],
  ];
}

function listing(paths: readonly string[], isCut: boolean): string {
  const lines = paths.slice(0, maxResults).map((path) => (/[\n\r]/.test(path) ? JSON.stringify(path) : path));
  const more = paths.length - lines.length;
  if (more > 0 || isCut) lines.push(`[${isCut ? 'many' : more} more files match. Use a narrower pattern.]`);
  return lines.join('\n');
}
