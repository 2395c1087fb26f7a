import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { traceIdOf } from '../../src/core/runTrace';
import { attributesOf, Collector, metricsOf, spansOf } from '../fakes/collector';
import { eventIn, WholeCommand } from '../fakes/wholeCommand';
import { honestWork } from '../fakes/wholeModel';
import { modelName, sampleCheck, WholeRoom } from '../fakes/wholeRoom';

describe('telemetry of airlock work', () => {
  let room: WholeRoom;
  let collector: Collector;

  before(function () {
    this.timeout(60_000);
    // The first one is built here, so that no test waits for it.
    return WholeCommand.start(['--version']).exited;
  });
  beforeEach(async () => {
    room = await WholeRoom.make();
    collector = await Collector.start();
    await room.queues({ id: 'one', description: 'A private title', context: { checks: [sampleCheck] } });
    room.model.plays('A private title', ...honestWork);
  });
  afterEach(async () => {
    await room.close();
    await collector.close();
  });

  it('reaches the collector that --otlp-endpoint names: a trace of the run, and metrics', async () => {
    const work = room.work('--until-idle', '--json', '--otlp-endpoint', collector.endpoint);
    const { code, stdout, stderr } = await work.exited;
    assert.equal(code, 0, stderr);
    const started = stdout
      .trimEnd()
      .split('\n')
      .map(eventIn)
      .find((event) => event.kind === 'run.started');

    const spans = collector.bodiesAt('/v1/traces').flatMap(spansOf);
    const root = spans.find(({ name }) => name === 'invoke_agent implementer');
    assert.ok(root && started);
    assert.deepEqual(new Set(spans.map(({ traceId }) => traceId)), new Set([traceIdOf(started.runId)]));
    const { 'airlock.run.outcome': outcome, 'gen_ai.provider.name': provider } = attributesOf(root);
    assert.deepEqual([outcome, provider], ['verified', 'anthropic_compatible']);
    const chats = spans.filter(({ name }) => name === `chat ${modelName}`);
    assert.equal(chats.length, honestWork.length);

    const metrics = new Map(
      metricsOf(collector.bodiesAt('/v1/metrics').at(-1) ?? '').map((metric) => [metric.name, metric]),
    );
    const [duration] = metrics.get('gen_ai.client.operation.duration')?.histogram?.dataPoints ?? [];
    assert.equal(duration?.count, String(honestWork.length));
    const tokens = metrics.get('gen_ai.client.token.usage')?.histogram?.dataPoints ?? [];
    assert.deepEqual(
      tokens.map((point) => attributesOf(point)['gen_ai.token.type']),
      ['input', 'output'],
    );
    const [tasks] = metrics.get('airlock.tasks.ended')?.sum?.dataPoints ?? [];
    assert.deepEqual([tasks && attributesOf(tasks), tasks?.asInt], [{ 'airlock.task.outcome': 'verified' }, '1']);
    assert.doesNotMatch(collector.bodies.join(), /private|value\.txt|sk-test-key|airlock-whole-/);
  });

  it('is told beside a log file, in which what is about the run has the id of its trace', async () => {
    const file = path.join(room.folder('logs'), 'airlock.log');
    const { code, stderr } = await room.work('--until-idle', '--log-file', file).exited;
    assert.equal(code, 0, stderr);
    assert.deepEqual(collector.paths, []);
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n').map(lineIn);
    assert.deepEqual([lines[0]?.message, lines.at(-1)?.message], ['The log begins', 'The worker ended']);
    const ended = lines.find(({ facts }) => facts?.['event'] === 'task.ended');
    assert.deepEqual([ended?.message, ended?.facts?.['taskId']], ['VERIFIED', 'one']);
    const runId = String(ended?.facts?.['runId']);
    const ofRun = lines.filter(({ facts }) => facts?.['runId'] === runId);
    assert.ok(ofRun.length > 3);
    assert.deepEqual(new Set(ofRun.map(({ traceId }) => traceId)), new Set([traceIdOf(runId)]));
    assert.equal(statSync(file).mode & 0o777, 0o600);
  });

  it('does not begin when the log file cannot be written to', async () => {
    const { code, stderr } = await room.work('--until-idle', '--log-file', room.folder('logs')).exited;
    assert.equal(code, 2);
    assert.match(stderr, /^The log file .*logs cannot be written to: .*--log-file\.$/m);
  });

  it('goes into no file of the storage', async () => {
    const file = path.join(room.storage, 'journal', '000001.jsonl');
    const { code, stderr } = await room.work('--until-idle', '--log-file', file).exited;
    assert.equal(code, 2);
    assert.match(stderr, /lies in the storage folder/);
  });
});

interface LogLine {
  readonly message: string;
  readonly traceId?: string;
  readonly facts?: Readonly<Record<string, unknown>>;
}

const lineIn = (line: string): LogLine => JSON.parse(line) as LogLine;
