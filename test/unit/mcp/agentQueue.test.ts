import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { createInterface } from 'node:readline';
import type { Executor } from '../../../src/core/executor';
import type { NewTask } from '../../../src/core/task';
import { serveMcp, type ServedQueue } from '../../../src/mcp/serveMcp';

/** The part of an executor that an agent may have, with a queue in memory that takes its time, as a disk does. */
function queueOf(added: NewTask[], tasks: Map<string, unknown>): Executor {
  const part = {
    state: { tasks, runs: new Map() },
    async add(task: NewTask) {
      await new Promise((resolve) => setImmediate(resolve));
      const id = `task-${tasks.size + 1}`;
      added.push(task);
      tasks.set(id, {
        id,
        status: 'queued',
        reason: '',
        runId: null,
        spec: { title: task.title, origin: task.origin, repo: task.repo },
      });
      return id;
    },
  };
  return part as unknown as Executor;
}

describe('Airlock as an MCP server', () => {
  let input: PassThrough;
  let served: Promise<void>;
  let answers: AsyncIterator<string>;
  let count = 0;
  const added: NewTask[] = [];
  const tasks = new Map<string, unknown>();

  beforeEach(async () => {
    added.length = 0;
    tasks.clear();
    [input, count] = [new PassThrough(), 0];
    const output = new PassThrough();
    answers = createInterface({ input: output })[Symbol.asyncIterator]();
    const executor = queueOf(added, tasks);
    const queue: ServedQueue = {
      ask: (action) => action(executor),
      repositories: ['/repos/a', '/repos/b'],
      maxOpen: 2,
      maxCostUsd: 2,
      version: '1',
    };
    served = serveMcp(queue, input, output);
    const clientInfo = { name: 'test', version: '1' };
    await ask('initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo });
  });
  afterEach(async () => {
    input.end();
    await served;
  });

  async function ask(method: string, params: unknown): Promise<unknown> {
    count += 1;
    input.write(`${JSON.stringify({ jsonrpc: '2.0', id: count, method, params })}\n`);
    const answer: IteratorResult<string, undefined> = await answers.next();
    return (JSON.parse(String(answer.value)) as { result: unknown }).result;
  }

  async function call(name: string, args: unknown = {}): Promise<string> {
    const { content } = (await ask('tools/call', { name, arguments: args })) as { content: { text: string }[] };
    return content[0]?.text ?? '';
  }

  it('has tools to queue tasks and to look, and no others', async () => {
    const { tools } = (await ask('tools/list', {})) as { tools: { name: string }[] };
    assert.deepEqual(
      tools.map(({ name }) => name),
      ['add_task', 'list_tasks', 'get_task', 'task_result'],
    );
  });

  it('queues a task as an agent’s, within what was allowed', async () => {
    assert.deepEqual(JSON.parse(await call('add_task', { title: 'T', prompt: 'P', key: 'k', repo: '/repos/b' })), {
      task: 'task-1',
    });
    assert.deepEqual(added, [
      {
        title: 'T',
        prompt: 'P',
        priority: 2,
        checks: null,
        persona: null,
        repo: '/repos/b',
        origin: { sourceId: 'user', externalId: 'agent:k' },
        limits: { maxCostUsd: 2 },
        context: { queued_by: 'another agent, over MCP: it has no authority of the user' },
      },
    ]);
    assert.deepEqual(JSON.parse(await call('list_tasks')), [
      { task: 'task-1', status: 'queued', title: 'T', fromAgent: true },
    ]);
    assert.match(await call('task_result', { task: 'task-1' }), /is not over: it is queued/);
    assert.match(await call('get_task', { task: 'task-9' }), /There is no task task-9/);
  });

  it('takes no repository that was not named, and not more tasks than may be open', async () => {
    assert.match(await call('add_task', { title: 'T', prompt: 'P', repo: '/etc' }), /There is no repository \/etc/);
    await call('add_task', { title: '1', prompt: 'P' });
    await call('add_task', { title: '2', prompt: 'P' });
    assert.match(await call('add_task', { title: '3', prompt: 'P' }), /2 tasks of agents are open; no more than 2/);
    assert.equal(added.length, 2);
  });

  it('takes not more tasks than may be open when they come at once', async () => {
    await Promise.all(['1', '2', '3'].map((title) => call('add_task', { title, prompt: 'P' })));
    assert.equal(added.length, 2);
  });

  it('shows nothing of tasks for other repositories', async () => {
    for (const [id, repo] of [
      ['task-secret', '/repos/secret'],
      ['task-nowhere', null],
    ] as const)
      tasks.set(id, {
        id,
        status: 'failed',
        reason: 'it fails',
        spec: { title: id, origin: { sourceId: 'user', externalId: 'agent:k' }, repo },
      });
    assert.deepEqual(JSON.parse(await call('list_tasks')), []);
    for (const task of tasks.keys()) {
      assert.equal(await call('get_task', { task }), `There is no task ${task}.`);
      assert.equal(await call('task_result', { task }), `There is no task ${task}.`);
    }
    assert.match(await call('add_task', { title: 'T', prompt: 'P', key: 'k' }), /The key k stands for a task/);
  });
});
