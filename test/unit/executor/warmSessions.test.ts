import assert from 'node:assert/strict';
import { Emitter } from '../../../src/base/emitter';
import { UserError } from '../../../src/base/errors';
import { silentLogger } from '../../../src/base/logger';
import { implementer } from '../../../src/core/builtInPersonas';
import type { StorageRoom } from '../../../src/core/storageRoom';
import type { SessionEnd } from '../../../src/executor/runSession';
import { minFreeBytes, WarmSessions } from '../../../src/executor/warmSessions';
import type { WarmMaker, WarmStart, WarmWish } from '../../../src/executor/warmStart';
import { FakeClock, settle } from '../../fakes/clock';

const minuteMs = 60_000;
const wish: WarmWish = { repo: '/shop', persona: implementer, wallMs: 45 * minuteMs };

/** Makes what waits of nothing, and writes down what is done with it. */
class PaperMaker implements WarmMaker {
  readonly made: string[] = [];
  readonly discarded: (readonly [string, string])[] = [];
  readonly ends = new Map<string, (end: SessionEnd) => void>();
  doubts: Record<string, string | Error> = {};
  failNext: Error | undefined;
  hold: Promise<void> = Promise.resolve();

  async prepare(wanted: WarmWish): Promise<WarmStart> {
    await this.hold;
    const failure = this.failNext;
    this.failNext = undefined;
    if (failure) throw failure;
    const runId = `run-${this.made.length + 1}`;
    this.made.push(`${runId} ${wanted.repo}`);
    const ended = new Promise<SessionEnd>((resolve) => this.ends.set(runId, resolve));
    // Only what the pool itself looks at.
    return { runId, wish: wanted, ended } as unknown as WarmStart;
  }

  async doubt({ runId }: WarmStart): Promise<string | undefined> {
    const doubt = this.doubts[runId];
    if (doubt instanceof Error) throw doubt;
    return doubt;
  }

  async discard({ runId }: WarmStart, reason: string): Promise<void> {
    this.discarded.push([runId, reason]);
  }
}

