import { makeVisible } from '../base/visible';

const reset = '\u001b[0m';

/** Longer commands than this are shown in part: a whole file may stand in one. */
const maxShownChars = 4_000;

function shortened(text: string): string {
  return text.length <= maxShownChars ? text : `${text.slice(0, maxShownChars)} … (${text.length} characters)`;
}

function lines(text: string, first: string, next: string): string {
  return makeVisible(shortened(text))
    .split('\n')
    .map((line, index) => (index === 0 ? first : next) + line)
    .join('\r\n');
}

/** The command as a prompt would show it, before its output. */
export function promptText(command: string): string {
  return `\u001b[1;32m$${reset} \u001b[1m${lines(command, '', '  ')}${reset}\r\n`;
}

/** A line of our own. */
export function noteText(text: string): string {
  return `\u001b[36m${lines(text, '● ', '  ')}${reset}\r\n`;
}

/** How a command ended, when that is worth a line. */
export function endText(text: string): string {
  return `\u001b[2;31m[${lines(text, '', '')}]${reset}\r\n`;
}

/** The mark where output was left out. */
export function skippedText(bytes: number): string {
  return `${reset}\r\n\u001b[7m … ${formatBytes(bytes)} not shown … ${reset}\r\n`;
}

function formatBytes(bytes: number): string {
  if (bytes < 1_000) return `${bytes} bytes`;
  if (bytes < 1_000_000) return `${(bytes / 1_000).toFixed(1)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
