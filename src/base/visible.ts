/**
 * Control characters, and characters that change how others are read without being seen: bidirectional controls,
 * zero-width and other format characters, line and paragraph separators, unassigned and private ones.
 */
const unseen = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}\u115f\u1160\u3164\uffa0]|\u034f/gu;

/**
 * The same text with everything unseen written out, such as `<U+202E>`, so that what is read is what is there. Line
 * feeds and tabs stay.
 */
export function makeVisible(text: string): string {
  return text.replace(unseen, (char) => {
    if (char === '\n' || char === '\t') return char;
    const code = char.codePointAt(0) ?? 0;
    return `<U+${code.toString(16).toUpperCase().padStart(4, '0')}>`;
  });
}

/** Foreign text in a text of ours, each line of which can be told from ours by the bar before it. */
export function barred(text: string): string {
  return makeVisible(text)
    .split('\n')
    .map((line) => `| ${line}`)
    .join('\n');
}
