import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { joinStream, OutputCutter, type OutputStream } from '../../../src/sessions/outputCutter';

describe('the output cutter', () => {
  it('keeps everything that fits, stream by stream', () => {
    const cutter = new OutputCutter(10);
    cutter.push('stdout', Buffer.from('abc'));
    cutter.push('stderr', Buffer.from('de'));
    cutter.push('stdout', Buffer.from('fghij'));
    const { head, droppedBytes, tail } = cutter.cut();
    assert.equal(droppedBytes, 0);
    assert.equal(joinStream([...head, ...tail], 'stdout').toString(), 'abcfghij');
    assert.equal(joinStream([...head, ...tail], 'stderr').toString(), 'de');
  });

  it('keeps half from the start and half from the end, and counts what is gone', () => {
    const cutter = new OutputCutter(10);
    cutter.push('stdout', Buffer.from('0123456789abcdefghij'));
    const { head, droppedBytes, tail } = cutter.cut();
    assert.equal(joinStream(head, 'stdout').toString(), '01234');
    assert.equal(joinStream(tail, 'stdout').toString(), 'fghij');
    assert.equal(droppedBytes, 10);
  });

  it('gives for every way of splitting what one cut of the whole would give', () => {
    const piece = fc.record({
      stream: fc.constantFrom<OutputStream>('stdout', 'stderr'),
      bytes: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    });
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), fc.nat({ max: 200 }), (pieces, maxBytes) => {
        const cutter = new OutputCutter(maxBytes);
        for (const { stream, bytes } of pieces) cutter.push(stream, bytes);
        const all = Buffer.concat(pieces.map((each) => each.bytes));
        const { head, droppedBytes, tail } = cutter.cut();
        const headBytes = Buffer.concat(head.map((each) => each.bytes));
        const tailBytes = Buffer.concat(tail.map((each) => each.bytes));
        assert.equal(droppedBytes, Math.max(0, all.length - maxBytes));
        assert.deepEqual(headBytes, all.subarray(0, Math.ceil(maxBytes / 2)));
        assert.deepEqual(tailBytes, all.subarray(headBytes.length + droppedBytes));
      }),
    );
  });

  it('stays small under a flood of tiny writes', () => {
    const cutter = new OutputCutter(64 * 1024);
    for (let index = 0; index < 500_000; index += 1) cutter.push('stdout', Buffer.from('x'));
    assert.equal(cutter.keptBytes, 64 * 1024);
    assert.equal(cutter.cut().tail.length < 20, true);
  });
});
