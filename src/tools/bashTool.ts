import { z } from 'zod';
import { assertNever } from '../base/errors';
import type { ExecResult } from '../core/session';
import { outputText, throwIfCancelled } from './commandOutput';
import { defineTool, failed, succeeded } from './defineTool';

const defaultTimeoutSeconds = 120;
const maxTimeoutSeconds = 600;
/** About 12,000 tokens: more crowds out what the agent has to think about. */
const maxOutputBytes = 48_000;

export const bashTool = defineTool({
  name: 'bash',
  description: `Runs a command line in the sandbox's bash. Folder, variables and functions stay for the next command. Standard input is empty: nothing can be typed. There is no terminal, so use non-interactive options. A command is ended after timeout_seconds (default ${defaultTimeoutSeconds}, at most ${maxTimeoutSeconds}); start servers and watchers with run_in_background: that answers an id for bash_output, bash_input and bash_stop. Long output is cut in the middle.`,
  schema: z.object({
    command: z.string().min(1).max(100_000),
    timeout_seconds: z.number().positive().max(maxTimeoutSeconds).default(defaultTimeoutSeconds),
    run_in_background: z
      .boolean()
      .default(false)
      .describe('For what runs long: answers at once, and has no time limit.'),
  }),
  readOnly: false,
  summarize: ({ command, run_in_background: inBackground }) => `$ ${command}${inBackground ? ' &' : ''}`,
  async run({ command, timeout_seconds: timeoutSeconds, run_in_background: inBackground }, { session, signal }) {
    if (command.includes('\0')) return failed('A command line has no NUL in it.');
    if (inBackground) {
      const id = await session.background.start(command, signal);
      return succeeded(`It runs in the background as ${id}.`);
    }
    const timeoutMs = Math.ceil(timeoutSeconds * 1000);
    const result = await session.exec(command, { timeoutMs, maxOutputBytes, signal });
    throwIfCancelled(result);
    const text = [outputText(result, maxOutputBytes), ending(result, timeoutSeconds), limitWords(result)]
      .filter((part) => part !== '')
      .join('\n');
    return result.kind === 'exited' && result.exitCode === 0 ? succeeded(text || '(no output)') : failed(text);
  },
});

function limitWords({ held }: ExecResult): string {
  return held ? `[It seems to have met a limit of the sandbox: ${held.detail}. The limit stays: do with less.]` : '';
}

function ending({ kind, exitCode }: ExecResult, timeoutSeconds: number): string {
  switch (kind) {
    case 'exited':
      return exitCode === 0 ? '' : `[exit code ${exitCode}]`;
    case 'timedOut':
      return `[The command was ended after ${timeoutSeconds} s. Give it more time with timeout_seconds, or use run_in_background.]`;
    case 'shellEnded':
      return '[The command ended the shell itself (exit, exec or kill). A new shell is there for the next command; its folder and variables are as at the start.]';
    case 'cancelled':
      return '';
    default:
      return assertNever(kind);
  }
}
