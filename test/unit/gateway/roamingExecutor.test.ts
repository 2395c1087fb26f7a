import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { UserError } from '../../../src/base/errors';
import { silentLogger } from '../../../src/base/logger';
import { emptyState } from '../../../src/core/liveState';
import { RoamingExecutor } from '../../../src/gateway/roamingExecutor';
import { FakeClock, settle } from '../../fakes/clock';
import { FakeExecutor } from '../../fakes/executor';
import { until } from './until';

const nobody = new UserError('executor-unreachable', 'Nobody is there.');

describe('an executor that roams', () => {
  let clock: FakeClock;
  let there: FakeExecutor;
  let own: FakeExecutor | undefined;
  let reachable: boolean;
  let roaming: RoamingExecutor;
  let resets: string[];

  beforeEach(async () => {
    clock = new FakeClock();
    there = new FakeExecutor();
    there.place = { kind: 'elsewhere', pid: 4711 };
    own = undefined;
    reachable = true;
    roaming = await start();
    resets = [];
    roaming.onDidReset(() => resets.push(roaming.place.kind));
  });
  afterEach(() => {
    roaming.dispose();
    assert.equal(clock.pendingTimers, 0);
  });

  const start = (options: { readonly waits?: boolean } = {}): Promise<RoamingExecutor> =>
    RoamingExecutor.start({
      ...options,
      tryOwn: async () => own,
      connect: () => (reachable ? Promise.resolve(there) : Promise.reject(nobody)),
      clock,
      logger: silentLogger,
    });

  const ownerDies = (): void => {
    reachable = false;
    there.reset(there.state, { kind: 'nowhere' });
  };

  it('takes over when the owner dies and the storage is free', async () => {
    own = new FakeExecutor();
    await own.add({ title: 'From the journal', prompt: 'x' });
    ownerDies();
    assert.deepEqual(roaming.place, { kind: 'nowhere' });
    await settle();
    assert.deepEqual(roaming.place, { kind: 'here' });
    assert.deepEqual(resets, ['nowhere', 'here']);
    assert.equal(roaming.state.tasks.size, 1);
    assert.equal(there.disposed, true);
  });

  it('waits for somebody to work when it was told to, and finds who begins later', async () => {
    reachable = false;
    const waiting = await start({ waits: true });
    await settle();
    assert.deepEqual(waiting.place, { kind: 'nowhere' });
    reachable = true;
    await clock.advance(6_000);
    assert.deepEqual(waiting.place, { kind: 'elsewhere', pid: 4711 });
    waiting.dispose();
  });

  it('connects to who took over', async () => {
    ownerDies();
    await clock.advance(200);
    assert.deepEqual(roaming.place, { kind: 'nowhere' });
    there = new FakeExecutor();
    there.place = { kind: 'elsewhere', pid: 4712 };
    reachable = true;
    await clock.advance(6_000);
    assert.deepEqual(roaming.place, { kind: 'elsewhere', pid: 4712 });
    assert.deepEqual(resets, ['nowhere', 'elsewhere']);
  });

  it('keeps the last state readable while there is no executor', async () => {
    await roaming.add({ title: 'Seen', prompt: 'x' });
    ownerDies();
    assert.equal(roaming.state.tasks.size, 1);
  });

  it('lets a command wait for the new owner', async () => {
    ownerDies();
    const started = roaming.startQueue();
    await clock.advance(1_000);
    own = new FakeExecutor();
    await clock.advance(6_000);
    await started;
    assert.deepEqual(own.calls, [{ command: 'startQueue', args: [] }]);
  });

  it('lets a command wait that is given just as the loss is told', async () => {
    own = new FakeExecutor();
    let started: Promise<void> | undefined;
    roaming.onDidReset(() => {
      started ??= roaming.startQueue();
    });
    ownerDies();
    await settle();
    await started;
    assert.equal(own.state.queueMode, 'running');
  });

  it('fails a command when nobody takes over in time, and goes on looking', async () => {
    ownerDies();
    const failed = assert.rejects(roaming.startQueue(), { code: 'executor-unreachable' });
    await clock.advance(10_000);
    await failed;
    reachable = true;
    there = new FakeExecutor();
    await clock.advance(6_000);
    await roaming.startQueue();
    assert.equal(there.state.queueMode, 'running');
  });

  it('looks on when who was found is lost again at once', async () => {
    own = new FakeExecutor();
    const first = own;
    roaming.onDidReset(() => {
      if (roaming.place.kind !== 'here' || own !== first) return;
      own = new FakeExecutor();
      first.reset(emptyState(), { kind: 'nowhere' });
    });
    ownerDies();
    await clock.advance(6_000);
    await roaming.startQueue();
    assert.notEqual(own, first);
    assert.equal(own.state.queueMode, 'running');
  });

  it('tells the events of its present home alone', async () => {
    let told = 0;
    roaming.onDidAppend(() => (told += 1));
    const before = there;
    own = new FakeExecutor();
    ownerDies();
    await settle();
    before.append({ kind: 'queue.changed', mode: 'running', by: 'user' });
    own.append({ kind: 'queue.changed', mode: 'running', by: 'user' });
    assert.equal(told, 1);
  });

  it('lets go of an executor that is found after it was ended', async () => {
    let give = (_executor: FakeExecutor): void => {};
    const late = await RoamingExecutor.start({
      tryOwn: async () => undefined,
      connect: () => (reachable ? Promise.resolve(there) : new Promise((resolve) => (give = resolve))),
      clock,
      logger: silentLogger,
    });
    ownerDies();
    await settle();
    const found = new FakeExecutor();
    const ended = late.shutdown();
    give(found);
    await ended;
    assert.deepEqual([found.shutdowns, found.disposed], [1, true]);
  });

  it('ends the executor that is here when it is ended', async () => {
    own = new FakeExecutor();
    ownerDies();
    await settle();
    await roaming.shutdown();
    assert.deepEqual([own.shutdowns, own.disposed], [1, true]);
    await assert.rejects(roaming.startQueue(), { code: 'executor-unreachable' });
  });

  it('does not start when the user has something to mend', async () => {
    const damaged = new UserError('journal-corrupt', 'The journal is damaged.');
    const options = {
      tryOwn: () => Promise.reject(damaged),
      connect: () => Promise.reject(nobody),
      clock,
      logger: silentLogger,
    };
    await assert.rejects(RoamingExecutor.start(options), damaged);
  });

  it('waits at its start for an owner that is just starting, but not for ever', async () => {
    reachable = false;
    const starting = start();
    await clock.advance(500);
    reachable = true;
    await clock.advance(3_000);
    (await starting).dispose();

    reachable = false;
    const failing = assert.rejects(start(), nobody);
    await clock.advance(20_000);
    await failing;
  });
});

