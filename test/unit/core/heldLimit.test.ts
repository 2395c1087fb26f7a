import assert from 'node:assert/strict';
import { heldLimit } from '../../../src/core/heldLimit';
import { jailLimitsSchema } from '../../../src/core/jailPolicy';

describe('a limit that the kernel holds a command to', () => {
  const limits = jailLimitsSchema.parse({
    openFiles: 64,
    processes: 20,
    fileBytes: 1000,
    dataBytes: 2000,
    cpuMs: 3000,
  });
  const told = (exitCode: number | null, stderr: string, stdout = ''): string | undefined =>
    heldLimit({ exitCode, stdout: Buffer.from(stdout), stderr: Buffer.from(stderr) }, limits)?.limit;

  const rows: readonly (readonly [words: string, limit: string])[] = [
    ['bash: fork: retry: Resource temporarily unavailable', 'processes'],
    ['sh: 1: Cannot fork', 'processes'],
    ['Error: spawn /usr/bin/node EAGAIN', 'processes'],
    ['java.lang.OutOfMemoryError: unable to create native thread', 'processes'],
    ["OSError: [Errno 24] Too many open files: 'x'", 'openFiles'],
    ["Error: EMFILE: too many open files, open 'x'", 'openFiles'],
    ['dd: error writing x: File too large', 'fileBytes'],
    ['Error: EFBIG: file too large, write', 'fileBytes'],
    ['bash: xmalloc: Cannot allocate memory', 'dataBytes'],
    ['MemoryError', 'dataBytes'],
    ["terminate called after throwing an instance of 'std::bad_alloc'", 'dataBytes'],
    ['Out of memory!', 'dataBytes'],
  ];

  for (const [words, limit] of rows) {
    it(`is told from "${words}"`, () => {
      assert.equal(told(1, `something before\n${words}\n`), limit);
      assert.equal(told(1, '', words), limit);
    });
  }

  it('is told from the signal that ended it, whatever it said', () => {
    assert.deepEqual([told(153, 'MemoryError'), told(152, '')], ['fileBytes', 'cpuMs']);
  });

  it('is not looked for in a command that succeeded, that has no exit code, or far from its end', () => {
    assert.deepEqual(
      [
        told(0, 'Too many open files'),
        told(null, 'Too many open files'),
        told(1, `MemoryError${' '.repeat(9000)}`),
        told(1, 'no'),
      ],
      [undefined, undefined, undefined, undefined],
    );
  });

  it('says how much there is', () => {
    const held = heldLimit({ exitCode: 1, stdout: new Uint8Array(), stderr: Buffer.from('EMFILE') }, limits);
    assert.deepEqual(held, { limit: 'openFiles', detail: 'at most 64 open files of one process' });
  });
});
