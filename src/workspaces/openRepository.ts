import { execFile } from 'node:child_process';
import { homedir } from 'node:os';
import { promisify } from 'node:util';
import { UserError, systemCodeOf } from '../base/errors';
import { GitFailure } from './gitFailure';
import { UserGit } from './userGit';

/**
 * Git in the repository that `folder` lies in, once it has been seen that git works there and trusts it, or that the user has
 * declared it safe.
 * @throws {UserError} `not-a-repository`, `repository-untrusted`, `repository-unreadable`.
 */
export async function openRepository(folder: string): Promise<UserGit> {
  const git = await UserGit.in(folder);
  try {
    await git.text('rev-parse', '--git-dir');
    return git;
  } catch (error) {
    if (!(error instanceof GitFailure)) throw error;
    const dubious = /dubious ownership in repository at '(.*)'/.exec(error.stderr)?.[1];
    if (dubious !== undefined && (await isDeclaredSafe(dubious))) return git.trusting(dubious);
    throw refusal(folder, error, dubious);
  }
}

function refusal(folder: string, failure: GitFailure, dubious: string | undefined): UserError {
  const facts = { folder, git: failure.stderr };
  const options = { cause: failure };
  if (dubious !== undefined) {
    return new UserError(
      'repository-untrusted',
      `The repository ${dubious} belongs to another account, so git does not trust it. If you do, run: git config --global --add safe.directory '${dubious}'`,
      facts,
      options,
    );
  }
  if (/not a git repository/i.test(failure.stderr)) {
    return new UserError(
      'not-a-repository',
      `${folder} is not in a git repository. Run "git init" there and commit your files first.`,
      facts,
      options,
    );
  }
  return new UserError(
    'repository-unreadable',
    `Git cannot read the repository in ${folder}: ${failure.stderr}. Check that "git status" works there for the account that owns the folder.`,
    facts,
    options,
  );
}

const execFilePromise = promisify(execFile);

/** Whether the user's own configuration, outside any repository, declares `folder` safe. */
async function isDeclaredSafe(folder: string): Promise<boolean> {
  try {
    const { stdout } = await execFilePromise('git', ['config', '-z', '--get-all', 'safe.directory'], {
      cwd: '/',
      env: { PATH: process.env['PATH'], HOME: homedir() },
    });
    return stdout.split('\0').some((safe) => safe === '*' || safe === folder || isUnder(folder, safe));
  } catch (error) {
    // Exit code 1 says that there is none. Without git the next command says so.
    if (systemCodeOf(error) === 'ENOENT') throw error;
    return false;
  }
}

function isUnder(folder: string, pattern: string): boolean {
  return pattern.endsWith('/*') && folder.startsWith(pattern.slice(0, -1));
}
