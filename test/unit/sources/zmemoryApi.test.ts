import assert from 'node:assert/strict';
import path from 'node:path';
import { systemClock } from '../../../src/base/clock';
import { silentLogger } from '../../../src/base/logger';
import type { ZMemoryApi } from '../../../src/sources/zmemory/api';
import { ZMemoryClient } from '../../../src/sources/zmemory/client';
import type { EmbeddedZMemory } from '../../../src/sources/zmemory/embedded/embeddedZMemory';
import { startEmbeddedServer, type EmbeddedServer } from '../../../src/sources/zmemory/embeddedServer';
import { useTempFolder } from './tempFolder';

const completion = {
  result: {
    response: 'Done.',
    usage: { input_tokens: 3, output_tokens: 4, total_tokens: 7 },
    model: 'scripted-1',
    execution_time_seconds: 1.5,
    artifacts: [],
    execution_mode: 'airlock',
  },
  completed_at: '2026-01-05T12:00:00.000Z',
};

/** The same promises, whether the calls go over HTTP or not. */
for (const carrier of ['HTTP', 'this process'] as const) {
  describe(`ZMemory's calls over ${carrier}`, () => {
    const folder = useTempFolder();
    let server: EmbeddedServer;
    let tasks: EmbeddedZMemory;
    let api: ZMemoryApi;
    let client: ZMemoryClient;

    beforeEach(async () => {
      const storage = path.join(folder.path, 'zmemory');
      server = await startEmbeddedServer({ storage, port: 0, clock: systemClock, logger: silentLogger });
      tasks = server.api;
      client = new ZMemoryClient({ url: server.url, token: server.token, clock: systemClock, logger: silentLogger });
      api = carrier === 'HTTP' ? client : tasks;
    });
    afterEach(async () => {
      client.dispose();
      await server.close();
    });

    const create = async (description = 'Fix the test'): Promise<string> => {
      const [task] = await tasks.create([{ description, context: { priority: 'P1' } }]);
      assert.ok(task);
      return task.id;
    };

    it('offers what is pending, and says unchanged while it is', async () => {
      const id = await create();
      const first = await api.pending('airlock', null);
      assert.equal(first.kind, 'tasks');
      assert.deepEqual(first.entries, [JSON.parse(JSON.stringify(tasks.get(id)))]);
      assert.deepEqual(await api.pending('airlock', first.tag), { kind: 'unchanged' });
      await create('Another');
      const second = await api.pending('airlock', first.tag);
      assert.equal(second.kind === 'tasks' && second.entries.length, 2);
    });

    it('offers a task that is for one agent to that agent alone', async () => {
      await tasks.create([{ description: 'For somebody', agent: 'somebody' }]);
      const others = await api.pending('airlock', null);
      const own = await api.pending('somebody', null);
      assert.deepEqual(
        [others.kind === 'tasks' && others.entries.length, own.kind === 'tasks' && own.entries.length],
        [0, 1],
      );
      const [task] = tasks.list();
      assert.equal((await api.accept(task?.id ?? '', 'airlock')).kind, 'refused');
    });

    it('gives a task to the first who asks', async () => {
      const id = await create();
      const answers = await Promise.all([api.accept(id, 'one'), api.accept(id, 'two'), api.accept(id, 'three')]);
      assert.deepEqual(answers.map((answer) => answer.kind).sort(), ['done', 'refused', 'refused']);
      assert.deepEqual(tasks.get(id)?.status, 'accepted');
    });

    it('leads a task through progress to its completion', async () => {
      const id = await create();
      await api.accept(id, 'airlock');
      assert.equal((await api.setStatus(id, { status: 'in_progress', progress: 40 })).kind, 'done');
      assert.equal(tasks.get(id)?.progress, 40);
      assert.equal((await api.complete(id, completion)).kind, 'done');
      const { status, result, completed_at, agent } = tasks.get(id) ?? {};
      assert.deepEqual(
        { status, result, completed_at, agent },
        { ...completion, status: 'completed', agent: 'airlock' },
      );
      const state = await api.stateOf(id);
      assert.deepEqual([state?.status, state?.agent], ['completed', 'airlock']);
    });

    it('keeps why a task failed', async () => {
      const id = await create();
      await api.accept(id, 'airlock');
      const body = { error: 'the check fails', failed_at: '2026-01-05T12:00:00.000Z' };
      assert.equal((await api.fail(id, body)).kind, 'done');
      const { status, error, failed_at } = tasks.get(id) ?? {};
      assert.deepEqual({ status, error, failed_at }, { status: 'failed', ...body });
    });

    it('refuses what a task is not in a state for', async () => {
      const id = await create();
      assert.equal((await api.complete(id, completion)).kind, 'refused');
      await api.accept(id, 'airlock');
      await api.fail(id, { error: 'x', failed_at: '2026-01-05T12:00:00.000Z' });
      assert.equal((await api.complete(id, completion)).kind, 'refused');
      assert.equal((await api.setStatus(id, { status: 'in_progress' })).kind, 'refused');
      assert.equal((await api.accept('no-such-task', 'airlock')).kind, 'refused');
    });

    it('keeps artifacts by name, the last one of a name', async () => {
      const id = await create();
      await api.addArtifact(id, { name: 'log', content: 'one' });
      await api.addArtifact(id, { name: 'log', content: 'two!' });
      assert.deepEqual(
        tasks.get(id)?.artifacts.map(({ name, bytes }) => ({ name, bytes })),
        [{ name: 'log', bytes: 4 }],
      );
    });

    it('carries every character of a description', async () => {
      const description = 'Zeile\n\t"quoted" \\ \u0000 \u{1F600} \u2028 ÄÖÜ';
      const id = await create(description);
      const answer = await api.pending('airlock', null);
      assert.deepEqual(
        answer.kind === 'tasks' && answer.entries.map((entry) => (entry as { description: string }).description),
        [description],
      );
      assert.equal((await api.stateOf(id))?.id, id);
    });
  });
}
