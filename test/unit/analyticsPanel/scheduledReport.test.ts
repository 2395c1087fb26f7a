import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { reportWriter } from '../../../src/analytics/usageReport';
import { Emitter } from '../../../src/base/emitter';
import { silentLogger } from '../../../src/base/logger';
import type { ReportSchedule } from '../../../src/core/reportSchedule';
import { cronStarts } from '../../../src/sources/taskDefinitions/starts';
import { ScheduledReport } from '../../../src/ui/analytics/scheduledReport';
import type { LinkStatus } from '../../../src/ui/executorLink';
import { FakeClock } from '../../fakes/clock';
import { HistoryExecutor, sumRow } from '../../fakes/historyExecutor';

const hourMs = 3_600_000;
/** A Wednesday. */
const wednesday = Date.UTC(2026, 0, 7, 7);

describe('the scheduled report', () => {
  let folder: string;
  let clock: FakeClock;
  let executor: HistoryExecutor;
  let schedule: ReportSchedule;
  let told: string[];
  let errors: string[];
  let memory: Map<string, string>;
  const status = new Emitter<LinkStatus>(() => {});
  const changed = new Emitter<void>(() => {});
  const open: ScheduledReport[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'airlock-report-'));
    clock = new FakeClock(wednesday);
    executor = new HistoryExecutor();
    executor.sums = [sumRow({ day: '2026-01-06' }, { costUsd: 7, requests: 1 })];
    schedule = 'daily';
    told = [];
    errors = [];
    memory = new Map();
  });

  afterEach(async () => {
    for (const each of open.splice(0)) each.dispose();
    await rm(folder, { recursive: true });
  });

  function start(): ScheduledReport {
    const report = new ScheduledReport({
      link: { status: { kind: 'open', executor }, onDidChangeStatus: status.event, ready: async () => executor },
      schedule: () => schedule,
      onDidChangeSchedule: (listener) => changed.event(listener),
      places: {
        folder: () => path.join(folder, 'reports'),
        times: async (of) => cronStarts(of === 'daily' ? '0 8 * * *' : '0 8 * * 1', 'UTC'),
      },
      writeReport: reportWriter((text) => text, clock),
      memory: {
        get: (key) => memory.get(key),
        update: async (key, value) => void memory.set(key, value),
      },
      tell: (file) => told.push(path.basename(file)),
      clock,
      logger: { ...silentLogger, error: (message) => errors.push(message) },
    });
    open.push(report);
    return report;
  }

  const written = async (): Promise<string[]> => (await readdir(path.join(folder, 'reports')).catch(() => [])).sort();

  it('makes up at its start for the newest one that was missed, and for no older one', async () => {
    await start().settled();
    assert.deepEqual(await written(), ['airlock-report-2026-01-05-2026-01-05.md']);
    assert.deepEqual(told, ['airlock-report-2026-01-05-2026-01-05.md']);
  });

  it('writes each at its time', async () => {
    const report = start();
    await report.settled();
    await clock.advance(2 * hourMs);
    await report.settled();
    assert.deepEqual(told.at(-1), 'airlock-report-2026-01-06-2026-01-06.md');
    const text = await readFile(path.join(folder, 'reports', told.at(-1) ?? ''), 'utf8');
    assert.match(text, /^\| Cost \| 7\.00 \$ \|$/m);
  });

  it('is of the seven days before, when it is weekly', async () => {
    schedule = 'weekly';
    await start().settled();
    assert.deepEqual(told, ['airlock-report-2025-12-29-2026-01-04.md']);
  });

  it('is written once by several windows, and not again when the user has deleted it', async () => {
    const both = [start(), start()];
    for (const report of both) await report.settled();
    assert.equal(told.length, 1);
    await rm(path.join(folder, 'reports'), { recursive: true });
    await start().settled();
    assert.deepEqual([told.length, await written()], [1, []]);
  });

  it('leaves nothing behind when its window is closed while it looks', async () => {
    const report = start();
    report.dispose();
    await report.settled();
    assert.deepEqual([clock.pendingTimers, await written()], [0, []]);
  });

  it('writes nothing while it is off, and begins when it is switched on', async () => {
    schedule = 'off';
    const report = start();
    await report.settled();
    assert.deepEqual(await written(), []);
    schedule = 'daily';
    changed.fire();
    await report.settled();
    assert.equal(told.length, 1);
  });

  it('is tried again when the history could not be read', async () => {
    executor.failNext('history', new Error('the database is gone'));
    const report = start();
    await report.settled();
    assert.deepEqual([told, errors.length], [[], 1]);
    await clock.advance(hourMs / 2);
    await report.settled();
    assert.equal(told.length, 1);
  });
});
