import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { ScreenFilter } from '../../../src/sessions/screenFilter';
import { secretPatterns } from '../../../src/sessions/redactor';
import { TerminalFeed } from '../../../src/sessions/terminalFeed';
import { TerminalFilter } from '../../../src/sessions/terminalFilter';
import { noteText, promptText } from '../../../src/sessions/terminalText';
import { FakeClock } from '../../fakes/clock';

const filtered = (text: string): string => new TerminalFilter().filter(Buffer.from(text));

describe('the terminal filter', () => {
  it('keeps text, colours and movement within the line', () => {
    const text = '\x1b[1;38;5;208morange\x1b[0m\ttab\b\x1b[K\x1b[10G\x1b[3C grüße 🦉\r';
    assert.equal(filtered(text), text);
  });

  it('makes line feeds into line ends of a terminal', () => {
    assert.equal(filtered('a\nb\r\n'), 'a\r\nb\r\r\n');
  });

  const hostile: Record<string, string> = {
    'access to the clipboard': '\x1b]52;c;c2VjcmV0\x07',
    'window and icon titles': '\x1b]0;title\x07\x1b]2;title\x1b\\\x1b[22;0t',
    links: '\x1b]8;;command:evil\x1b\\\x1b]8;;\x1b\\',
    "marks of VS Code's and other shell integrations":
      '\x1b]633;A\x07\x1b]633;E;rm -rf;nonce\x07\x1b]133;C\x07\x1b]1337;File=:AAAA\x07',
    'colour and font requests': '\x1b]10;?\x07\x1b]4;0;?\x07\x1b]50;?\x07',
    'device control, application, privacy and start-of-string sequences':
      '\x1bPq#0\x1b\\\x1b_G\x1b\\\x1b^pm\x1b\\\x1bXsos\x1b\\',
    'device queries': '\x1b[c\x1b[>c\x1b[=c\x1b[5n\x1b[6n\x1b[?6n\x1b[18t\x1bZ\x05\x1b[?2026$p\x1b[x',
    'other screens, mouse, paste and cursor modes':
      '\x1b[?1049h\x1b[?47h\x1b[?1000;1006h\x1b[?2004h\x1b[?25l\x1b[4h\x1b[20h',
    'resets, character sets and keyboards': '\x1bc\x1b[!p\x1b(0\x1b)0\x0e\x0f\x1b[>4;1m\x1b[>1u\x1b=\x1b>\x1b#8',
    'movement over other lines, erasing and scrolling':
      '\x1b[A\x1b[2A\x1b[B\x1b[H\x1b[1;1H\x1b[1;1f\x1b[2J\x1b[3J\x1b[5S\x1b[1;3r\x1bM\x1bD\x1b[L\x1b[d\x1b[s\x1b7\x1b8',
    'repetition without end': '\x1b[999999999b\x1b[99999C',
    'the same in C1 characters': '\u009d52;c;x\u009c\u009b6n\u0090q\u009c\u0084\u0085',
    'bells, NULs and other control characters': '\x07\0\x01\x7f\x0b\x0c',
  };
  for (const [what, text] of Object.entries(hostile)) {
    it(`leaves out ${what}`, () => assert.equal(filtered(`a${text}b`), 'ab'));
  }

  it('lets only its own list through, whatever comes in whatever pieces', () => {
    const allowed = /^(?:[^\p{Cc}]|\r\n|\r|\t|\x08|\x1b\[[\d:;]*m|\x1b\[\d{0,4}[KGCDXP])*$/u; // oxlint-disable-line no-control-regex
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes)),
      fc
        .constantFrom(
          '\x1b',
          '\x1b[',
          '\x1b]',
          '52;c;x',
          '\x07',
          '\x1b\\',
          '?1049',
          'h',
          'm',
          ';',
          '\x9b',
          '\x18',
          ' q',
        )
        .map((text) => Buffer.from(text)),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const filter = new TerminalFilter();
        for (const each of pieces) assert.match(filter.filter(each), allowed);
      }),
      { numRuns: 500 },
    );
  });
});

describe('lines of our own in the terminal', () => {
  it('show control, bidirectional and zero-width characters instead of obeying them', () => {
    assert.equal(noteText('a\x1b]0;x\x07\u202eb'), '\x1b[36m● a<U+001B>]0;x<U+0007><U+202E>b\x1b[0m\r\n');
    assert.equal(promptText('echo \x1b[2J\nls'), '\x1b[1;32m$\x1b[0m \x1b[1mecho <U+001B>[2J\r\n  ls\x1b[0m\r\n');
  });
});

