import assert from 'node:assert/strict';
import { connect, createServer, type Server } from 'node:net';
import type { AirlockEvent } from '../../src/core/events';
import { says } from '../fakes/messagesApiTurns';
import { modelName, runOf, stateFits, taskEnded, WholeRoom } from '../fakes/wholeRoom';

/** A port where nobody listens yet. */
async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server, 0);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve) => {
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      resolve(address !== null && typeof address === 'object' ? address.port : 0);
    });
  });
}

describe('a model server that is not there', () => {
  let room: WholeRoom;
  beforeEach(async () => (room = await WholeRoom.make()));
  afterEach(() => room.close());

  it('shows on the task at once; the task goes on by itself when it is there, and no attempt is used up', async () => {
    const port = await freePort();
    const baseUrl = `http://127.0.0.1:${port}`;
    room.model.plays('Patient', says('Looked.'));
    const executor = await room.open({
      sources: [],
      engine: {
        kind: 'anthropic',
        credential: { kind: 'apiKey', read: () => Promise.resolve('sk-test-key') },
        baseUrl,
        model: modelName,
      },
    });
    const seen: AirlockEvent[] = [];
    executor.onDidAppend((events) => seen.push(...events));
    const id = await executor.add({ title: 'Patient', prompt: 'Look.', repo: room.repo, checks: [] });
    const waiting = await stateFits(executor, ({ tasks }) => {
      const task = tasks.get(id);
      return task?.waitingOn === 'lane' ? { status: task.status, reason: task.reason } : undefined;
    });
    assert.deepEqual(waiting, {
      status: 'waiting',
      reason: `The model server at ${baseUrl} is not reachable (ECONNREFUSED).`,
    });
    // It is asked again and again meanwhile, in the same run and the same session.
    await stateFits(executor, () =>
      seen.filter(({ kind }) => kind === 'request.retried').length >= 3 ? true : undefined,
    );
    const gate = createServer((socket) => {
      const far = connect(Number(new URL(room.model.api.baseUrl).port), '127.0.0.1');
      socket.on('error', () => far.destroy()).pipe(far);
      far.on('error', () => socket.destroy()).pipe(socket);
    });
    room.ends.push(() => new Promise((resolve) => gate.close(() => resolve())));
    await listen(gate, port);
    const task = await taskEnded(executor, id);
    assert.deepEqual([task.status, task.attempts, task.failures], ['unchecked', 1, 0]);
    assert.deepEqual([runOf(executor, id).resumptions, room.model.api.requests.length], [0, 1]);
    assert.equal(seen.filter(({ kind }) => kind === 'session.created').length, 1);
  });
});
