import { StringDecoder } from 'node:string_decoder';
import { AnsiScanner, type AnsiToken } from '../base/ansi';

/** Colours and their like: `CSI … m` with plain numbers. `CSI > … m` is another thing: it changes how keys are sent. */
const plainNumbers = /^[\d:;]*$/;

/** What most output has none of: then it need not be taken apart. */
const unusual = /[^\P{Cc}\n\r\t\b]/u;

/** Moves and erasures that stay in the line: K erase, G column, C right, D left, X and P erase characters. */
const withinLine = new Set(['K', 'G', 'C', 'D', 'X', 'P']);

function safeCsi(token: Extract<AnsiToken, { kind: 'csi' }>): string {
  if (token.intermediates !== '' || !plainNumbers.test(token.params)) return '';
  if (token.final === 'm') return `\u001b[${token.params}m`;
  return withinLine.has(token.final) && /^\d{0,4}$/.test(token.params) ? `\u001b[${token.params}${token.final}` : '';
}

function safeControl(char: string): string {
  if (char === '\n') return '\r\n';
  return char === '\r' || char === '\t' || char === '\b' ? char : '';
}

/**
 * Lets through what only shows something: text, colours, and movement within the line. Everything else is left out:
 * titles, clipboard access, links, shell-integration marks, device queries whose answers would be typed into the
 * terminal, other screens, mouse and paste modes, and moving back up over lines that were already read. Line feeds become
 * `\r\n`. One filter serves one stream; pieces may end anywhere.
 */
export class TerminalFilter {
  private readonly scanner = new AnsiScanner();
  private readonly decoder = new StringDecoder('utf8');

  filter(bytes: Buffer): string {
    const text = this.decoder.write(bytes);
    if (this.scanner.isAtRest && !unusual.test(text)) return text.replaceAll('\n', '\r\n');
    let shown = '';
    for (const token of this.scanner.push(text)) {
      if (token.kind === 'text') shown += token.text;
      else if (token.kind === 'control') shown += safeControl(token.char);
      else if (token.kind === 'csi') shown += safeCsi(token);
    }
    return shown;
  }

  /** Forgets what is incomplete: something was left out before the next piece. */
  reset(): void {
    this.scanner.reset();
    this.decoder.end();
  }
}