describe('the terminal feed', () => {
  function open() {
    const clock = new FakeClock();
    const feed = new TerminalFeed(clock, (error) => assert.ifError(error), secretPatterns(['correct-horse-battery']));
    const shown: string[] = [];
    feed.onDidOutput((text) => shown.push(text));
    return { clock, feed, shown };
  }

  it('gathers what comes within 16 ms into one piece and then rests', async () => {
    const { clock, feed, shown } = open();
    feed.pushOutput('stdout', Buffer.from('a'));
    feed.pushOutput('stderr', Buffer.from('b'));
    await clock.advance(15);
    assert.deepEqual(shown, []);
    await clock.advance(1);
    assert.deepEqual(shown, ['ab']);
    assert.equal(clock.pendingTimers, 0);
  });

  it('shows no secret, and what it held back of none before the next line', async () => {
    const { clock, feed, shown } = open();
    feed.pushOutput('stdout', Buffer.from('a correct-horse-batt'));
    await clock.advance(16);
    feed.pushOutput('stdout', Buffer.from('ery b correct-'));
    await clock.advance(16);
    feed.pushLine('note\r\n');
    await clock.advance(16);
    assert.deepEqual(shown, ['a corr', '[redacted] b corr', 'ect-\x1b[0m\r\nnote\r\n']);
  });

  it('begins its own lines at the start of a line', async () => {
    const { clock, feed, shown } = open();
    feed.pushOutput('stdout', Buffer.from('no end'));
    feed.pushLine('note\r\n');
    feed.pushLine('another\r\n');
    await clock.advance(16);
    assert.deepEqual(shown, ['no end\x1b[0m\r\nnote\r\nanother\r\n']);
  });

  it('shows at most 4 MB a second of a flood, marks the gaps, and shows its end', async () => {
    const { clock, feed, shown } = open();
    const chunk = Buffer.alloc(64 * 1024, 'x');
    for (let frame = 0; frame < 62; frame += 1) {
      for (let index = 0; index < 10; index += 1) feed.pushOutput('stdout', chunk);
      if (frame === 61) feed.pushOutput('stdout', Buffer.from('the end\n'));
      await clock.advance(16);
    }
    const total = shown.join('').length;
    assert.ok(total > 3_500_000 && total < 4_200_000, `${total} characters`);
    assert.ok(shown.every((text) => text.includes('… 593.9 kB not shown …')));
    assert.ok(shown.at(-1)?.endsWith('the end\r\n'));
  });

  it('keeps the last 256 Ki characters for a terminal that is opened late', async () => {
    const { clock, feed } = open();
    for (let index = 0; index < 40_000; index += 1) {
      feed.pushOutput('stdout', Buffer.from(`line ${index}\n`));
      if (index % 500 === 0) await clock.advance(16);
    }
    await clock.advance(16);
    const kept = feed.scrollback();
    assert.ok(kept.length <= 256 * 1024 && kept.length > 240 * 1024, `${kept.length} characters`);
    assert.match(kept, /^\x1b\[0mline \d+\r\n/); // oxlint-disable-line no-control-regex
    assert.ok(kept.endsWith('line 39999\r\n'));
  });

  it('shows what still waits when it is disposed of, and leaves no timer', () => {
    const { clock, feed, shown } = open();
    feed.pushOutput('stdout', Buffer.from('last words'));
    feed.dispose();
    assert.deepEqual(shown, ['last words']);
    assert.equal(clock.pendingTimers, 0);
  });
});

describe('the screen filter', () => {
  const screened = (text: string): string => new ScreenFilter().filter(Buffer.from(text));

  it('keeps what full-screen programs need', () => {
    const text =
      '\x1b[?1049h\x1b[22;1H\x1b[2J\x1b[1;30r\x1b[?25l\x1b[38;5;4mé\x1b[m\x1b7\x1b8\x1bM\x1b(0qq\x1b(B\x1b=\x1b[?1;1006h\x1b[2 q\r\n';
    assert.equal(screened(text), text);
  });

  const hostile: Record<string, string> = {
    'the clipboard, titles, links, marks': '\x1b]52;c;c2VjcmV0\x07\x1b]0;t\x07\x1b]8;;command:x\x1b\\\x1b]633;A\x07',
    'what is answered': '\x1b[c\x1b[>c\x1b[5n\x1b[6n\x1b[18t\x1bZ\x05\x1b[?2026$p\x1b[x\x1b[?u\x1b[>q\x1bP$qm\x1b\\',
    'a full reset, and the loss of what can be scrolled back to': '\x1bc\x1b[3J\x1b[!p',
    'repetition and numbers without end': '\x1b[9999b\x1b[99999L',
    'reports of focus and other modes': '\x1b[?1004h\x1b[?1003h\x1b[20h\x1b[?3h',
    'bells and other control characters': '\x07\0\x01\x7f\x0b\x0c',
  };
  for (const [what, text] of Object.entries(hostile)) {
    it(`leaves out ${what}`, () => assert.equal(screened(`a${text}b`), 'ab'));
  }

  it('takes the harmless ones of several modes', () => assert.equal(screened('\x1b[?25;1004;7l'), '\x1b[?25;7l'));

  it('leaves another screen when it ends, if it is on one', () => {
    const filter = new ScreenFilter();
    assert.doesNotMatch(filter.closing(), /1049/);
    filter.filter(Buffer.from('\x1b[?1049h\x1b[31'));
    assert.match(filter.closing(), /\?1049l/);
    assert.equal(filter.filter(Buffer.from('mtext')), 'mtext');
  });
});
