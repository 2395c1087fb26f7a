import assert from 'node:assert/strict';
import { LineCutter } from '../../../src/base/lineCutter';

describe('lines of a stream', () => {
  function cut(maxBytes: number, ...chunks: string[]): (string | undefined)[] {
    const lines: (string | undefined)[] = [];
    const cutter = new LineCutter(maxBytes, (line) => lines.push(line));
    for (const chunk of chunks) cutter.push(Buffer.from(chunk));
    return lines;
  }

  it('come whole, wherever the stream is cut, and the last one when it has an end', () => {
    assert.deepEqual(cut(10, 'on', 'e\n', '\ntwo\nthr', 'ee'), ['one', '', 'two']);
  });

  it('are not held when they are too long: that is said once, before they end, and the next one comes', () => {
    assert.deepEqual(cut(4, 'four\nfive', '!', '!!!'), ['four', undefined]);
    assert.deepEqual(cut(4, 'five!', '!!!\nsix\n'), [undefined, 'six']);
  });
});
