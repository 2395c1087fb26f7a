import { makeVisible } from '../base/visible';

/** Foreign text on one line, with everything unseen written out. */
export function oneLine(text: string, maxLength = 400): string {
  const flat = makeVisible(text.replace(/\s+/g, ' ').trim());
  return flat.length > maxLength ? `${flat.slice(0, maxLength - 1)}…` : flat;
}

/** Foreign text as Markdown that shows exactly that text: no link, image, HTML or formatting comes of it. */
export function escapeMarkdown(text: string, maxLength?: number): string {
  return oneLine(text, maxLength).replace(/[!-/:-@[-`{-~]/g, '\\$&');
}

/** Foreign text as a code block that it cannot close. Line feeds and tabs stay; the rest of what is unseen is written out. */
export function codeBlock(text: string, language = ''): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${makeVisible(text.replace(/\r\n?/g, '\n')).replace(/\n$/, '')}\n${fence}`;
}
