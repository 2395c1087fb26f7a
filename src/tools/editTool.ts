import { z } from 'zod';
import { defineTool, failed, pathSchema, succeeded } from './defineTool';
import { applyEdit, type EditOutcome } from './textEdit';
import { numbered, readWhole, type WholeFile } from './textFile';

const maxFileBytes = 8 * 1024 ** 2;
const maxTextLength = 1024 ** 2;
/** Lines that are shown before and after what was changed. */
const contextLines = 3;
const maxShownLines = 60;
const maxShownLineLength = 400;

export const editTool = defineTool({
  name: 'edit',
  description:
    'Replaces a piece of text in a file. old_string must stand in the file exactly, spaces and line breaks included, and only once: give enough of the lines around it, or set replace_all. Read the file first, and leave out the line numbers that read shows.',
  schema: z.object({
    path: pathSchema,
    old_string: z.string().min(1).max(maxTextLength),
    new_string: z.string().max(maxTextLength),
    replace_all: z.boolean().default(false),
  }),
  readOnly: false,
  summarize: ({ path, replace_all: replaceAll }) => `edit ${path}${replaceAll ? ' everywhere' : ''}`,
  async run({ path, old_string: oldText, new_string: newText, replace_all: replaceAll }, { session }) {
    if (oldText === newText) return failed('old_string and new_string are the same, so there is nothing to change.');
    const file = await readWhole(session.files, path, maxFileBytes);
    if (file.kind !== 'text') return failed(notEditable(path, file));
    const outcome = applyEdit(file.text, { oldText, newText, replaceAll });
    if (outcome.kind !== 'edited') return failed(notEdited(path, outcome));
    await session.files.write(path, Buffer.from(outcome.text, 'utf8'));
    const count = outcome.replacements === 1 ? '' : ` in ${outcome.replacements} places, the first of them`;
    return succeeded(`Changed ${path}${count}:\n${surroundings(outcome)}`);
  },
});

function notEditable(path: string, file: Exclude<WholeFile, { kind: 'text' }>): string {
  switch (file.kind) {
    case 'binary':
      return `${path} is no text but a ${file.what}.`;
    case 'notUtf8':
      return `${path} is not in UTF-8, and writing it back would damage it. Change it with a command.`;
    case 'tooLarge':
      return `${path} has ${file.size} bytes, which is more than edit takes. Change it with a command.`;
  }
}

function notEdited(path: string, outcome: Exclude<EditOutcome, { kind: 'edited' }>): string {
  if (outcome.kind === 'notFound') return `old_string is not in ${path}. ${outcome.hint || 'Read the file again.'}`;
  const { lines } = outcome;
  const shown = lines.slice(0, 20).join(', ') + (lines.length > 20 ? ', …' : '');
  return `old_string is in ${path} ${lines.length} times, on lines ${shown}. Give more of the lines around the one that you mean, or set replace_all.`;
}

function surroundings({ text, at, length }: Extract<EditOutcome, { kind: 'edited' }>): string {
  const lines = text.split(/\r?\n/);
  const first = text.slice(0, at).split('\n').length - 1;
  const last = text.slice(0, at + length).split('\n').length - 1;
  const from = Math.max(0, first - contextLines);
  const shown = lines.slice(from, Math.min(last + contextLines + 1, from + maxShownLines));
  return numbered(
    shown.map((line) => line.slice(0, maxShownLineLength)),
    from + 1,
  );
}
