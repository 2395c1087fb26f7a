import { execFile } from 'node:child_process';
import { homedir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Where the headless command keeps its storage: `$XDG_STATE_HOME/airlock`, else `~/.local/state/airlock`. */
export function defaultStorage(environment: NodeJS.ProcessEnv = process.env): string {
  const state = environment['XDG_STATE_HOME'];
  return path.join(state && path.isAbsolute(state) ? state : path.join(homedir(), '.local', 'state'), 'airlock');
}

/** The repository that `folder` lies in; `undefined` when it lies in none. */
export async function repositoryOf(folder: string): Promise<string | undefined> {
  try {
    const { stdout } = await run('git', ['rev-parse', '--show-toplevel'], { cwd: folder });
    return stdout.trim() || undefined;
  } catch {
    return undefined;
  }
}
