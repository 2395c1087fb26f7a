/** A Markdown file with YAML before it. */
export interface FrontMatter {
  /** The YAML between the two lines of dashes. It begins at line 2 of the file. */
  readonly yaml: string;
  /** What follows, without the space around it. */
  readonly body: string;
}

export const yamlFirstLine = 2;

/** @returns `undefined` when the file does not begin with a line `---` that another one follows. */
export function splitFrontMatter(text: string): FrontMatter | undefined {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  if (lines[0]?.trimEnd() !== '---') return undefined;
  const end = lines.findIndex((line, index) => index > 0 && line.trimEnd() === '---');
  if (end < 0) return undefined;
  return {
    yaml: lines.slice(1, end).join('\n'),
    body: lines
      .slice(end + 1)
      .join('\n')
      .trim(),
  };
}
