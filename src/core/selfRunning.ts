import { z } from 'zod';
import type { ResultChanges } from './executor';
import type { TaskId } from './ids';

/** A file of a result that runs, or has something run, without anybody starting it. */
export interface SelfRunningFile {
  readonly path: string;
  /** What runs it, as a sentence. */
  readonly why: string;
}

/** Where files of a result are read: an executor. */
export interface ResultReader {
  changes(taskId: TaskId): Promise<ResultChanges>;
  readResultFile(taskId: TaskId, side: 'base' | 'result', path: string): Promise<Uint8Array | undefined>;
}

interface Rule {
  readonly pattern: RegExp;
  readonly why: string;
}

/** The start of a path, or of a part of it: a folder in the midst of a repository may be opened by itself. */
const rule = (names: string, why: string): Rule => ({ pattern: new RegExp(`(?:^|/)(?:${names})$`, 'i'), why });
const inside = '/.+';

/**
 * What runs on the user's machine, with the user's rights, when a folder is opened, entered, checked out, installed or
 * pushed. A program that the user starts (a `Makefile`, a test) is not among it: starting it is the user's own step.
 */
const rules: readonly Rule[] = [
  rule(
    `\\.vscode${inside}|[^/]+\\.code-workspace|\\.vs${inside}`,
    'VS Code reads it when the folder is opened: it can name programs that extensions start, and tasks that start by themselves.',
  ),
  rule(
    `\\.devcontainer${inside}|\\.devcontainer\\.json`,
    'It says what a development container runs on the host and inside.',
  ),
  rule(`\\.(?:idea|fleet|zed)${inside}`, 'An editor reads it when the folder is opened, and can start what it names.'),
  rule(
    '\\.exrc|\\.nvimrc|\\.nvim\\.lua|\\.vimrc|\\.dir-locals(?:-2)?\\.el',
    'An editor runs it when a file beside it is opened.',
  ),
  rule(
    `\\.envrc|\\.?mise(?:\\.local)?\\.toml|\\.mise${inside}`,
    'The shell runs it when the folder is entered (direnv, mise).',
  ),
  rule(
    `\\.husky${inside}|\\.?git-?hooks${inside}|hooks/(?:(?:pre|post)-[a-z-]+|commit-msg|prepare-commit-msg|update)|\\.?lefthook(?:-local)?\\.(?:ya?ml|toml|json)|\\.lefthook${inside}|\\.pre-commit-config\\.ya?ml|\\.pre-commit-hooks\\.ya?ml|\\.overcommit\\.yml`,
    'Git hooks run it, with each commit, checkout or push.',
  ),
  rule(
    '\\.gitattributes|\\.gitmodules|\\.gitconfig',
    'Git follows it: it can have filters run, or fetch other repositories.',
  ),
  rule(
    `\\.(?:github|gitea|forgejo)/(?:workflows|actions)${inside}|\\.gitlab-ci\\.ya?ml|\\.gitlab/ci${inside}|\\.circleci${inside}|\\.buildkite${inside}|azure-pipelines\\.ya?ml|jenkinsfile|bitbucket-pipelines\\.ya?ml|\\.travis\\.yml|\\.drone\\.ya?ml|\\.woodpecker(?:\\.ya?ml|${inside})|appveyor\\.yml`,
    'The build server runs it as soon as it is pushed, and gives it its secrets.',
  ),
  rule(
    `\\.npmrc|\\.yarnrc(?:\\.yml)?|\\.yarn/(?:releases|plugins)${inside}|\\.?pnpmfile\\.c?js|bunfig\\.toml`,
    'The package manager follows it with each command: it can name another registry, or a program to run.',
  ),
  rule('build\\.rs|\\.cargo/config(?:\\.toml)?', 'The Rust extension builds with it as soon as the folder is opened.'),
  rule(
    '[^/]+\\.gradle(?:\\.kts)?|gradle/wrapper/[^/]+|gradle\\.properties|\\.mvn/.+',
    'The Java extension imports with it as soon as the folder is opened.',
  ),
  rule(
    '(?:eslint|prettier|stylelint)\\.config\\.[cm]?[jt]s|\\.(?:eslintrc|prettierrc|stylelintrc)\\.[cm]?js',
    'The linter’s extension runs it as soon as a file beside it is opened.',
  ),
  rule(
    `\\.(?:claude|cursor|codex|gemini|windsurf)${inside}|\\.mcp\\.json`,
    'An agent outside the jail reads it: it can have commands and servers started.',
  ),
  rule(`\\.airlock${inside}`, 'Airlock follows it in later tasks: it names their checks and their set-up.'),
];

/** Why a file of this name runs by itself; `undefined` when it does not. */
export function whySelfRunning(path: string): string | undefined {
  return rules.find(({ pattern }) => pattern.test(path))?.why;
}

/** What npm, yarn and pnpm run by themselves with `install`. */
const installScripts = [
  'preinstall',
  'install',
  'postinstall',
  'preprepare',
  'prepare',
  'postprepare',
  'prepublish',
  'dependencies',
];
const manifestSchema = z.object({ scripts: z.record(z.string(), z.unknown()).optional() });
/** A manifest that is longer is not read, and counts as changed. */
const maxManifestBytes = 1024 * 1024;

/**
 * The files of a result that would run by themselves once it is accepted, in the order of the result. What the result
 * deletes does not run.
 * @param files Only these files of it; absent: all.
 */
export async function selfRunningFiles(
  reader: ResultReader,
  taskId: TaskId,
  files?: readonly string[],
): Promise<readonly SelfRunningFile[]> {
  const found: SelfRunningFile[] = [];
  for (const { path, oldPath, kind } of (await reader.changes(taskId)).files) {
    if (kind === 'deleted' || (files && !files.includes(path))) continue;
    const why = whySelfRunning(path) ?? (await whyManifest(reader, taskId, path, oldPath));
    if (why !== undefined) found.push({ path, why });
  }
  return found;
}

async function whyManifest(
  reader: ResultReader,
  taskId: TaskId,
  path: string,
  oldPath: string | null,
): Promise<string | undefined> {
  if (!/(?:^|\/)package\.json$/i.test(path)) return undefined;
  const [before, after] = await Promise.all([
    reader.readResultFile(taskId, 'base', oldPath ?? path),
    reader.readResultFile(taskId, 'result', path),
  ]);
  const [old, now] = [scriptsOf(before), scriptsOf(after)];
  const changed = installScripts.filter(
    (name) => now === null || (now[name] !== undefined && now[name] !== old?.[name]),
  );
  if (changed.length === 0) return undefined;
  return now === null
    ? 'The package manager runs its scripts with each installation, and they cannot be read.'
    : `The package manager runs its scripts with each installation, and these are new: ${changed.join(', ')}.`;
}

/** The scripts of a manifest; `null` when it is none. */
function scriptsOf(bytes: Uint8Array | undefined): Readonly<Record<string, unknown>> | null {
  if (!bytes || bytes.byteLength > maxManifestBytes) return null;
  try {
    return (
      manifestSchema.parse(
        JSON.parse(
          Buffer.from(bytes)
            .toString('utf8')
            .replace(/^\uFEFF/, ''),
        ),
      ).scripts ?? {}
    );
  } catch {
    return null;
  }
}
