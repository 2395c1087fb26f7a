import { z } from 'zod';
import { sha256 } from '../base/digest';
import { makeVisible } from '../base/visible';
import type { ApprovalEffect, AskedCall } from '../core/approval';
import type { SessionFiles } from '../core/session';
import { lineChange } from './lineChange';

/** A tool that an agent wants to use, whoever does it. */
export interface WantedCall {
  readonly callId: string;
  /** As its engine calls it. */
  readonly name: string;
  /** The tool of a persona's list; `null` when it is in none. */
  readonly tool: string | null;
  readonly input: unknown;
  readonly summary: string;
}

const maxShownFileBytes = 1024 ** 2;

const commandSchema = z.object({
  command: z.string(),
  run_in_background: z.boolean().default(false),
  timeout_seconds: z.number().optional(),
});
/** Ours and Claude Code's name the file differently. */
const pathSchema = z.union([
  z.object({ path: z.string() }).transform(({ path }) => path),
  z.object({ file_path: z.string() }).transform(({ file_path: path }) => path),
]);
const editSchema = z.object({
  old_string: z.string(),
  new_string: z.string(),
  replace_all: z.boolean().default(false),
});
const writeSchema = z.object({ content: z.string() });

/** What names a call in a decision: the tool and its whole input. What cannot be written down is no call that could be allowed. */
export function askedCallOf({ name, tool, input }: WantedCall): AskedCall {
  const command = tool === 'bash' ? commandSchema.safeParse(input).data : undefined;
  return {
    tool: tool ?? name,
    call: sha256(JSON.stringify([name, input ?? null])),
    command: command && !command.run_in_background ? command.command : null,
  };
}

/** All that a call will do, as people are shown it: whole, with everything unseen in it written out. */
export async function effectOf(wanted: WantedCall, files: Pick<SessionFiles, 'read'>): Promise<ApprovalEffect> {
  const { command } = askedCallOf(wanted);
  return { text: makeVisible(await textOf(wanted, files)), command };
}

async function textOf({ name, tool, input }: WantedCall, files: Pick<SessionFiles, 'read'>): Promise<string> {
  const command = commandSchema.safeParse(input).data;
  if (tool === 'bash' && command) return commandText(command);
  const path = pathSchema.safeParse(input).data;
  const edit = editSchema.safeParse(input).data;
  if (tool === 'edit' && path !== undefined && edit) {
    const where = edit.replace_all ? 'everywhere in' : 'once in';
    return `Change ${where} ${JSON.stringify(path)}:\n${lineChange(`${edit.old_string}\n`, `${edit.new_string}\n`)}`;
  }
  const written = writeSchema.safeParse(input).data;
  if (tool === 'write' && path !== undefined && written) return writeText(path, written.content, files);
  // What is not known is shown as it is.
  return `${name} with this input:\n${JSON.stringify(input ?? null, null, 2)}`;
}

function commandText({
  command,
  run_in_background: inBackground,
  timeout_seconds: seconds,
}: z.output<typeof commandSchema>): string {
  const how = inBackground ? 'in the background' : seconds === undefined ? '' : `for at most ${seconds} s`;
  return `Run this in bash in the jail${how === '' ? '' : `, ${how}`}:\n${command}`;
}

async function writeText(path: string, content: string, files: Pick<SessionFiles, 'read'>): Promise<string> {
  const before = await files.read(path, { maxBytes: maxShownFileBytes }).catch(() => undefined);
  if (before === undefined) return `Write the new file ${JSON.stringify(path)}:\n${lineChange('', content)}`;
  if (before.size > maxShownFileBytes)
    return `Write over the file ${JSON.stringify(path)}, which has ${before.size} bytes. It becomes:\n${lineChange('', content)}`;
  return `Write over the file ${JSON.stringify(path)}:\n${lineChange(Buffer.from(before.bytes).toString('utf8'), content)}`;
}
