import { strict as assert } from 'node:assert';
import { PieceBuffer } from '../../../src/sessions/pieceBuffer';

describe('a piece buffer', () => {
  it('keeps copies: what was pushed can be overwritten', () => {
    const buffer = new PieceBuffer(10);
    const bytes = Buffer.from('abcd');
    buffer.push('stdout', bytes);
    bytes.fill('x');
    assert.equal(text(buffer), 'stdout abcd');
  });

  it('keeps the last bytes round its end, with the stream of each', () => {
    const buffer = new PieceBuffer(6);
    const dropped = ['ab', 'cd', 'efg'].map((piece, index) =>
      buffer.push(index === 1 ? 'stderr' : 'stdout', Buffer.from(piece)),
    );
    assert.deepEqual([dropped, text(buffer)], [[0, 0, 1], 'stdout b, stderr cd, stdout ef, stdout g']);
    assert.equal(buffer.push('stdout', Buffer.from('0123456789')), 10);
    assert.equal(text(buffer), 'stdout 456789');
  });

  it('is empty when it is cleared, and can be used again', () => {
    const buffer = new PieceBuffer(4);
    buffer.push('stdout', Buffer.from('abcdef'));
    buffer.clear();
    assert.deepEqual([buffer.length, text(buffer)], [0, '']);
    buffer.push('stderr', Buffer.from('xy'));
    assert.equal(text(buffer), 'stderr xy');
  });

  it('of no capacity keeps nothing', () => {
    const buffer = new PieceBuffer(0);
    assert.equal(buffer.push('stdout', Buffer.from('abc')), 3);
    assert.equal(text(buffer), '');
  });

  const text = (buffer: PieceBuffer): string =>
    buffer
      .pieces()
      .map(({ stream, bytes }) => `${stream} ${bytes.toString()}`)
      .join(', ');
});
