import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { AnsiScanner, plainText } from '../../../src/base/ansi';
import { makeVisible } from '../../../src/base/visible';

const plain = (text: string): string => plainText(Buffer.from(text));

describe('plain text of terminal output', () => {
  it('keeps ordinary text, tabs, empty lines and trailing blanks as they are', () => {
    assert.equal(plain('a\tb  \n\n  grüße 🦉\n'), 'a\tb  \n\n  grüße 🦉\n');
  });

  it('removes colours, titles, links and device queries', () => {
    assert.equal(
      plain('\x1b[1;31mred\x1b[0m \x1b]0;title\x07\x1b]8;;file:///x\x1b\\link\x1b]8;;\x1b\\\x1b[c!'),
      'red link!',
    );
  });

  it('reads C1 characters as the escape sequences that they are', () => {
    assert.equal(plain('a\u009b31mb\u009d52;c;xx\u009cc'), 'abc');
  });

  it('leaves of a progress bar what was there in the end', () => {
    assert.equal(plain('10%\r20%\r100%\ndone'), '100%\ndone');
    assert.equal(plain('downloading\r\x1b[Kok\n'), 'ok\n');
    assert.equal(plain('abc\b\bX\n'), 'aXc\n');
  });

  it('makes Windows line ends line feeds', () => {
    assert.equal(plain('a\r\nb\r\n'), 'a\nb\n');
  });

  it('does not lose what follows a string that nobody ended', () => {
    assert.equal(plain('a\x1b]0;never ended\nnext line'), 'a\nnext line');
  });

  it('shows bytes that are no UTF-8 as replacement characters and drops NUL', () => {
    assert.equal(plainText(Uint8Array.of(0x61, 0xff, 0x00, 0x62)), 'a\ufffdb');
  });

  it('comes to an end with a line that is written over a hundred thousand times', function () {
    this.timeout(60_000);
    assert.equal(plain('x'.repeat(100_000) + '\ry'.repeat(100_000)).length, 100_000);
  });

  it('never leaves a control character, whatever comes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        assert.ok(!/[^\P{Cc}\n\t]/u.test(plainText(bytes)));
      }),
    );
  });
});

describe('the scanner of terminal output', () => {
  it('finds the same tokens however the stream is split', () => {
    const piece = fc.constantFrom(
      '\x1b',
      '[',
      ']',
      '0;x',
      '31',
      'm',
      '\\',
      '\x07',
      '\n',
      'P',
      'text',
      '\u009b',
      '?25',
      'h',
      ' ',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const whole = new AnsiScanner().push(pieces.join(''));
        const scanner = new AnsiScanner();
        const split = pieces.flatMap((each) => scanner.push(each));
        // A run of bells is one token, and may be split.
        const flat = (tokens: typeof whole): string =>
          tokens
            .filter((token) => token.kind !== 'control' || token.char === '\n')
            .map((token) => (token.kind === 'text' ? token.text : JSON.stringify(token)))
            .join('');
        assert.equal(flat(split), flat(whole));
      }),
    );
  });
});

describe('text made visible', () => {
  it('writes out control, bidirectional and zero-width characters and keeps the rest', () => {
    assert.equal(
      makeVisible('rm \u202etxt.exe\u200b\x1b[2J\tgrüße\n🦉'),
      'rm <U+202E>txt.exe<U+200B><U+001B>[2J\tgrüße\n🦉',
    );
  });
});
