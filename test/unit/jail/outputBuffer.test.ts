import assert from 'node:assert/strict';
import { OutputBuffer } from '../../../src/jail/outputBuffer';

function kept(buffer: OutputBuffer): Record<string, string | number> {
  const { stdout, stderr, output, droppedBytes } = buffer.result();
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
  return { stdout: text(stdout), stderr: text(stderr), output: text(output), droppedBytes };
}

describe('OutputBuffer', () => {
  it('keeps both streams apart and in the order in which they came', () => {
    const buffer = new OutputBuffer(100);
    buffer.add('stdout', Buffer.from('one '));
    buffer.add('stderr', Buffer.from('two '));
    buffer.add('stdout', Buffer.from('three'));
    assert.deepEqual(kept(buffer), { stdout: 'one three', stderr: 'two ', output: 'one two three', droppedBytes: 0 });
  });

  it('keeps no more than it may and counts the rest', () => {
    const buffer = new OutputBuffer(5);
    buffer.add('stdout', Buffer.from('abc'));
    buffer.add('stderr', Buffer.from('defgh'));
    buffer.add('stdout', Buffer.from('ijk'));
    assert.deepEqual(kept(buffer), { stdout: 'abc', stderr: 'de', output: 'abcde', droppedBytes: 6 });
  });
});
