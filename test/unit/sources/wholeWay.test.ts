import assert from 'node:assert/strict';
import path from 'node:path';
import { systemClock } from '../../../src/base/clock';
import { silentLogger } from '../../../src/base/logger';
import type { Offer, Report, ReportBody, SourceHealth, TaskSource } from '../../../src/core/source';
import { startEmbeddedServer, type EmbeddedServer } from '../../../src/sources/zmemory/embeddedServer';
import { connectZMemory, createZMemorySource } from '../../../src/sources/zmemory/zmemorySource';
import { useTempFolder } from './tempFolder';

for (const carrier of ['HTTP', 'this process'] as const) {
  describe(`a task from ZMemory over ${carrier}`, () => {
    const folder = useTempFolder();
    let server: EmbeddedServer;
    let source: TaskSource;

    beforeEach(async () => {
      const storage = path.join(folder.path, 'zmemory');
      server = await startEmbeddedServer({ storage, port: 0, clock: systemClock, logger: silentLogger });
      const common = {
        id: 'zmemory:main',
        agent: 'airlock',
        pollMs: 20,
        resolveRepository: () => '/home/dev/app',
        clock: systemClock,
        logger: silentLogger,
      };
      source =
        carrier === 'HTTP'
          ? connectZMemory({ ...common, url: server.url, token: server.token })
          : createZMemorySource({ ...common, pollMs: 3_600_000, api: server.api });
    });
    afterEach(async () => {
      source.dispose();
      await server.close();
    });

    it('is offered, accepted, worked on, and reported complete', async () => {
      const offers: Offer[] = [];
      const healths: SourceHealth[] = [];
      let wake = (): void => {};
      source.start({
        offer(offer) {
          offers.push(offer);
          wake();
        },
        cancel() {},
        health: (health) => healths.push(health),
      });
      while (offers.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      assert.deepEqual(offers[0]?.tasks, []);
      const [task] = await server.api.create([{ description: 'Fix it', context: { priority: 'high' } }]);
      while (offers.at(-1)?.tasks.length !== 1) await new Promise<void>((resolve) => (wake = resolve));
      const id = offers.at(-1)?.tasks[0]?.externalId ?? '';
      assert.equal(id, task?.id);
      assert.deepEqual(await source.accept(id, { isRepeat: false }), { kind: 'accepted' });
      await source.progress(id, 50, 'half');
      assert.deepEqual([server.api.get(id)?.status, server.api.get(id)?.progress], ['in_progress', 50]);
      await source.report(report(id), body, { isRepeat: false });
      await source.report(report(id), body, { isRepeat: true });
      await source.report(report(id), body, { isRepeat: false });
      const { status, result } = server.api.get(id) ?? {};
      assert.deepEqual([status, result?.response, result?.usage.total_tokens], ['completed', 'Done.', 15]);
      assert.deepEqual(healths, [{ kind: 'ok' }]);
    });
  });
}

const body: ReportBody = {
  outcome: 'verified',
  response: 'Done.',
  error: '',
  model: null,
  inputTokens: 10,
  outputTokens: 5,
  executionSeconds: 1,
  branch: null,
  commit: null,
  endedAtMs: Date.UTC(2026, 0, 5, 12),
};

function report(externalId: string): Report {
  return {
    reportId: 'report-1',
    taskId: 'task-1',
    sourceId: 'zmemory:main',
    externalId,
    kind: 'complete',
    body: 'd'.repeat(64),
  };
}
