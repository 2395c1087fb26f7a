import assert from 'node:assert/strict';
import { UserError } from '../../../src/base/errors';
import { silentLogger } from '../../../src/base/logger';
import type { Artifact } from '../../../src/core/artifact';
import type { RunState, TaskState } from '../../../src/core/liveState';
import { SourceUnreachableError, type Report, type ReportOptions, type TaskSource } from '../../../src/core/source';
import { Outbox } from '../../../src/executor/outbox';
import { amendingReportId } from '../../../src/executor/runReport';
import type { ExecutorPorts } from '../../../src/executor/ports';
import { FakeClock } from '../../fakes/clock';
import { enoughRoom, MemoryBlobs, MemoryLog } from '../../fakes/memoryLog';

/** A source that takes artifacts as the test says. */
class TakingSource implements TaskSource {
  readonly id = 'near';
  readonly artifacts = ['patch', 'evidence', 'log', 'pullRequest'] as const;
  readonly taken: Artifact[] = [];
  readonly told: ReportOptions[] = [];
  attachAnswers: (Error | false)[] = [];
  reportAnswers: Error[] = [];
  start(): void {}
  refresh(): void {}
  async accept(): Promise<{ kind: 'accepted' }> {
    return { kind: 'accepted' };
  }
  async progress(): Promise<void> {}
  async attach(_report: Report, artifact: Artifact): Promise<boolean> {
    const answer = this.attachAnswers.shift();
    if (answer instanceof Error) throw answer;
    if (answer === false) return false;
    this.taken.push(artifact);
    return true;
  }
  async report(_report: Report, _body: unknown, options: ReportOptions): Promise<void> {
    this.told.push(options);
    const answer = this.reportAnswers.shift();
    if (answer) throw answer;
  }
  dispose(): void {}
}

const body = {
  outcome: 'verified',
  response: '',
  error: '',
  model: null,
  inputTokens: 0,
  outputTokens: 0,
  executionSeconds: 0,
  branch: null,
  commit: null,
  endedAtMs: 0,
};
const base = 'a'.repeat(40);
const commit = 'b'.repeat(40);

