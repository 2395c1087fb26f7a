import assert from 'node:assert/strict';
import { TraceExporter } from '../../../src/analytics/traceExporter';
import { type Logger, silentLogger } from '../../../src/base/logger';
import { spanIdOf, tracedLogger, traceIdOf } from '../../../src/core/runTrace';
import { FakeClock } from '../../fakes/clock';
import { attributesOf, Collector, spansOf, type WireSpan } from '../../fakes/collector';
import { FakeExecutor } from '../../fakes/executor';
import { queued, runStarted, sampleDigest, sampleUsage } from '../core/sampleEvents';
import { until } from '../gateway/until';

const flushDelayMs = 5_000;

describe('the traces of runs', () => {
  let collector: Collector;
  let executor: FakeExecutor;
  let clock: FakeClock;
  let warnings: string[];
  let exporter: TraceExporter;

  beforeEach(async () => {
    warnings = [];
    collector = await Collector.start();
    executor = new FakeExecutor();
    clock = new FakeClock(Date.UTC(2026, 0, 5));
    const logger: Logger = { ...silentLogger, warn: (message) => warnings.push(message) };
    const providerOf = (engine: string): string => `maker of ${engine}`;
    const names = { endpoint: collector.endpoint, version: '1.2.3', instanceId: 'instance-1' };
    exporter = new TraceExporter(executor, { ...names, providerOf, clock, logger });
  });

  afterEach(async () => {
    await exporter.close();
    await collector.close();
  });

  function runToItsEnd(): void {
    executor.append(queued('task-a', { title: 'A private title' }));
    executor.append(runStarted('run-1', 'task-a'));
    const request = { promptBound: 1, upperUsd: 1, upperTokens: 1 };
    executor.append({ kind: 'request.reserved', runId: 'run-1', model: 'model-a', ...request });
    executor.append({
      kind: 'usage.recorded',
      runId: 'run-1',
      model: 'model-a-2',
      usage: sampleUsage,
      costUsd: 0.25,
      firstTokenMs: 700,
    });
    executor.append({ kind: 'request.settled', runId: 'run-1', unseen: false });
    executor.append({
      kind: 'tool.called',
      runId: 'run-1',
      callId: 'call-1',
      name: 'bash',
      summary: 'cat private.txt',
    });
    executor.append({
      kind: 'tool.finished',
      runId: 'run-1',
      callId: 'call-1',
      ok: false,
      output: sampleDigest,
      durationMs: 40,
    });
    executor.append({ kind: 'request.reserved', runId: 'run-1', model: 'model-a', ...request });
    executor.append({ kind: 'run.ended', runId: 'run-1', outcome: 'verified', reason: 'a private reason' });
  }

  it('arrive at a collector as OTLP over HTTP: the run, its requests and its tool calls', async () => {
    runToItsEnd();
    await exporter.close();
    assert.deepEqual(collector.paths, ['POST /v1/traces']);
    const spans = spansOf(collector.bodies[0] ?? '');
    assert.deepEqual(
      spans.map(({ name, kind, status: { code } }) => [name, kind, code]),
      [
        ['chat model-a', 3, undefined],
        ['execute_tool bash', 1, 2],
        ['chat model-a', 3, 2],
        ['invoke_agent implementer', 1, undefined],
      ],
    );
    const root = spans[3];
    assert.ok(root);
    assert.deepEqual(new Set(spans.map(({ traceId }) => traceId)), new Set([traceIdOf('run-1')]));
    assert.deepEqual([root.parentSpanId, root.spanId], [undefined, spanIdOf('run-1', 'run', 1)]);
    for (const span of spans.slice(0, 3)) assert.equal(span.parentSpanId, root.spanId);
    assert.equal(new Set(spans.map(({ spanId }) => spanId)).size, 4);
    const [chat, tool, open] = spans.map(attributesOf);
    assert.deepEqual(chat, {
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'maker of anthropic',
      'gen_ai.request.model': 'model-a',
      'gen_ai.response.model': 'model-a-2',
      'gen_ai.usage.input_tokens': '634',
      'gen_ai.usage.output_tokens': '20',
      'gen_ai.usage.cache_read.input_tokens': '500',
      'gen_ai.usage.cache_creation.input_tokens': '34',
      'gen_ai.response.time_to_first_chunk': 0.7,
      'airlock.cost.usd': 0.25,
    });
    assert.deepEqual([tool?.['gen_ai.tool.name'], open?.['error.type']], ['bash', 'interrupted']);
    assert.deepEqual(
      [attributesOf(root)['airlock.run.outcome'], attributesOf(root)['airlock.cost.usd']],
      ['verified', 0.25],
    );
    assert.match(root.startTimeUnixNano, /^\d{19}$/);
  });

  it('have no title, prompt, command, output or reason in them', async () => {
    runToItsEnd();
    await exporter.close();
    assert.equal(/private/.test(collector.bodies.join()), false);
  });

  it('wait for a collector that is away, and are sent when it answers again', async () => {
    collector.status = 503;
    runToItsEnd();
    await clock.advance(flushDelayMs);
    await until(() => warnings.length === 1);
    assert.equal(collector.bodies.length, 1);
    collector.status = 200;
    runToItsEnd();
    await clock.advance(flushDelayMs);
    await until(() => collector.bodies.length === 2);
    const [before, after] = collector.bodies.map(spansOf);
    assert.deepEqual(after?.slice(0, before?.length), before);
    assert.ok((after?.length ?? 0) > (before?.length ?? 0));
    await exporter.close();
    assert.deepEqual([collector.bodies.length, warnings.length], [2, 1]);
  });

  it('hold up no end for a collector that is known to be away', async () => {
    collector.status = 503;
    runToItsEnd();
    await clock.advance(flushDelayMs);
    await until(() => warnings.length === 1);
    await exporter.close();
    assert.deepEqual([collector.bodies.length, warnings.length], [1, 1]);
  });

  for (const isSending of [false, true]) {
    const when = isSending ? 'while spans are on their way' : 'at the end';
    it(`hold up the end for two seconds at most when a collector takes them and does not answer: ${when}`, async () => {
      collector.answers = false;
      runToItsEnd();
      if (isSending) await clock.advance(flushDelayMs);
      if (isSending) await until(() => collector.bodies.length === 1);
      const closing = exporter.close();
      await until(() => collector.bodies.length === 1);
      await clock.advance(2_000);
      await closing;
      assert.deepEqual([collector.bodies.length, warnings.length, clock.pendingTimers], [1, 1, 0]);
    });
  }

  it('are not sent again to a collector that will never take them', async () => {
    collector.status = 400;
    runToItsEnd();
    await exporter.close();
    await exporter.close();
    assert.deepEqual([collector.bodies.length, warnings.length], [1, 1]);
  });

  it('do not follow a collector elsewhere', async () => {
    [collector.status, collector.location] = [307, '/elsewhere'];
    runToItsEnd();
    await exporter.close();
    assert.deepEqual(collector.paths, ['POST /v1/traces']);
  });

  it('take no more memory than 2,048 of them, however long the collector is away', async () => {
    for (let n = 0; n < 3000; n += 1) {
      const call = { runId: 'run-1', callId: `call-${n}` };
      if (n === 0) executor.append(queued('task-a'));
      if (n === 0) executor.append(runStarted('run-1', 'task-a'));
      executor.append({ kind: 'tool.called', ...call, name: 'bash', summary: '' });
      executor.append({ kind: 'tool.finished', ...call, ok: true, output: sampleDigest, durationMs: 1 });
    }
    await exporter.close();
    const sent = collector.bodies.flatMap(spansOf);
    assert.deepEqual([sent.length, collector.bodies.length], [2048, 4]);
    assert.equal(attributesOf(sent[0] as WireSpan)['gen_ai.tool.call.id'], 'call-952');
  });

  it('have the id that is in every line of the log about their run', () => {
    const lines: unknown[] = [];
    const logger = tracedLogger({ ...silentLogger, info: (_, facts) => lines.push(facts) });
    logger.info('A line about a run', { runId: 'run-1', files: 2 });
    logger.info('Another line', { files: 2 });
    assert.deepEqual(lines, [{ runId: 'run-1', files: 2, traceId: traceIdOf('run-1') }, { files: 2 }]);
    assert.match(traceIdOf('run-1'), /^[\da-f]{32}$/);
  });
});
