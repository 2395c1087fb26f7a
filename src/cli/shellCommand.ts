import type { Command } from 'commander';
import { sh } from './sh';

const shellHelp = `
The folder is /workspace in the jail. There is no network, no home folder, and nothing else of this machine but its programs.
 - Changes are made in the folder itself. --read-only shows it without letting anything change.
 - .git, .vscode and .envrc of the folder are covered by something empty, for programs outside obey them or they may hold
   passwords. Repositories deeper in the folder are not: after strange code ran, do not run git in them outside.
 - As root, what belongs to the folder's owner belongs to an id of the jail's own while it runs, and to the owner again
   afterwards, with what was made. Files with a second name elsewhere (hard links) are left as they are, and cannot be changed.
   Should airlock be killed, run "airlock sh -c true" on the folder again. Meanwhile git outside refuses the folder ("dubious
   ownership").

Exit code: the command's own; 2 when no jail could be had; 137 when a limit ended it`;

/** `airlock sh`: a jail by hand. */
export function addShell(airlock: Command): void {
  airlock
    .command('sh')
    .description('a shell, or one command, in a fresh jail on a folder')
    .option('--workspace <dir>', 'the folder', '.')
    .option('-c, --command <command>', 'run this command line instead of a shell')
    .option('--read-only', 'let nothing in the folder change; as root it shows what everybody may read', false)
    .addHelpText('after', shellHelp)
    .action(async (options: { workspace: string; command?: string; readOnly: boolean }) => {
      process.exitCode = await sh({ ...options, command: options.command });
    });
}
