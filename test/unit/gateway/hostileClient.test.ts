import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { systemClock } from '../../../src/base/clock';
import { silentLogger } from '../../../src/base/logger';
import { connectExecutor } from '../../../src/gateway/gatewayClient';
import { type GatewayServer, serveExecutor } from '../../../src/gateway/gatewayServer';
import { callSchema, protocolVersion } from '../../../src/protocol/executorProtocol';
import { FakeExecutor } from '../../fakes/executor';

const common = { version: '0.1.0', clock: systemClock, logger: silentLogger };
const hello = JSON.stringify({ kind: 'hello', protocol: protocolVersion, version: '0.1.0', pid: 1 });

const methods = callSchema.options.map((option) => option.shape.method.value);

/** Nearly a request: a method that there is, with anything for its arguments. */
const nearlyRequest = fc
  .record({
    method: fc.constantFrom(...methods),
    id: fc.oneof(fc.integer(), fc.jsonValue()),
    more: fc.dictionary(fc.string(), fc.jsonValue()),
  })
  .map(({ method, id, more }) => ({ kind: 'request', id, call: { taskId: 'task-a', ...more, method } }));

const line = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.jsonValue().map((value) => JSON.stringify(value)),
  nearlyRequest.map((value) => JSON.stringify(value)),
  fc.constant(hello),
);

describe('the executor’s socket, whatever a client writes', () => {
  let folder: string;
  let socketPath: string;
  let worker: FakeExecutor;
  let server: GatewayServer;
  /** How the server answered, over all clients. */
  const heard = new Set<string>();

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'airlock-gateway-'));
    socketPath = path.join(folder, 'executor.sock');
    worker = new FakeExecutor();
    server = await serveExecutor({ ...common, executor: worker, socketPath });
  });
  afterEach(async () => {
    await server.close();
    worker.dispose();
    await rm(folder, { recursive: true });
  });

  /** Writes all of it and one sound request behind it, and waits until that is answered or the server hangs up. */
  async function write(lines: readonly string[]): Promise<void> {
    const socket = connect(socketPath);
    socket.on('error', () => {});
    const over = new Promise<void>((resolve) => {
      socket.once('close', () => resolve());
      let text = '';
      socket.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        if (text.includes('"kind":"failure"')) heard.add('failure');
        if (!text.includes('"id":424242')) return;
        heard.add('answer');
        resolve();
      });
    });
    const sound = JSON.stringify({ kind: 'request', id: 424242, call: { method: 'jailReadiness' } });
    socket.write([...lines, sound].map((text) => `${text}\n`).join(''));
    await over;
    socket.destroy();
  }

  it('goes on serving everybody else', async function () {
    this.timeout(30_000);
    const good = await connectExecutor({ ...common, socketPath });
    try {
      await fc.assert(
        fc.asyncProperty(fc.boolean(), fc.array(line, { minLength: 1, maxLength: 8 }), async (greets, lines) => {
          await write(greets ? [hello, ...lines] : lines);
          assert.deepEqual(good.place, { kind: 'elsewhere', pid: process.pid });
          assert.equal((await good.jailReadiness()).kind, (await worker.jailReadiness()).kind);
        }),
        { numRuns: 150, seed: 1 },
      );
      // It was really asked: some clients were hung up on, others told what was wrong and answered all the same.
      assert.deepEqual([...heard].sort(), ['answer', 'failure']);
    } finally {
      good.dispose();
    }
  });
});
