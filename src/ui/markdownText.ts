import { makeVisible } from '../base/visible';

/** Foreign text on one line, with everything unseen written out. */
export function oneLine(text: string, maxLength = 400): string {
  const flat = makeVisible(text.replace(/\s+/g, ' ').trim());
  return flat.length > maxLength ? `${flat.slice(0, maxLength - 1)}…` : flat;
}

/** Foreign text as a label of VS Code's: on one line, and nothing in it becomes an icon. */
export function labelText(text: string, maxLength = 160): string {
  return oneLine(text, maxLength).replaceAll('$(', '$\u200B(');
}

/** Foreign text as Markdown that shows exactly that text: no link, image, HTML or formatting comes of it. */
export function escapeMarkdown(text: string, maxLength?: number): string {
  return oneLine(text, maxLength).replace(/[!-/:-@[-`{-~]/g, '\\$&');
}
