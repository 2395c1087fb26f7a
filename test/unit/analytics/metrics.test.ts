import assert from 'node:assert/strict';
import http from 'node:http';
import { serveMetrics, type MetricsServer } from '../../../src/analytics/metricsServer';
import { noUsage } from '../../../src/core/usage';
import { FakeClock } from '../../fakes/clock';
import { MemoryLog } from '../../fakes/memoryLog';
import { queued, runStarted } from '../core/sampleEvents';

describe('metrics for Prometheus', () => {
  let clock: FakeClock;
  let log: MemoryLog;
  let server: MetricsServer;

  beforeEach(async () => {
    clock = new FakeClock();
    log = new MemoryLog(clock);
    server = await serveMetrics(log, 0);
  });
  afterEach(() => server.close());

  const ask = (headers: http.OutgoingHttpHeaders = {}, url = server.url): Promise<{ status: number; text: string }> =>
    new Promise((resolve, reject) => {
      http
        .get(url, { headers, agent: false }, (response) => {
          let text = '';
          response.on('data', (chunk: Buffer) => (text += chunk.toString()));
          response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
        })
        .on('error', reject);
    });

  const ours = async (): Promise<string[]> =>
    (await ask()).text.split('\n').filter((line) => /^airlock_/.test(line) && !line.includes('_bucket'));

  it('tell what is now and what has happened', async () => {
    await log.append([queued('a'), queued('b'), runStarted('run-a', 'a')]);
    await clock.advance(90_000);
    const usage = { ...noUsage, inputTokens: 10, cacheReadTokens: 5 };
    const report = { reportId: 'r', taskId: 'a', sourceId: 's', externalId: 'x', body: 'a'.repeat(64) };
    await log.append([
      { kind: 'usage.recorded', runId: 'run-a', model: 'm', usage, costUsd: 0.25 },
      { kind: 'usage.recorded', runId: 'run-a', model: 'local', usage: noUsage, costUsd: null },
      { kind: 'run.ended', runId: 'run-a', outcome: 'failed', reason: '' },
      { kind: 'task.ended', taskId: 'a', outcome: 'failed', reason: '', runId: 'run-a' },
      { kind: 'report.queued', report: { ...report, kind: 'fail' } },
      { kind: 'source.changed', sourceId: 's', healthy: false, message: 'secret words' },
      { kind: 'queue.held', cause: 'disk', reason: 'secret words' },
    ]);
    const lines = await ours();
    assert.deepEqual(
      lines.filter((line) => !line.endsWith(' 0')),
      [
        'airlock_tasks_ended_total{outcome="failed"} 1',
        'airlock_tokens_total{model="m",class="input"} 10',
        'airlock_tokens_total{model="m",class="cacheRead"} 5',
        'airlock_cost_usd_total{model="m"} 0.25',
        'airlock_unpriced_requests_total{model="local"} 1',
        'airlock_run_duration_seconds_sum{outcome="failed"} 90',
        'airlock_run_duration_seconds_count{outcome="failed"} 1',
        'airlock_tasks{status="failed"} 1',
        'airlock_tasks{status="queued"} 1',
        'airlock_reports{status="waiting"} 1',
        'airlock_queue_held{cause="disk"} 1',
      ],
    );
    assert.ok(lines.includes('airlock_source_up{source="s"} 0'));
    assert.ok(!(await ask()).text.includes('secret words'));
  });

  it('have no path in a label, and tell sources apart all the same', async () => {
    const sourceIds = [
      'zmemory:main',
      'zmemory:a/b',
      'tasks:/home/dev/project',
      'table:/home/dev/project/TASKS.md',
      'table:/home/dev/other/TASKS.md',
      '/home/dev',
    ];
    for (const sourceId of sourceIds)
      await log.append([{ kind: 'source.changed', sourceId, healthy: true, message: '' }]);
    const labels = (await ours()).flatMap((line) => /^airlock_source_up\{source="(.*)"\} 1$/.exec(line)?.[1] ?? []);
    assert.equal(new Set(labels).size, sourceIds.length);
    assert.equal(labels[0], 'zmemory:main');
    for (const [index, kind] of ['zmemory', 'tasks', 'table', 'table', 'source'].entries()) {
      assert.match(labels[index + 1] ?? '', new RegExp(`^${kind}:[0-9a-f]{8}$`));
    }
    assert.deepEqual(
      (await ours()).filter((line) => line.includes('/')),
      [],
    );
  });

  it('are for programs on this machine, not for web pages, and are all that is served', async () => {
    const statuses = await Promise.all([
      ask({ host: 'evil.example' }),
      ask({ origin: 'http://evil.example' }),
      ask({}, server.url.replace('/metrics', '/')),
    ]);
    assert.deepEqual(
      statuses.map(({ status }) => status),
      [403, 403, 404],
    );
  });

  it('say that their port is taken', async () => {
    const { port } = new URL(server.url);
    await assert.rejects(serveMetrics(log, Number(port)), { code: 'port-in-use' });
  });
});
