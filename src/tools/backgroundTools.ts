import { z } from 'zod';
import { plainText } from '../base/ansi';
import { CancelledError } from '../base/errors';
import type { BackgroundOutput } from '../core/background';
import { defineTool, succeeded } from './defineTool';

const maxWaitSeconds = 60;

const idSchema = z.string().min(1).max(40).describe('The id that bash answered with.');

export const bashOutputTool = defineTool({
  name: 'bash_output',
  description: `Gives what a background command printed since the last time, and whether it still runs. With wait_seconds (at most ${maxWaitSeconds}) it waits until there is something new.`,
  schema: z.object({ id: idSchema, wait_seconds: z.number().min(0).max(maxWaitSeconds).default(0) }),
  readOnly: false,
  summarize: ({ id }) => `output of ${id}`,
  async run({ id, wait_seconds: waitSeconds }, { session, signal }) {
    const output = await session.background.read(id, { waitMs: waitSeconds * 1000, signal });
    if (signal.aborted) throw new CancelledError();
    return succeeded(textOf(output));
  },
});

export const bashInputTool = defineTool({
  name: 'bash_input',
  description: 'Writes text to the standard input of a background command. A line needs its line feed.',
  schema: z.object({ id: idSchema, text: z.string().min(1).max(10_000) }),
  readOnly: false,
  summarize: ({ id, text }) => `to ${id}: ${text}`,
  async run({ id, text }, { session }) {
    await session.background.write(id, text);
    return succeeded('It has been written. See the answer with bash_output.');
  },
});

export const bashStopTool = defineTool({
  name: 'bash_stop',
  description: 'Ends a background command and all that it started, and gives what it printed last.',
  schema: z.object({ id: idSchema }),
  readOnly: false,
  summarize: ({ id }) => `stop ${id}`,
  async run({ id }, { session, signal }) {
    await session.background.stop(id);
    return succeeded(textOf(await session.background.read(id, { waitMs: 0, signal })));
  },
});

function textOf({ status, output, droppedBytes }: BackgroundOutput): string {
  const ended = status.kind === 'ended';
  const state = ended ? `[It has ended with exit code ${status.exitCode ?? 'unknown'}.]` : '[It is running.]';
  const gap = droppedBytes === 0 ? '' : `[${droppedBytes} bytes from the middle were left out.]`;
  const text = plainText(output).trimEnd() || '(no new output)';
  return [text, gap, state].filter((part) => part !== '').join('\n');
}
