import { strict as assert } from 'node:assert';
import { ControlReader } from '../../../src/sessions/controlMessages';

const nonce = '0123456789abcdef0123456789abcdef';

describe('messages on the control pipe', () => {
  it('are read wherever they are split', () => {
    const bytes = Buffer.from(`started ${nonce} 12 3\0${nonce} 0 /a b\n/ü\0ended ${nonce} 137\0`);
    const reader = new ControlReader();
    const messages = [...bytes].flatMap((byte) => reader.push(Buffer.from([byte])));
    assert.deepEqual(messages, [
      { kind: 'started', generation: nonce, pid: 12, launcherPid: 3 },
      { kind: 'finished', nonce, exitCode: 0, folder: '/a b\n/ü' },
      { kind: 'ended', generation: nonce, exitCode: 137 },
    ]);
  });

  it('are dropped when they are none, and what follows is read', () => {
    const reader = new ControlReader();
    const noise = Buffer.concat([Buffer.alloc(100), Buffer.from(`started x 1 1\0${nonce} 0000 /\0ended ${nonce}\0`)]);
    assert.deepEqual(reader.push(noise), []);
    assert.equal(reader.push(Buffer.from(`ended ${nonce} 0\0`)).length, 1);
  });

  it('without an end take no memory', () => {
    const reader = new ControlReader();
    for (let count = 0; count < 200; count += 1) assert.deepEqual(reader.push(Buffer.alloc(64 * 1024, 'x')), []);
    assert.deepEqual(reader.push(Buffer.from(`\0ended ${nonce} 0\0`)), [
      { kind: 'ended', generation: nonce, exitCode: 0 },
    ]);
  });
});
