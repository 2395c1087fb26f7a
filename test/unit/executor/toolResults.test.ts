import assert from 'node:assert/strict';
import { ToolResults, interruptedAnswer } from '../../../src/executor/toolResults';
import type { ExecutorPorts } from '../../../src/executor/ports';
import { FakeClock } from '../../fakes/clock';
import { MemoryBlobs, MemoryLog } from '../../fakes/memoryLog';

describe('the results of tool calls', () => {
  const log = new MemoryLog(new FakeClock());
  const blobs = new MemoryBlobs();
  const ports: Partial<ExecutorPorts> = { events: log, blobs };
  const results = new ToolResults(ports as ExecutorPorts, 'run_1');

  it('are kept with their images, and come back as they were', async () => {
    const result = {
      ok: true,
      text: 'a.png',
      images: [{ mediaType: 'image/png' as const, bytes: Buffer.from('pixels') }],
    };
    await results.keep('0/toolu_1', result, 12.4);
    const event = log.events.at(-1);
    assert.ok(event?.kind === 'tool.finished');
    const { output, images, ok } = event;
    assert.deepEqual(images, [{ mediaType: 'image/png', blob: await blobs.put('pixels') }]);
    const call = { name: 'read', ok, output, ...(images ? { images } : {}) };
    assert.deepEqual(await results.stored(call), result);
  });

  it('are unknown when they were deleted', async () => {
    const call = { name: 'read', ok: true, output: 'f'.repeat(64) };
    assert.deepEqual(await results.stored(call), { ok: true, text: interruptedAnswer });
    assert.equal(await results.stored({ name: 'read', ok: null, output: null }), undefined);
  });
});