describe('what belongs to a report', () => {
  let clock: FakeClock;
  let log: MemoryLog;
  let blobs: MemoryBlobs;
  let source: TakingSource;
  let outbox: Outbox;
  let patch: () => Promise<string>;

  beforeEach(() => {
    clock = new FakeClock();
    log = new MemoryLog(clock);
    blobs = new MemoryBlobs();
    source = new TakingSource();
    patch = () => Promise.resolve('diff with sk-secret in it');
    outbox = start();
  });
  afterEach(async () => {
    outbox.dispose();
    await outbox.drain();
  });

  function start(): Outbox {
    const workspaces: Partial<ExecutorPorts['workspaces']> = { patch: () => patch() };
    const ports: Partial<ExecutorPorts> = {
      room: enoughRoom,
      events: log,
      blobs,
      sources: [source],
      workspaces: workspaces as ExecutorPorts['workspaces'],
      sessionFolder: () => '/nowhere',
      redact: (text) => Promise.resolve(text.replaceAll('sk-secret', '[redacted]')),
      clock,
      logger: silentLogger,
    };
    const started = new Outbox(ports as ExecutorPorts);
    started.start();
    return started;
  }

  async function ends(reportId = 'task/1', more: Partial<Report> = {}): Promise<void> {
    const output = await blobs.put(`ok, and sk-secret${'.'.repeat(40_000)}the end`);
    const check = { command: 'npm test', on: 'result', tree: commit, exitCode: 0, endedBy: null };
    const run = {
      id: 'run',
      taskId: 'task',
      attempt: 1,
      repo: '/repo',
      baseCommit: base,
      commit,
      branch: 'airlock/task-1',
      verdict: 'verified',
      sessionId: 'session',
      checks: [{ ...check, output, outputBytes: 3, durationMs: 5 }],
    };
    log.state.runs.set('run', run as unknown as RunState);
    const report = { reportId, taskId: 'task', sourceId: 'near', externalId: 'x', kind: 'complete' as const, ...more };
    await log.append([{ kind: 'report.queued', report: { ...report, body: await blobs.put(JSON.stringify(body)) } }]);
  }

  /** A recording is looked for on the disk, which takes its own time. */
  async function until(fits: () => boolean): Promise<void> {
    for (let tries = 0; !fits(); tries += 1) {
      assert.ok(tries < 1_000, log.kinds.join(' '));
      await clock.advance(1_000);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  const names = (): string[] => source.taken.map(({ name }) => name);

  it('is handed over before it, without secrets and with no more than the end of long output', async () => {
    await ends();
    await until(() => outbox.isEmpty);
    assert.deepEqual(names(), ['airlock.patch', 'airlock-evidence.json']);
    assert.deepEqual(source.taken[0]?.content, 'diff with [redacted] in it');
    const evidence = source.taken[1]?.content ?? '';
    assert.match(evidence, /"command": "npm test"/);
    assert.match(evidence, /"output": "\[…\]\\n\.+the end"/);
    assert.ok(!evidence.includes('sk-secret') && evidence.length < 35_000);
    assert.deepEqual(source.told, [{ isRepeat: false, attached: names() }]);
    assert.deepEqual(log.kinds, [
      'report.queued',
      'report.sending',
      'report.attached',
      'report.attached',
      'report.acknowledged',
    ]);
  });

  it('is handed over to a source that joined the task too', async () => {
    await ends('task/1+1');
    await until(() => outbox.isEmpty);
    assert.deepEqual(names(), ['airlock.patch', 'airlock-evidence.json']);
  });

  it('is not handed over again when the report has to be', async () => {
    source.reportAnswers = [new SourceUnreachableError('down')];
    await ends();
    await until(() => outbox.isEmpty);
    assert.deepEqual(names(), ['airlock.patch', 'airlock-evidence.json']);
    assert.deepEqual(source.told.at(-1), { isRepeat: true, attached: names() });
  });

  it('is not handed over again after a restart', async () => {
    source.reportAnswers = [new SourceUnreachableError('down')];
    await ends();
    await until(() => log.kinds.includes('report.postponed'));
    outbox.dispose();
    outbox = start();
    await until(() => outbox.isEmpty);
    assert.deepEqual([names().length, source.told.length], [2, 2]);
  });

  it('is no failure where the source wants none of it', async () => {
    source.attachAnswers = [false, new UserError('source-request-refused', 'too large')];
    await ends();
    await until(() => outbox.isEmpty);
    assert.deepEqual([names(), source.told], [[], [{ isRepeat: false, attached: [] }]]);
  });

  it('is waited for three times, and no more', async () => {
    source.attachAnswers = Array.from({ length: 20 }, () => new SourceUnreachableError('timed out'));
    await ends();
    await until(() => outbox.isEmpty);
    assert.deepEqual(source.told, [{ isRepeat: true, attached: [] }]);
    assert.equal(log.kinds.filter((kind) => kind === 'report.postponed').length, 3);
  });

  it('is the pull request alone in a report that amends one, and waited for as long as it takes', async () => {
    const url = 'https://git.example/acme/shop/pull/7';
    log.state.tasks.set('task', {
      pullRequests: ['https://git.example/acme/shop/pull/6', url],
    } as unknown as TaskState);
    source.attachAnswers = Array.from({ length: 6 }, () => new SourceUnreachableError('down'));
    await ends(amendingReportId('task/1+1', url), { amends: true });
    await until(() => outbox.isEmpty);
    assert.deepEqual(source.taken, [{ kind: 'pullRequest', name: 'airlock-pull-request.txt', content: url }]);
  });

  it('leaves out a patch that is too large', async () => {
    patch = () => Promise.reject(new UserError('git-output-too-large', 'too large'));
    await ends();
    await until(() => outbox.isEmpty);
    assert.deepEqual(names(), ['airlock-evidence.json']);
  });
});
