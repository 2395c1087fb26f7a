/** Lines that are shown around what changes. */
const contextLines = 3;

/** What becomes of a text, line by line: what goes with `-`, what comes with `+`. What is the same before and after it is left out. */
export function lineChange(before: string, after: string): string {
  const [old, now] = [linesOf(before), linesOf(after)];
  let head = 0;
  while (head < old.length && head < now.length && old[head] === now[head]) head += 1;
  let tail = 0;
  while (tail < old.length - head && tail < now.length - head && old.at(-1 - tail) === now.at(-1 - tail)) tail += 1;
  const from = Math.max(0, head - contextLines);
  const until = now.length - Math.max(0, tail - contextLines);
  return [
    ...(from === 0 ? [] : [`  … ${from} lines as they are`]),
    ...now.slice(from, head).map((line) => `  ${line}`),
    ...old.slice(head, old.length - tail).map((line) => `- ${line}`),
    ...now.slice(head, now.length - tail).map((line) => `+ ${line}`),
    ...now.slice(now.length - tail, until).map((line) => `  ${line}`),
    ...(until === now.length ? [] : [`  … ${now.length - until} lines as they are`]),
  ].join('\n');
}

function linesOf(text: string): string[] {
  if (text === '') return [];
  const lines = text.split('\n');
  // A file whose last line has no end differs from one whose last line has one.
  if (lines.at(-1) === '') lines.pop();
  else lines.push('(no line feed at the end)');
  return lines;
}
