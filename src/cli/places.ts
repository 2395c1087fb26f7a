import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { messageOf, systemCodeOf, UserError } from '../base/errors';

const run = promisify(execFile);

/** Where the headless command keeps its storage: `$XDG_STATE_HOME/airlock`, else `~/.local/state/airlock`. */
export function defaultStorage(environment: NodeJS.ProcessEnv = process.env): string {
  const state = environment['XDG_STATE_HOME'];
  return path.join(state && path.isAbsolute(state) ? state : path.join(homedir(), '.local', 'state'), 'airlock');
}

/** What is the user's own and outlives each storage: `$XDG_CONFIG_HOME/airlock`, else `~/.config/airlock`. */
export function configFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const config = environment['XDG_CONFIG_HOME'];
  return path.join(config && path.isAbsolute(config) ? config : path.join(homedir(), '.config'), 'airlock');
}

/** Where the user's own personas are. */
export function defaultPersonas(environment: NodeJS.ProcessEnv = process.env): string {
  return path.join(configFolder(environment), 'personas');
}

/**
 * The repository that `folder` lies in; `undefined` when it lies in none. Where git is missing, or refuses to say because the
 * repository is another account's, nobody knows: that is a `UserError`.
 */
export async function repositoryOf(folder: string): Promise<string | undefined> {
  try {
    const { stdout } = await run('git', ['rev-parse', '--show-toplevel'], {
      cwd: folder,
      env: { ...process.env, LC_ALL: 'C' },
    });
    return stdout.trim() || undefined;
  } catch (error) {
    // A folder that is not there has the same code as a program that is not there.
    if (systemCodeOf(error) === 'ENOENT' && existsSync(folder))
      throw new UserError('git-missing', 'git is not installed. Install it, for example: sudo apt-get install git');
    const untrusted = /dubious ownership in repository at '(.*)'/.exec(messageOf(error))?.[1];
    if (untrusted !== undefined) {
      throw new UserError(
        'repository-untrusted',
        `The repository ${untrusted} belongs to another account, so git does not trust it. If you do, run: git config --global --add safe.directory '${untrusted}'`,
        { folder },
      );
    }
    return undefined;
  }
}
