import assert from 'node:assert/strict';
import { mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { sha256 } from '../../../../src/base/digest';
import { silentLogger } from '../../../../src/base/logger';
import { diagnosticLine } from '../../../../src/core/diagnostic';
import { knownTasksOf } from '../../../../src/core/knownTasks';
import type { ReportBody, TaskSource } from '../../../../src/core/source';
import type { TaskOutcome } from '../../../../src/core/task';
import { Intake } from '../../../../src/executor/intake';
import type { ExecutorPorts } from '../../../../src/executor/ports';
import { createDefinitionSource } from '../../../../src/sources/taskDefinitions/definitionSource';
import { planOf } from '../../../../src/sources/taskDefinitions/plan';
import { OwnWrites } from '../../../../src/sources/ownWrites';
import { FakeClock, settle } from '../../../fakes/clock';
import { enoughRoom, MemoryBlobs, MemoryLog } from '../../../fakes/memoryLog';
import { useTempFolder } from '../tempFolder';

const minute = 60_000;
const hour = 60 * minute;
const hourly = 'name: Hourly\nschedule: { type: cron, expression: "0 * * * *" }\ntask: { prompt: Do it }\n';

describe('task definitions as a source', () => {
  const folder = useTempFolder();
  let clock: FakeClock;
  let log: MemoryLog;
  let source: TaskSource | undefined;
  let diagnostics: string[];
  let notices: string[];
  let cancelled: string[];

  beforeEach(() => {
    clock = new FakeClock(Date.UTC(2026, 0, 5, 12, 30));
    log = new MemoryLog(clock);
    diagnostics = [];
    notices = [];
    cancelled = [];
    mkdirSync(path.join(folder.path, '.airlock', 'tasks'), { recursive: true });
  });

  afterEach(() => {
    source?.dispose();
    assert.equal(clock.pendingTimers, 0);
  });

  function define(file: string, text: string): void {
    const whole = path.join(folder.path, '.airlock', 'tasks', file);
    writeFileSync(whole, text);
    utimesSync(whole, clock.nowMs() / 1000, clock.nowMs() / 1000);
  }

  /** Starts it, or starts it again on the same journal. */
  async function start(): Promise<void> {
    source?.dispose();
    source = createDefinitionSource({
      repo: folder.path,
      environment: [],
      known: knownTasksOf(log.state),
      ownWrites: new OwnWrites(),
      onDiagnostics: (_owner, all) =>
        (diagnostics = all.map((each) => diagnosticLine(each).slice(folder.path.length + 16))),
      onNotice: (message) => notices.push(message),
      clock,
      logger: silentLogger,
    });
    const ports: Partial<ExecutorPorts> = {
      events: log,
      blobs: new MemoryBlobs(),
      sources: [source],
      room: enoughRoom,
      clock,
      logger: silentLogger,
    };
    const intake = new Intake(ports as ExecutorPorts, (taskId, reason) => {
      cancelled.push(reason);
      return end(taskId, 'cancelled');
    });
    intake.start();
    await pass(2_000);
  }

  /** Lets time pass, and what is read of files with it. */
  async function pass(byMs: number): Promise<void> {
    const steps = Math.min(40, Math.ceil(byMs / 2_000));
    for (let step = 0; step < steps; step += 1) {
      await clock.advance(byMs / steps);
      // While it looks, no timer waits: files are read in the time of the machine, not of the clock.
      while (clock.pendingTimers === 0) await settle();
      await settle();
    }
  }

  function tasks(): string[] {
    return [...log.state.tasks.values()].map(({ spec, status }) => `${spec.origin.externalId} ${status}`);
  }

  async function end(taskId: string, outcome: TaskOutcome): Promise<void> {
    await log.append([{ kind: 'task.ended', taskId, outcome, reason: '', runId: null }]);
  }

  async function endAll(outcome: TaskOutcome): Promise<void> {
    for (const task of log.state.tasks.values()) {
      if (task.status !== 'queued') continue;
      await log.append([{ kind: 'task.accepted', taskId: task.id }]);
      await end(task.id, outcome);
    }
  }

  it('starts a task at each of its times, and none for a time before it was written', async () => {
    define('hourly.yaml', hourly);
    await start();
    assert.deepEqual(tasks(), []);
    await pass(30 * minute);
    assert.deepEqual(tasks(), ['hourly.yaml@2026-01-05T13:00:00.000Z queued']);
    await endAll('verified');
    await pass(hour);
    assert.deepEqual(tasks().slice(1), ['hourly.yaml@2026-01-05T14:00:00.000Z queued']);
    assert.deepEqual(diagnostics, []);
  });

  /** Of each definition that missed its last start: when that was, how many it missed, and which task made up for it. */
  async function missed(): Promise<unknown[]> {
    const known = knownTasksOf(log.state);
    const plans = await planOf(folder.path, { nowMs: clock.nowMs(), count: 1, environment: [], known });
    return plans.flatMap((plan) => (plan.missed ? [{ file: plan.file, ...plan.missed }] : []));
  }

  it('is one start, and one task, after a restart too', async () => {
    define('hourly.yaml', hourly);
    await start();
    await pass(30 * minute);
    await start();
    await endAll('verified');
    await start();
    await pass(10 * minute);
    assert.deepEqual(tasks(), ['hourly.yaml@2026-01-05T13:00:00.000Z verified']);
  });

  it('makes up once for what was missed, and says so', async () => {
    define('hourly.yaml', hourly);
    await start();
    await pass(30 * minute);
    await endAll('verified');
    source?.dispose();
    clock.jump(3 * 24 * hour + 10 * minute);
    await start();
    await pass(10 * minute);
    assert.deepEqual(tasks().slice(1), ['hourly.yaml@2026-01-08T13:00:00.000Z queued']);
    assert.match(
      diagnostics.join(),
      /^hourly.yaml:2:11: warning: The start of 2026-01-08T13:00:00.000Z, and 71 before it was missed/,
    );
    await endAll('verified');
    await pass(hour);
    assert.deepEqual(tasks().slice(2), ['hourly.yaml@2026-01-08T14:00:00.000Z queued']);
    assert.deepEqual(diagnostics, []);
  });

  it('tells whoever asks that a start was missed, and which task made up for it, until one is made in time', async () => {
    define('hourly.yaml', hourly);
    await start();
    await pass(30 * minute);
    await endAll('verified');
    source?.dispose();
    assert.deepEqual(await missed(), []);
    clock.jump(hour + 30_000);
    assert.deepEqual(await missed(), []);
    clock.jump(hour);
    const at = '2026-01-05T15:00:00.000Z';
    clock.jump(2 * minute);
    assert.deepEqual(await missed(), [{ file: 'hourly.yaml', at, count: 2, madeUpBy: null }]);
    await start();
    const [, madeUpBy] = log.state.tasks.keys();
    assert.deepEqual(await missed(), [{ file: 'hourly.yaml', at, count: 2, madeUpBy }]);
    await endAll('verified');
    await pass(56 * minute);
    await pass(4 * minute);
    assert.deepEqual([tasks().length, await missed()], [3, []]);
  });

  it('makes no storm when the clock jumps, forwards or back', async () => {
    define('hourly.yaml', hourly);
    await start();
    await pass(31 * minute);
    await endAll('verified');
    clock.jump(-hour);
    await pass(50 * minute);
    assert.equal(tasks().length, 1);
    clock.jump(3 * 24 * hour);
    await pass(minute);
    assert.equal(tasks().length, 2);
    await endAll('verified');
    clock.jump(-3 * 24 * hour);
    await pass(minute);
    assert.equal(tasks().length, 2);
    // What lies days ahead keeps no later start from being made.
    await pass(90 * minute);
    assert.deepEqual(
      tasks()
        .slice(2)
        .map((task) => task.slice(0, 35)),
      ['hourly.yaml@2026-01-05T14:00:00.000'],
    );
  });

  it('starts every interval', async () => {
    define('often.yaml', 'name: Often\ntrigger: { type: interval, seconds: 600 }\ntask: { prompt: p }');
    await start();
    await pass(11 * minute);
    assert.deepEqual(tasks(), ['often.yaml@2026-01-05T12:40:00.000Z queued']);
  });

  it('skips, queues or replaces a start while the one before is not over', async () => {
    define('skip.yaml', hourly);
    define('queue.yaml', `${hourly}overlap: queue\n`);
    define('replace.yaml', `${hourly}overlap: replace\n`);
    await start();
    await pass(30 * minute);
    await pass(hour);
    assert.deepEqual(tasks().sort(), [
      'queue.yaml@2026-01-05T13:00:00.000Z queued',
      'replace.yaml@2026-01-05T13:00:00.000Z cancelled',
      'replace.yaml@2026-01-05T14:00:00.000Z queued',
      'skip.yaml@2026-01-05T13:00:00.000Z queued',
    ]);
    assert.deepEqual(cancelled, ['The start of 2026-01-05T14:00:00.000Z takes its place.']);
    await endAll('verified');
    await pass(minute);
    // What the overlap is to be was not missed.
    assert.deepEqual(await missed(), []);
    // What waited comes now; what was skipped does not.
    assert.deepEqual(
      tasks().filter((task) => task.endsWith('queued')),
      ['queue.yaml@2026-01-05T14:00:00.000Z queued'],
    );
    await start();
    await pass(minute);
    assert.equal(tasks().length, 5);
    await endAll('verified');
    await pass(56 * minute);
    await pass(4 * minute);
    assert.equal(tasks().length, 8);
    assert.deepEqual([await missed(), diagnostics], [[], []]);
  });

  it('starts one task for files that have changed, and tells it which', async () => {
    define(
      'watch.yaml',
      'name: Watch\ntrigger: { type: file_watch, pattern: "*.ts" }\ntask: { prompt: "Look at {{ context.path }}" }',
    );
    await start();
    // What is there when the watch begins is no change, and when it begins is the system's to say.
    for (let turn = 0; tasks().length === 0; turn += 1) {
      writeFileSync(path.join(folder.path, 'a.ts'), `${turn}`);
      await pass(4_000);
    }
    const [task] = log.state.tasks.values();
    assert.match(task?.spec.origin.externalId ?? '', /^watch\.yaml@2026-01-05T/);
    assert.equal(task?.spec.prompt, sha256('Look at a.ts'));
  });

  it('queues a task without times once, and again when its words are others', async () => {
    define('once.yaml', 'name: Once\ntask: { prompt: p }');
    await start();
    await endAll('verified');
    await start();
    assert.equal(tasks().length, 1);
    define('once.yaml', 'name: Once\ntask: { prompt: other }');
    await pass(minute);
    assert.equal(tasks().length, 2);
  });

  it('withdraws what is queued when its definition is switched off or removed, and harms no other', async () => {
    const once = (name: string): string => `name: ${name}\ntask: { prompt: p }`;
    for (const name of ['a', 'b', 'c', 'd']) define(`${name}.yaml`, once(name));
    define('bad.yaml', 'name: [');
    await start();
    define('a.yaml', `${once('a')}\nenabled: false`);
    define('c.yaml', 'name: 1');
    rmSync(path.join(folder.path, '.airlock', 'tasks', 'b.yaml'));
    await pass(minute);
    assert.deepEqual(
      tasks().map((task) => task.replace(/@\S+/, '')),
      ['a.yaml cancelled', 'b.yaml cancelled', 'c.yaml queued', 'd.yaml queued'],
    );
    assert.deepEqual(
      diagnostics.map((line) => line.split(':')[0]),
      ['bad.yaml', 'c.yaml', 'c.yaml'],
    );
  });

  it('tries again what failed, later each time, and tells of the last failure alone', async () => {
    define(
      'retry.yaml',
      'name: Retry\ntask: { prompt: p, max_retries: 2, retry_backoff_seconds: 600 }\non_failure: [{ notify: "{{ context.name }}: {{ context.error }}" }]',
    );
    await start();
    const seen: number[] = [];
    for (const waitMs of [10 * minute, 20 * minute, 60 * minute]) {
      await endAll('failed');
      const latest = [...log.state.tasks.values()].at(-1);
      await source?.report(
        {
          reportId: 'r',
          taskId: 't',
          sourceId: 's',
          externalId: latest?.spec.origin.externalId ?? '',
          kind: 'fail',
          body: '',
        },
        { ...noBody, outcome: 'failed', error: `no ${notices.length}` },
        { isRepeat: false },
      );
      await pass(waitMs - minute);
      seen.push(tasks().length);
      await pass(2 * minute);
    }
    assert.deepEqual(seen, [1, 2, 3]);
    assert.deepEqual(
      tasks().map((task) => task.replace(/^.*@\S+/, '')),
      [' failed', ' retry 1 failed', ' retry 2 failed'],
    );
    assert.deepEqual(notices, ['Retry: no 0']);
  });
});

const noBody: ReportBody = {
  outcome: 'failed',
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