describe('the sessions that are prepared ahead', () => {
  let clock: FakeClock;
  let maker: PaperMaker;
  let freeBytes: number;
  let isBusy: boolean;
  let room: { shortage: UserError | undefined } & Pick<StorageRoom, 'onDidChange' | 'look'>;
  let roomChanges: Emitter<void>;
  let warm: WarmSessions;

  const pool = (settings = { warmSessions: 1, concurrency: 2 }): WarmSessions =>
    new WarmSessions({ clock, logger: silentLogger, room }, settings, maker, {
      freeBytes: () => freeBytes,
      isBusy: () => isBusy,
    });
  const expectAll = async (...wishes: WarmWish[]): Promise<void> => {
    for (const each of wishes) warm.expect(each);
    await settle();
  };

  beforeEach(() => {
    clock = new FakeClock();
    maker = new PaperMaker();
    freeBytes = 8 * 1024 ** 3;
    isBusy = false;
    roomChanges = new Emitter();
    room = { shortage: undefined, onDidChange: roomChanges.event, look: () => Promise.resolve(undefined) };
    warm = pool();
  });

  afterEach(() => warm.shutdown());

  it('are given once, to who wants the very same', async () => {
    await expectAll(wish);
    assert.equal((await warm.claim(wish))?.runId, 'run-1');
    assert.equal(await warm.claim(wish), undefined);
    assert.deepEqual(maker.discarded, []);
  });

  it('are given to one of two who ask at the same moment', async () => {
    await expectAll(wish);
    const claims = await Promise.all([warm.claim(wish), warm.claim(wish)]);
    assert.deepEqual(
      claims.map((claim) => claim?.runId),
      ['run-1', undefined],
    );
  });

  for (const [what, other] of Object.entries<WarmWish>({
    'another repository': { ...wish, repo: '/other' },
    'another base': { ...wish, base: 'a'.repeat(40) },
    'another persona': { ...wish, persona: { ...implementer, prompt: 'You do something else.' } },
    'another network': { ...wish, persona: { ...implementer, network: { kind: 'allowlist', domains: ['a.org'] } } },
    'other limits': { ...wish, persona: { ...implementer, jailLimits: { ...implementer.jailLimits, processes: 9 } } },
    'another time': { ...wish, wallMs: 5 * minuteMs },
  })) {
    it(`stay for others when a task wants ${what}`, async () => {
      await expectAll(wish);
      assert.equal(await warm.claim(other), undefined);
      assert.equal((await warm.claim(wish))?.runId, 'run-1');
    });
  }

  it('are thrown away at any doubt, and when they cannot be looked at', async () => {
    warm = pool({ warmSessions: 2, concurrency: 2 });
    await expectAll(wish);
    await expectAll(wish);
    maker.doubts = { 'run-1': 'value.txt is not as it was checked out', 'run-2': new Error('no git') };
    assert.equal(await warm.claim(wish), undefined);
    assert.deepEqual(maker.discarded, [
      ['run-1', 'value.txt is not as it was checked out'],
      ['run-2', 'no git'],
    ]);
  });

  it('are not more for a repository than the setting says', async () => {
    await expectAll(wish, wish, wish);
    await expectAll(wish);
    assert.deepEqual(maker.made, ['run-1 /shop']);
  });

  it('give way to what is more likely to be wanted next', async () => {
    await expectAll(wish);
    await expectAll({ ...wish, wallMs: 60 * minuteMs });
    assert.deepEqual(maker.discarded, [['run-1', 'another one is more likely to be wanted']]);
    assert.equal((await warm.claim({ ...wish, wallMs: 60 * minuteMs }))?.runId, 'run-2');
  });

  it('are altogether no more than there are slots', async () => {
    await expectAll(wish);
    await expectAll({ ...wish, repo: '/b' });
    await expectAll({ ...wish, repo: '/c' });
    assert.deepEqual(maker.discarded, [['run-1', 'there are as many as there are slots']]);
    assert.equal(warm.size, 2);
  });

  it('are prepared one at a time, of a repository only what was wanted last', async () => {
    let begin = (): void => {};
    maker.hold = new Promise((resolve) => (begin = resolve));
    await expectAll({ ...wish, repo: '/a' }, { ...wish, wallMs: minuteMs }, wish);
    begin();
    await settle();
    assert.deepEqual(maker.made, ['run-1 /a', 'run-2 /shop']);
    assert.equal((await warm.claim(wish))?.runId, 'run-2');
  });

  it('are none when the setting says so, when the machine is busy, memory is short or the disk is full', async () => {
    warm = pool({ warmSessions: 0, concurrency: 2 });
    await expectAll(wish);
    warm = pool();
    isBusy = true;
    await expectAll(wish);
    isBusy = false;
    freeBytes = minFreeBytes - 1;
    await expectAll(wish);
    freeBytes = minFreeBytes;
    room.shortage = new UserError('disk-full', 'The disk is full.');
    await expectAll(wish);
    assert.deepEqual(maker.made, []);
  });

  it('go when memory becomes short, when the disk becomes full and when their session ends', async () => {
    await expectAll(wish);
    freeBytes = minFreeBytes - 1;
    await clock.advance(10_000);
    freeBytes = minFreeBytes;
    await expectAll(wish);
    room.shortage = new UserError('disk-full', 'The disk is full.');
    roomChanges.fire();
    room.shortage = undefined;
    await expectAll(wish);
    maker.ends.get('run-3')?.({ reason: 'The jail ended by itself.', breach: null });
    await settle();
    assert.deepEqual(maker.discarded, [
      ['run-1', 'memory is short'],
      ['run-2', 'the disk is full'],
      ['run-3', 'its session ended: The jail ended by itself.'],
    ]);
    assert.equal(warm.size, 0);
  });

  it('go when they have waited too long, also while the machine slept, and sooner when they have little time', async () => {
    await expectAll(wish);
    await clock.advance(22 * minuteMs);
    assert.equal(warm.size, 1);
    await clock.advance(minuteMs);
    await expectAll(wish);
    clock.jump(23 * minuteMs);
    assert.equal(await warm.claim(wish), undefined);
    const short = { ...wish, wallMs: 2 * minuteMs };
    await expectAll(short);
    await clock.advance(minuteMs);
    assert.deepEqual(maker.discarded, [
      ['run-1', 'it waited too long'],
      ['run-2', 'it waited too long'],
      ['run-3', 'it waited too long'],
    ]);
  });

  it('are missed by nobody when one cannot be prepared', async () => {
    maker.failNext = new UserError('no-commit', 'There is no commit.');
    await expectAll(wish);
    assert.equal(await warm.claim(wish), undefined);
    await expectAll(wish);
    assert.equal((await warm.claim(wish))?.runId, 'run-1');
  });

  it('are all ended with the executor, and nothing is prepared or given any more', async () => {
    await expectAll(wish);
    await warm.shutdown();
    await expectAll(wish);
    assert.deepEqual(maker.discarded, [['run-1', 'Airlock is shutting down']]);
    assert.equal(await warm.claim(wish), undefined);
    assert.equal(clock.pendingTimers, 0);
  });
});
