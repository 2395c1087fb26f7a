import assert from 'node:assert/strict';
import { mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { silentLogger } from '../../../src/base/logger';
import { knownTasksOf } from '../../../src/core/knownTasks';
import { planOf, startNow } from '../../../src/sources/taskDefinitions/plan';
import { ExecutorLink } from '../../../src/ui/executorLink';
import { ScheduleList } from '../../../src/ui/schedule/scheduleList';
import { FakeClock, settle } from '../../fakes/clock';
import { FakeExecutor } from '../../fakes/executor';
import { useTempFolder } from '../sources/tempFolder';

const minute = 60_000;
const prompt = 'task: { prompt: Look }\n';
const hourly = `name: Hourly\nschedule: { type: cron, expression: "0 * * * *" }\n${prompt}`;

describe('the list of what starts by itself', () => {
  const folder = useTempFolder();
  let clock: FakeClock;
  let executor: FakeExecutor;
  let link: ExecutorLink;
  let list: ScheduleList;
  let isOn: boolean;
  let seen: unknown[];
  /** The files are read in the time of the machine, not of the clock. */
  let reading: Promise<unknown>;

  beforeEach(() => {
    clock = new FakeClock(Date.UTC(2026, 0, 5, 12, 30));
    executor = new FakeExecutor();
    isOn = true;
    seen = [];
    reading = Promise.resolve();
    mkdirSync(path.join(folder.path, '.airlock', 'tasks'), { recursive: true });
    link = new ExecutorLink(() => Promise.resolve(executor), silentLogger);
    list = new ScheduleList({
      link,
      planner: {
        planOf: (repo, count) => {
          const known = knownTasksOf(link.state);
          return (reading = planOf(repo, { nowMs: clock.nowMs(), count, environment: [], known }));
        },
        startNow: (repo, name) => startNow(repo, name, { nowMs: clock.nowMs(), environment: [] }),
      },
      folders: () => [folder.path],
      isOn: () => isOn,
      clock,
      logger: silentLogger,
    });
    list.onDidChange((change) => seen.push(change.kind === 'all' ? 'all' : [...change.paths].map(name)));
  });

  afterEach(() => {
    list.dispose();
    assert.equal(clock.pendingTimers, 0);
  });

  const name = (file: string): string => path.basename(file);

  function define(file: string, text: string): void {
    const whole = path.join(folder.path, '.airlock', 'tasks', file);
    writeFileSync(whole, text);
    utimesSync(whole, clock.nowMs() / 1000, clock.nowMs() / 1000);
  }

  /** Lets time pass, and then what is read of files. */
  async function pass(byMs: number): Promise<void> {
    await clock.advance(byMs);
    await reading;
    await settle();
  }

  async function open(): Promise<void> {
    await link.ready();
    await pass(2_000);
  }

  async function refresh(): Promise<void> {
    list.refresh();
    await pass(2_000);
  }

  const rows = (): string[] => list.all().map(({ row }) => `${row.icon.id} ${row.label}: ${row.description}`);

  it('has what a clock or files start, in the order of their starts, and first what is wrong', async () => {
    define('a-off.yaml', `${hourly.replace('Hourly', 'Off')}enabled: false\n`);
    define('b-watch.yaml', `name: Watch\ntrigger: { type: file_watch, pattern: "*.ts" }\n${prompt}`);
    define('c-hourly.yaml', hourly);
    define('d-soon.yaml', `name: Soon\ntrigger: { type: interval, seconds: 600 }\n${prompt}`);
    define('e-once.yaml', `name: Once\n${prompt}`);
    define('f-wrong.yaml', 'name: Wrong\nschedule: { type: cron, expression: "0 9" }\n');
    await open();
    assert.deepEqual(
      rows().map((row) => row.replace(/:.*/, '')),
      ['error f-wrong.yaml', 'calendar Soon', 'calendar Hourly', 'eye Watch', 'circle-slash Off'],
    );
    assert.deepEqual(seen, ['all']);
  });

  it('is read when the executor is open, and not before', async () => {
    define('hourly.yaml', hourly);
    await refresh();
    assert.deepEqual(rows(), []);
    await open();
    assert.equal(rows().length, 1);
  });

  it('makes one row anew for a start that has passed, and rests otherwise', async () => {
    define('hourly.yaml', hourly);
    define('daily.yaml', hourly.replace('0 * *', '0 9 *').replace('Hourly', 'Daily'));
    await open();
    await executor.add(started('2026-01-05T12:00:00.000Z'));
    await pass(20 * minute);
    seen.length = 0;
    const [before] = list.at(path.join(folder.path, '.airlock', 'tasks', 'hourly.yaml'))?.plan.next ?? [];
    for (let minutes = 0; minutes < 10; minutes += 1) await pass(minute);
    const [after] = list.at(path.join(folder.path, '.airlock', 'tasks', 'hourly.yaml'))?.plan.next ?? [];
    assert.deepEqual([before, after], ['2026-01-05T13:00:00.000Z', '2026-01-05T14:00:00.000Z']);
    assert.deepEqual(seen[0], ['hourly.yaml']);
  });

  it('marks a start that nobody makes a minute after its time, and takes the mark back when it is made in time', async () => {
    define('hourly.yaml', hourly);
    await open();
    for (let minutes = 0; minutes < 30; minutes += 1) await pass(minute);
    assert.match(rows().join(), /^calendar Hourly/);
    for (let minutes = 0; minutes < 2; minutes += 1) await pass(minute);
    assert.match(rows().join(), /^warning Hourly: missed Jan 5 \d\d:00 · Jan 5 \d\d:00$/);
    clock.jump(58 * minute);
    executor.nowMs = clock.nowMs();
    await executor.add(started('2026-01-05T13:00:00.000Z'));
    executor.nowMs = Date.UTC(2026, 0, 5, 14);
    await executor.add(started('2026-01-05T14:00:00.000Z'));
    await pass(minute);
    assert.match(rows().join(), /^calendar Hourly: Jan 5 \d\d:00$/);
  });

  it('says why nothing starts: the file, the setting, or a source that is paused', async () => {
    define('hourly.yaml', hourly);
    await open();
    const [scheduled] = list.all();
    executor.append({ kind: 'source.paused', sourceId: scheduled?.plan.sourceId ?? '', paused: true });
    await pass(2_000);
    assert.deepEqual(rows(), ['circle-slash Hourly: its source is paused']);
    isOn = false;
    await refresh();
    assert.deepEqual(rows(), ['circle-slash Hourly: not started by itself: airlock.taskDefinitions.enabled is off']);
    define('hourly.yaml', `${hourly}enabled: false\n`);
    await refresh();
    assert.deepEqual(rows(), ['circle-slash Hourly: switched off in its file']);
    rmSync(path.join(folder.path, '.airlock'), { recursive: true });
    await refresh();
    assert.deepEqual(rows(), []);
  });

  function started(when: string) {
    const origin = { sourceId: `tasks:${folder.path}`, externalId: `hourly.yaml@${when}` };
    return { title: 'Hourly', prompt: 'Look', origin };
  }
});
