import assert from 'node:assert/strict';
import { implementer } from '../../../src/core/builtInPersonas';
import { AgentNews } from '../../../src/executor/agentNews';
import { ToolResults, interruptedAnswer } from '../../../src/executor/toolResults';
import type { ExecutorPorts } from '../../../src/executor/ports';
import { FakeClock } from '../../fakes/clock';
import { MemoryBlobs, MemoryLog } from '../../fakes/memoryLog';
import { queued, runStarted } from '../core/sampleEvents';

describe('the results of tool calls', () => {
  const log = new MemoryLog(new FakeClock());
  const blobs = new MemoryBlobs();
  const ports: Partial<ExecutorPorts> = { events: log, blobs };
  const news = new AgentNews();
  const results = new ToolResults(ports as ExecutorPorts, { runId: 'run_1', persona: implementer }, news);

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

  it('bring what others wrote and what is new, each with one of them, though several are finished at once', async () => {
    await log.append([
      queued('task_1'),
      runStarted('run_1', 'task_1'),
      queued('task_2'),
      runStarted('run_2', 'task_2'),
    ]);
    const text = await blobs.put('The port is 8080.');
    await log.append([
      { kind: 'message.sent', runId: 'run_2', messageId: 'message_1', to: ['task_1'], topic: null, text },
    ]);
    news.tell('The user was here.');
    const before = log.kinds.length;
    const [first, second, third] = await Promise.all([
      results.finish('1/a', { ok: true, text: 'a' }, 1),
      results.finishAlone('1/b', { ok: true, text: 'b' }, 1),
      results.finish('1/c', { ok: true, text: 'c' }, 1),
    ]);
    assert.match(first.text, /\| The port is 8080\.\n[^]*\n\nThe user was here\.\n\na$/);
    assert.deepEqual([second, third.text], ['', 'c']);
    const finished = 'tool.finished';
    assert.deepEqual(log.kinds.slice(before), [finished, 'message.read', finished, finished]);
  });
});
