import { execFile } from 'node:child_process';
import { pullRequestUrlSchema } from '../../core/pullRequest';

/** How long the user's own `gh` may take for what asks a server. */
const timeoutMs = 60_000;

export interface PullRequest {
  /** `host/owner/name` */
  readonly repository: string;
  readonly head: string;
  readonly base: string;
  readonly title: string;
  readonly body: string;
}

export type GhEnd =
  | { readonly kind: 'done'; readonly url: string }
  /** It is not installed, or it has no account at that host. */
  | { readonly kind: 'unusable' }
  | { readonly kind: 'failed'; readonly words: string };

/** Opens a pull request through the user's own `gh`, which has the user's account: we are told nothing of it. */
export async function createWithGh(folder: string, request: PullRequest): Promise<GhEnd> {
  const [host = ''] = request.repository.split('/');
  const status = await run(folder, ['auth', 'status', `--hostname=${host}`], '');
  if (status.exitCode !== 0) return { kind: 'unusable' };
  const created = await run(folder, argumentsFor(request), request.body);
  const url = pageIn(created.stdout, host);
  if (created.exitCode === 0 && url !== undefined) return { kind: 'done', url };
  return { kind: 'failed', words: created.stderr.trim().slice(0, 500) || `gh ended with ${created.exitCode ?? '?'}` };
}

/** The page that gh says last, if it is one of that host. */
export function pageIn(stdout: string, host: string): string | undefined {
  return (stdout.match(/https:\/\/\S+/g) ?? []).findLast(
    (word) => pullRequestUrlSchema.safeParse(word).success && new URL(word).host === host,
  );
}

/** Values are joined to their names, so that none of them can pass for another option. */
export function argumentsFor({ repository, head, base, title }: PullRequest): string[] {
  return [
    'pr',
    'create',
    `--repo=${repository}`,
    `--head=${head}`,
    `--base=${base}`,
    `--title=${title}`,
    '--body-file=-',
  ];
}

interface Ended {
  /** `null` when it could not be started, or took too long. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(cwd: string, argv: readonly string[], input: string): Promise<Ended> {
  return new Promise((resolve) => {
    const env = { ...process.env, GH_PROMPT_DISABLED: '1', NO_COLOR: '1' };
    const child = execFile('gh', [...argv], { cwd, env, timeout: timeoutMs }, (error, stdout, stderr) => {
      const exitCode = error ? (typeof error.code === 'number' ? error.code : null) : 0;
      resolve({ exitCode, stdout, stderr });
    });
    // It may end before it has read all of it.
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
  });
}
