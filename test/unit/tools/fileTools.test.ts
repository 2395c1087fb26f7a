import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { editTool } from '../../../src/tools/editTool';
import { readTool } from '../../../src/tools/readTool';
import { writeTool } from '../../../src/tools/writeTool';
import { FolderSession } from './folderSession';

describe('the file tools', () => {
  let session: FolderSession;
  beforeEach(async () => {
    session = await FolderSession.create();
  });
  afterEach(() => session.close());

  const content = (path: string): Promise<string> => readFile(join(session.folder, path), 'utf8');

  describe('read', () => {
    const read = (input: unknown) => readTool.run(input, session.context);

    it('gives lines with their numbers', async () => {
      await session.put('a.txt', 'one\n\ttwo\n\nfour');
      assert.deepEqual(await read({ path: 'a.txt' }), {
        ok: true,
        text: '     1\tone\n     2\t\ttwo\n     3\t\n     4\tfour',
      });
    });

    it('gives a page, and says where the file goes on', async () => {
      await session.put('a.txt', 'one\ntwo\nthree\nfour\n');
      assert.deepEqual(await read({ path: 'a.txt', offset: 2, limit: 2 }), {
        ok: true,
        text: '     2\ttwo\n     3\tthree\n[The file goes on: read it with offset 4.]',
      });
      assert.deepEqual(await read({ path: 'a.txt', offset: 3, limit: 2 }), {
        ok: true,
        text: '     3\tthree\n     4\tfour',
      });
    });

    it('leads through a large file without a gap', async () => {
      const lines = Array.from({ length: 20_000 }, (_, at) => `line ${at + 1} ${'é'.repeat(at % 90)}`);
      await session.put('big.txt', lines.join('\n'));
      const seen: string[] = [];
      let offset = 1;
      for (;;) {
        const { text } = await read({ path: 'big.txt', offset });
        assert.ok(Buffer.byteLength(text) < 90_000);
        const page = text.split('\n');
        const more = /offset (\d+)\.\]$/.exec(page.at(-1) ?? '');
        seen.push(...(more ? page.slice(0, -1) : page).map((line) => line.slice(line.indexOf('\t') + 1)));
        if (!more) break;
        offset = Number(more[1]);
      }
      assert.deepEqual(seen, lines);
    });

    it('cuts a line that is too long', async () => {
      await session.put('a.txt', `${'x'.repeat(600_000)}\nnext`);
      const { text } = await read({ path: 'a.txt' });
      assert.equal(text, `     1\t${'x'.repeat(2000)} […598000 more characters]\n     2\tnext`);
    });

    it('shows a file with CRLF as lines, and says so', async () => {
      await session.put('a.txt', 'one\r\ntwo\r\n');
      const { text } = await read({ path: 'a.txt' });
      assert.equal(text, '     1\tone\n     2\ttwo\n[Lines of this file end with CRLF.]');
    });

    it('names what is no text', async () => {
      await session.put('a.pdf', '%PDF-1.7');
      await session.put('b.bin', Buffer.from('text\0more'));
      const text = 'b.bin is no text but a binary file of 9 bytes.';
      assert.deepEqual(await read({ path: 'b.bin' }), { ok: false, text });
      assert.deepEqual(await read({ path: 'a.pdf' }), {
        ok: false,
        text: 'a.pdf is no text but a PDF document of 8 bytes.',
      });
    });

    const png = (width: number, height: number): Buffer =>
      Buffer.concat([
        Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'),
        Buffer.from(Uint32Array.of(width, height).buffer).swap32(),
        Buffer.from('0802000000', 'hex'),
        Buffer.alloc(20),
      ]);
    const images = {
      'image/png': png(640, 480),
      'image/jpeg': Buffer.from(
        'ffd8ffe000104a46494600010100000100010000ffc0001108000300050301220002110103110100ffd9',
        'hex',
      ),
      'image/gif': Buffer.from('R0lGODlhAQABAAAAACw=', 'base64'),
      'image/webp': Buffer.from('UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==', 'base64'),
    } as const;
    const sizes = { 'image/png': '640 × 480', 'image/jpeg': '5 × 3', 'image/gif': '1 × 1', 'image/webp': '1 × 1' };

    for (const mediaType of ['image/png', 'image/jpeg', 'image/gif', 'image/webp'] as const) {
      it(`shows an image (${mediaType}), whatever its name is`, async () => {
        const bytes = images[mediaType];
        await session.put('a.bin', bytes);
        const { images: shown, ...said } = await read({ path: 'a.bin' });
        const text = `a.bin: ${mediaType}, ${sizes[mediaType]} pixels, ${bytes.length} bytes.`;
        assert.deepEqual(said, { ok: true, text });
        assert.deepEqual(
          shown?.map((image) => [image.mediaType, Buffer.from(image.bytes).equals(bytes)]),
          [[mediaType, true]],
        );
      });
    }

    for (const [what, bytes, why] of [
      ['has too many pixels', png(8001, 10), 'has 8001 × 10 pixels, more than 8000 at a side'],
      ['is too large', Buffer.concat([png(10, 10), Buffer.alloc(3_750_000)]), 'has 3750049 bytes, more than 3750000'],
      ['only begins like one', Buffer.from('89504e470d0a1a0a0000', 'hex'), 'is damaged'],
      ['has no pixels', png(0, 0), 'is damaged'],
    ] as const) {
      it(`shows no image that ${what}`, async () => {
        await session.put('a.png', bytes);
        const text = `a.png is an image that cannot be shown: it ${why}.`;
        assert.deepEqual(await read({ path: 'a.png' }), { ok: false, text });
      });
    }

    it('answers what is not there', async () => {
      await session.put('a.txt', 'one\n');
      await session.put('empty', '');
      assert.deepEqual(await read({ path: 'b.txt' }), { ok: false, text: 'b.txt does not exist.' });
      assert.deepEqual(await read({ path: 'a.txt', offset: 5 }), { ok: false, text: 'a.txt has no line 5.' });
      assert.deepEqual(await read({ path: 'empty' }), { ok: true, text: '(the file is empty)' });
    });

    it('answers a malformed input with what is wrong', async () => {
      const { ok, text } = await read({ path: 'a.txt', offset: 'x' });
      assert.equal(ok, false);
      assert.match(text, /input of read is wrong[\s\S]*offset/);
    });
  });

  describe('write', () => {
    const write = (input: unknown) => writeTool.run(input, session.context);

    it('writes a file and its folders', async () => {
      assert.deepEqual(await write({ path: 'a/b.txt', content: 'one\ntwö\n' }), {
        ok: true,
        text: 'Wrote a/b.txt: 2 lines, 9 bytes.',
      });
      assert.equal(await content('a/b.txt'), 'one\ntwö\n');
    });

    it('answers that a folder is no file', async () => {
      await session.put('a/b.txt', '');
      assert.deepEqual(await write({ path: 'a', content: '' }), { ok: false, text: 'a is no regular file.' });
    });
  });

  describe('edit', () => {
    const edit = (old_string: string, new_string: string, more = {}) =>
      editTool.run({ path: 'a.txt', old_string, new_string, ...more }, session.context);

    it('replaces what is there once, and shows what it became', async () => {
      await session.put('a.txt', 'one\ntwo\nthree\nfour\nfive\nsix\n');
      assert.deepEqual(await edit('three', '3\n3½'), {
        ok: true,
        text: 'Changed a.txt:\n     1\tone\n     2\ttwo\n     3\t3\n     4\t3½\n     5\tfour\n     6\tfive\n     7\tsix',
      });
      assert.equal(await content('a.txt'), 'one\ntwo\n3\n3½\nfour\nfive\nsix\n');
    });

    it('takes no text for a pattern', async () => {
      await session.put('a.txt', 'a.c $& abc');
      await edit('a.c', '$& $1 $$');
      assert.equal(await content('a.txt'), '$& $1 $$ $& abc');
    });

    it('says on which lines a text stands more than once, and changes nothing', async () => {
      await session.put('a.txt', 'x\ny\nx\n\nx');
      const { ok, text } = await edit('x', 'z');
      assert.equal(ok, false);
      assert.match(text, /3 times, on lines 1, 3, 5\./);
      assert.equal(await content('a.txt'), 'x\ny\nx\n\nx');
    });

    it('replaces all of them when it is told to', async () => {
      await session.put('a.txt', 'x\ny\nx');
      const { ok, text } = await edit('x', 'zz', { replace_all: true });
      assert.equal(ok, true);
      assert.match(text, /in 2 places/);
      assert.equal(await content('a.txt'), 'zz\ny\nzz');
    });

    it('keeps CRLF, whichever line ends the edit has', async () => {
      await session.put('a.txt', 'one\r\ntwo\r\nthree\r\n');
      assert.equal((await edit('one\ntwo', '1\n2\n2½')).ok, true);
      assert.equal(await content('a.txt'), '1\r\n2\r\n2½\r\nthree\r\n');
      assert.equal((await edit('three', '3\n4')).ok, true);
      assert.equal(await content('a.txt'), '1\r\n2\r\n2½\r\n3\r\n4\r\n');
    });

    it('keeps a byte order mark', async () => {
      await session.put('a.txt', '\ufeffone');
      await edit('one', 'two');
      assert.equal(await content('a.txt'), '\ufefftwo');
    });

    for (const [name, old, hint] of [
      ['the indentation is different', 'if (x) {\n  go();\n}', /Line 2 is the same but for spaces/],
      ['the numbers of read are in it', '     2\tif (x) {', /Leave out the line numbers/],
      ['it goes on differently', 'if (x) {\n  stop();', /first line is on line 2, but/],
      ['nothing like it is there', 'while', /Read the file again/],
    ] as const) {
      it(`says why nothing was found when ${name}`, async () => {
        await session.put('a.txt', 'begin\n\tif (x) {\n\t\tgo();\n\t}\nend\n');
        const { ok, text } = await edit(old, 'z');
        assert.equal(ok, false);
        assert.match(text, hint);
      });
    }

    it('refuses what it would damage', async () => {
      await session.put('a.txt', Buffer.from([0x63, 0x61, 0x66, 0xe9]));
      assert.match((await edit('caf', 'bar')).text, /not in UTF-8/);
      await session.put('a.txt', Buffer.from([0, 1, 2]));
      assert.match((await edit('a', 'b')).text, /binary file/);
      assert.deepEqual(await content('a.txt'), '\0\x01\x02');
      assert.match((await edit('a', 'a')).text, /nothing to change/);
    });
  });
});
