import assert from 'node:assert/strict';
import { MetricExporter } from '../../../src/analytics/metricExporter';
import { type Logger, silentLogger } from '../../../src/base/logger';
import { FakeClock } from '../../fakes/clock';
import { attributesOf, Collector, metricsOf, type WirePoint } from '../../fakes/collector';
import { FakeExecutor } from '../../fakes/executor';
import { queued, runStarted, sampleUsage } from '../core/sampleEvents';
import { until } from '../gateway/until';

const minuteMs = 60_000;
const startMs = Date.UTC(2026, 0, 5);

describe('the metrics for a collector', () => {
  let collector: Collector;
  let executor: FakeExecutor;
  let clock: FakeClock;
  let warnings: string[];
  let exporter: MetricExporter;

  beforeEach(async () => {
    warnings = [];
    collector = await Collector.start();
    executor = new FakeExecutor();
    clock = new FakeClock(startMs);
    const logger: Logger = { ...silentLogger, warn: (message) => warnings.push(message) };
    const names = { endpoint: collector.endpoint, version: '1.2.3', instanceId: 'instance-1' };
    exporter = new MetricExporter(executor, { ...names, providerOf: () => 'a-provider', clock, logger });
    executor.append(queued('task-a', { title: 'A private title' }));
    executor.append(runStarted('run-1', 'task-a'));
  });

  afterEach(async () => {
    await exporter.close();
    await collector.close();
  });

  function asks(answer: { readonly costUsd?: number | null; readonly model?: string } | 'none' = {}): void {
    const request = { promptBound: 1, upperUsd: 1, upperTokens: 1 };
    executor.append({ kind: 'request.reserved', runId: 'run-1', model: 'model-a', ...request });
    if (answer === 'none') {
      executor.append({ kind: 'request.settled', runId: 'run-1', unseen: true });
      return;
    }
    const { costUsd = 0.25, model = 'model-a-2' } = answer;
    const usage = { usage: sampleUsage, firstTokenMs: 700 };
    executor.append({ kind: 'usage.recorded', runId: 'run-1', model, costUsd, ...usage });
  }

  const endTask = (): void =>
    void executor.append({
      kind: 'task.ended',
      taskId: 'task-a',
      outcome: 'verified',
      reason: 'a private reason',
      runId: 'run-1',
    });

  /** By their names: the points of each, as the last body has them. */
  function told(): Record<string, readonly WirePoint[]> {
    const metrics = metricsOf(collector.bodies.at(-1) ?? '');
    return Object.fromEntries(metrics.map(({ name, sum, histogram }) => [name, (sum ?? histogram)?.dataPoints ?? []]));
  }

  const request = {
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': 'a-provider',
    'gen_ai.request.model': 'model-a',
    'gen_ai.response.model': 'model-a-2',
  };

  it('are sent every minute once there is something to tell: tokens, durations, cost and tasks', async () => {
    await clock.advance(minuteMs);
    assert.deepEqual(collector.paths, []);
    asks();
    asks({ costUsd: null });
    endTask();
    await clock.advance(minuteMs);
    await until(() => collector.bodies.length === 1);
    assert.deepEqual(collector.paths, ['POST /v1/metrics']);
    const points = told();
    assert.deepEqual(Object.keys(points).sort(), [
      'airlock.cost.usd',
      'airlock.requests.unpriced',
      'airlock.tasks.ended',
      'gen_ai.client.operation.duration',
      'gen_ai.client.operation.time_to_first_chunk',
      'gen_ai.client.token.usage',
    ]);
    assert.deepEqual(
      points['gen_ai.client.token.usage']?.map((point) => [attributesOf(point), point.count, point.sum]),
      [
        [{ ...request, 'gen_ai.token.type': 'input' }, '2', 1268],
        [{ ...request, 'gen_ai.token.type': 'output' }, '2', 40],
      ],
    );
    const one = (name: string): WirePoint => points[name]?.[0] as WirePoint;
    assert.deepEqual(attributesOf(one('gen_ai.client.operation.duration')), request);
    assert.equal(one('gen_ai.client.operation.duration').sum, 2);
    assert.equal(one('gen_ai.client.operation.time_to_first_chunk').sum, 1.4);
    assert.equal(one('airlock.cost.usd').asDouble, 0.25);
    assert.equal(one('airlock.requests.unpriced').asInt, '1');
    assert.deepEqual(
      [attributesOf(one('airlock.tasks.ended')), one('airlock.tasks.ended').asInt],
      [{ 'airlock.task.outcome': 'verified' }, '1'],
    );
  });

  it('have the buckets of the conventions, each with its upper bound', async () => {
    asks();
    await exporter.close();
    const points = told();
    const [input] = points['gen_ai.client.token.usage'] ?? [];
    assert.deepEqual(input?.explicitBounds?.slice(0, 6), [1, 4, 16, 64, 256, 1024]);
    assert.equal(input?.explicitBounds?.at(-1), 67_108_864);
    // 634 tokens, and 1 second: a bound of its own would be 0.64 or 1.28.
    assert.equal(input?.bucketCounts?.indexOf('1'), 5);
    const [duration] = points['gen_ai.client.operation.duration'] ?? [];
    assert.deepEqual(duration?.bucketCounts?.indexOf('1'), duration?.explicitBounds?.indexOf(1.28));
    assert.equal(duration?.bucketCounts?.length, (duration?.explicitBounds?.length ?? 0) + 1);
  });

  it('are added up since this executor began, and say so', async () => {
    asks();
    await clock.advance(minuteMs);
    await until(() => collector.bodies.length === 1);
    asks();
    await exporter.close();
    const all = metricsOf(collector.bodies.at(-1) ?? '');
    for (const { sum, histogram } of all) {
      const data = sum ?? histogram;
      assert.deepEqual([data?.aggregationTemporality, sum?.isMonotonic ?? true], [2, true]);
      for (const point of data?.dataPoints ?? []) assert.equal(point.startTimeUnixNano, `${startMs}000000`);
    }
    assert.equal(told()['airlock.cost.usd']?.[0]?.asDouble, 0.5);
    assert.match(collector.bodies.at(-1) ?? '', /"service\.instance\.id","value":\{"stringValue":"instance-1"/);
  });

  it('tell a request that had no answer by its error, and no tokens for it', async () => {
    asks('none');
    await exporter.close();
    const points = told();
    assert.deepEqual(Object.keys(points), ['gen_ai.client.operation.duration']);
    const [duration] = points['gen_ai.client.operation.duration'] ?? [];
    assert.equal(duration && attributesOf(duration)['error.type'], 'no_answer');
  });

  it('have no title, prompt or reason in them', async () => {
    asks();
    endTask();
    await exporter.close();
    assert.equal(collector.bodies.length, 1);
    assert.equal(/private/.test(collector.bodies.join()), false);
  });

  it('take no more memory than some 200 kinds of request, whatever models a server names', async () => {
    for (let n = 0; n < 300; n += 1) asks({ model: `model-${n}${'x'.repeat(1000)}` });
    await exporter.close();
    const durations = told()['gen_ai.client.operation.duration'] ?? [];
    const rest = durations.at(-1);
    assert.equal(durations.length, 201);
    assert.deepEqual([rest && attributesOf(rest), rest?.count], [{ 'otel.metric.overflow': true }, '100']);
    const models = durations.map((point) => attributesOf(point)['gen_ai.response.model']);
    assert.equal(models[0], `model-0${'x'.repeat(249)}`);
  });

  it('lose nothing while the collector is away, for which there is one line in the log, and hold up no end then', async () => {
    collector.status = 503;
    asks();
    await clock.advance(2 * minuteMs);
    await until(() => collector.bodies.length === 2);
    collector.status = 200;
    asks();
    await clock.advance(minuteMs);
    await until(() => collector.bodies.length === 3);
    assert.equal(told()['airlock.cost.usd']?.[0]?.asDouble, 0.5);
    collector.status = 503;
    await clock.advance(minuteMs);
    await until(() => warnings.length === 2);
    await exporter.close();
    assert.deepEqual([collector.bodies.length, warnings.length, clock.pendingTimers], [4, 2, 0]);
  });

  it('hold up the end for two seconds at most', async () => {
    collector.answers = false;
    asks();
    const closing = exporter.close();
    await until(() => collector.bodies.length === 1);
    await clock.advance(2_000);
    await closing;
    assert.deepEqual([warnings.length, clock.pendingTimers], [1, 0]);
  });

  it('are refused with one line in the log, however often, by a collector that takes only traces', async () => {
    collector.status = 404;
    asks();
    await clock.advance(3 * minuteMs);
    await until(() => collector.bodies.length === 3);
    assert.equal(warnings.length, 1);
  });

  it('do not follow a collector elsewhere', async () => {
    [collector.status, collector.location] = [307, '/elsewhere'];
    asks();
    await exporter.close();
    assert.deepEqual(collector.paths, ['POST /v1/metrics']);
  });
});
