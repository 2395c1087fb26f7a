import { spawnSync } from 'node:child_process';
import type { Clock } from '../base/clock';
import { UserError } from '../base/errors';
import type { LimitBreach } from '../core/jail';
import type { JailPolicy } from '../core/jailPolicy';
import { bwrapInvocation } from './argv';
import type { HostFacts } from './hostFacts';
import { JailProcess } from './jailProcess';
import { watchLimits } from './limits/watchLimits';
import { checkMounts } from './mountCheck';

/** How a shell on a terminal ended. */
export interface ShellEnd {
  /** `null` when the jail was ended by a limit or from outside. */
  readonly exitCode: number | null;
  readonly breach: LimitBreach | null;
}

export interface TerminalShellContext {
  readonly facts: HostFacts;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * bash on a terminal of the jail's own, which `script` opens inside: there are jobs and Ctrl-C in it. `env` undoes the ignored
 * signals that `script` would hand on. Without `script` it is a shell without jobs.
 */
const shellArgv = [
  ...['/bin/bash', '--norc', '--noprofile', '-p', '-c'],
  `if command -v script >/dev/null; then exec env --default-signal script -qefc 'exec bash -i' /dev/null; else exec bash -i; fi`,
];

/**
 * A shell in a fresh jail on this process's terminal, until it ends. The jail keeps the terminal's session, for a change of the
 * window's size reaches it that way; what would type into the terminal is denied by the filter.
 * @throws {UserError} `jail-unavailable`, `mount-missing`, `mount-point-unsafe`, `not-a-terminal`.
 */
export async function shellOnTerminal(policy: JailPolicy, context: TerminalShellContext): Promise<ShellEnd> {
  if (!process.stdin.isTTY || !process.stdout.isTTY) {
    throw new UserError('not-a-terminal', 'A shell needs a terminal. Give the command to run with -c.');
  }
  const checked = await checkMounts(policy);
  const terminal = process.env['TERM'] ?? 'xterm';
  const invocation = bwrapInvocation(checked, context.facts, shellArgv, {
    newSession: false,
    longLived: true,
    terminal,
  });
  const settings = stty(['-g']);
  const jail = new JailProcess(invocation, { stdin: 'inherit', stdout: 'inherit', stderr: 'inherit' });
  let breach: LimitBreach | null = null;
  const onBreach = (found: LimitBreach): void => {
    breach ??= found;
    jail.kill();
  };
  const onAbort = (): void => jail.kill();
  context.signal.addEventListener('abort', onAbort, { once: true });
  if (context.signal.aborted) onAbort();
  const watch = watchLimits(checked, jail.firstProcess, { clock: context.clock, onBreach });
  try {
    const end = await jail.ended;
    if (!end.built && breach === null && !context.signal.aborted) {
      throw new UserError('jail-unavailable', 'The jail could not be built, so no shell was started.');
    }
    return { exitCode: breach === null ? end.exitCode : null, breach };
  } finally {
    watch.dispose();
    context.signal.removeEventListener('abort', onAbort);
    // A shell that was killed leaves the terminal as its programs had it: raw, without echo.
    if (settings !== '') stty([settings]);
  }
}

function stty(args: readonly string[]): string {
  const ran = spawnSync('/bin/stty', args, { stdio: ['inherit', 'pipe', 'ignore'], encoding: 'utf8' });
  return (ran.stdout ?? '').trim();
}