describe('take-over between processes', () => {
  interface Roamer {
    readonly child: ChildProcess;
    last: { place: { kind: string; pid?: number }; tasks: number };
  }
  let folder: string;
  let roamers: Roamer[];

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'airlock-roaming-'));
    roamers = [];
  });
  afterEach(async () => {
    for (const { child } of roamers) child.kill('SIGKILL');
    await until(() => roamers.every(({ child }) => child.exitCode !== null || child.signalCode !== null));
    await rm(folder, { recursive: true });
  });

  const begin = (): Roamer => {
    const child = spawn(process.execPath, ['--import', 'tsx', path.join(__dirname, 'roamingProcess.ts'), folder], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const roamer: Roamer = { child, last: { place: { kind: 'starting' }, tasks: 0 } };
    let rest = '';
    child.stdout.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) roamer.last = JSON.parse(line) as Roamer['last'];
    });
    roamers.push(roamer);
    return roamer;
  };

  it('leaves one owner and all others its clients, each time an owner is killed', async function () {
    // Three processes are compiled and started.
    this.timeout(90_000);
    let living = [begin(), begin(), begin()];
    while (living.length > 1) {
      await until(() => owners(living).length === 1 && followers(living).length === living.length - 1);
      const [owner] = owners(living);
      followers(living)[0]?.child.stdin?.write('A task\n');
      await until(() => living.every(({ last }) => last.tasks === 1));
      owner?.child.kill('SIGKILL');
      living = living.filter((roamer) => roamer !== owner);
      for (const roamer of living) roamer.last = { place: { kind: 'unknown' }, tasks: 0 };
    }
    await until(() => owners(living).length === 1);
  });

  function owners(living: readonly Roamer[]): Roamer[] {
    return living.filter(({ last }) => last.place.kind === 'here');
  }

  function followers(living: readonly Roamer[]): Roamer[] {
    const [owner] = owners(living);
    return living.filter(({ last }) => last.place.kind === 'elsewhere' && last.place.pid === owner?.child.pid);
  }
});
