import { StringDecoder } from 'node:string_decoder';
import { AnsiScanner, type AnsiToken } from '../base/ansi';

/** Private modes that only change what is shown here, or how the user's own keys and mouse are sent to this terminal. */
const harmlessModes = new Set([1, 7, 12, 25, 47, 1000, 1002, 1006, 1047, 1048, 1049, 2004]);
const alternateScreens = new Set([47, 1047, 1049]);

/**
 * Sequences without prefix or intermediates: moves, erasures, scrolling, tabs, colours, margins, and a saved cursor. Absent
 * are all that are answered (`c`, `n`, `t`, `x`), and `b`, which repeats.
 */
const harmlessFinals = new Set([...'@ABCDEFGHIJKLMPSTXZ`adefgmrsu']);

/** Saved cursor, line moves, keypad, a tab stop. Absent are the full reset, which hides what was shown, and `Z`, a query. */
const harmlessEscapes = new Set([...'78DEHM=>']);

const plainNumbers = /^[\d:;]*$/;
const smallNumbers = /^(?:\d{0,4}(?:;\d{0,4}){0,15})?$/;

/**
 * For the terminal while a user has it: full-screen programs work. Left out is what reaches beyond the screen: titles, the
 * clipboard, links, shell-integration marks, and everything that a terminal answers, for the answer would be typed into
 * the jail. Line feeds stay as they are, for the pty has made line ends of them. Pieces may end anywhere.
 */
export class ScreenFilter {
  private readonly scanner = new AnsiScanner();
  private readonly decoder = new StringDecoder('utf8');
  private alternate = false;

  filter(bytes: Buffer): string {
    let shown = '';
    for (const token of this.scanner.push(this.decoder.write(bytes))) shown += this.safe(token);
    return shown;
  }

  /** Forgets a sequence that is not complete. */
  reset(): void {
    this.scanner.reset();
    this.decoder.end();
  }

  /** What brings a terminal back to how it was before: nothing that a program set outlives the user's turn. */
  closing(): string {
    const leave = this.alternate ? '\u001b[?1049l' : '';
    this.alternate = false;
    this.reset();
    // Setting the margins moves the cursor, so that it is saved and put back.
    return `${leave}\u001b7\u001b[r\u001b8\u001b[?1;1000;1002;1006;2004l\u001b[?7;25h\u001b[4l\u001b>\u001b(B\u000f\u001b[0m`;
  }

  private safe(token: AnsiToken): string {
    switch (token.kind) {
      case 'text':
        return token.text;
      case 'control':
        return '\n\r\t\b\u000e\u000f'.includes(token.char) ? token.char : '';
      case 'csi':
        return this.safeCsi(token);
      case 'escape':
        return safeEscape(token);
      case 'string':
        return '';
    }
  }

  private safeCsi({ params, intermediates, final }: Extract<AnsiToken, { kind: 'csi' }>): string {
    if (intermediates === ' ' && final === 'q' && /^\d?$/.test(params)) return `\u001b[${params} q`;
    if (intermediates !== '') return '';
    if (final === 'h' || final === 'l') return this.safeModes(params, final);
    if (final === 'm') return plainNumbers.test(params) ? `\u001b[${params}m` : '';
    // `3J` erases what can be scrolled back to.
    if (!harmlessFinals.has(final) || !smallNumbers.test(params) || (final === 'J' && params.includes('3'))) return '';
    return `\u001b[${params}${final}`;
  }

  private safeModes(params: string, final: 'h' | 'l'): string {
    if (params === '4') return `\u001b[4${final}`;
    if (!params.startsWith('?') || !smallNumbers.test(params.slice(1))) return '';
    const modes = params
      .slice(1)
      .split(';')
      .map(Number)
      .filter((mode) => harmlessModes.has(mode));
    if (modes.some((mode) => alternateScreens.has(mode))) this.alternate = final === 'h';
    return modes.length === 0 ? '' : `\u001b[?${modes.join(';')}${final}`;
  }
}

function safeEscape({ intermediates, final }: Extract<AnsiToken, { kind: 'escape' }>): string {
  if (intermediates === '') return harmlessEscapes.has(final) ? `\u001b${final}` : '';
  const isCharacterSet = (intermediates === '(' || intermediates === ')') && (final === '0' || final === 'B');
  return isCharacterSet ? `\u001b${intermediates}${final}` : '';
}
