import assert from 'node:assert/strict';
import { Emitter } from '../../../src/base/emitter';
import { UserError } from '../../../src/base/errors';
import { silentLogger } from '../../../src/base/logger';
import {
  SourceUnreachableError,
  type Offer,
  type Report,
  type ReportBody,
  type SourceHealth,
  type TaskSource,
} from '../../../src/core/source';
import type { ChangeAnswer, PendingAnswer, ZMemoryApi } from '../../../src/sources/zmemory/api';
import type { WireTaskState } from '../../../src/sources/zmemory/wire';
import { createZMemorySource } from '../../../src/sources/zmemory/zmemorySource';
import { FakeClock, settle } from '../../fakes/clock';

/** A server that answers what a test puts in, and keeps what it was told. */
class ScriptedApi implements ZMemoryApi {
  readonly changed = new Emitter<void>();
  readonly onDidChange = this.changed.event;
  readonly calls: unknown[][] = [];
  looks: (string | null)[] = [];
  answer: () => PendingAnswer | Promise<PendingAnswer> = () => ({ kind: 'tasks', entries: [], tag: 't1' });
  change: () => ChangeAnswer | Promise<ChangeAnswer> = () => ({ kind: 'done' });
  state: WireTaskState | undefined;

  async pending(agent: string, knownTag: string | null): Promise<PendingAnswer> {
    assert.equal(agent, 'airlock');
    this.looks.push(knownTag);
    return this.answer();
  }
  accept = (id: string, agent: string): Promise<ChangeAnswer> => this.told('accept', id, agent);
  setStatus = (id: string, body: unknown): Promise<ChangeAnswer> => this.told('status', id, body);
  complete = (id: string, body: unknown, options: unknown): Promise<ChangeAnswer> =>
    this.told('complete', id, body, options);
  fail = (id: string, body: unknown, options: unknown): Promise<ChangeAnswer> => this.told('fail', id, body, options);
  addArtifact = (id: string, body: unknown, options: unknown): Promise<ChangeAnswer> =>
    this.told('artifact', id, body, options);

  async stateOf(id: string): Promise<WireTaskState | undefined> {
    this.calls.push(['stateOf', id]);
    return this.state;
  }

  private async told(...call: unknown[]): Promise<ChangeAnswer> {
    this.calls.push(call);
    return this.change();
  }
}

const down = (retryAfterMs: number | null = null): never => {
  throw new SourceUnreachableError('It is down.', retryAfterMs);
};

describe('a ZMemory source', () => {
  let clock: FakeClock;
  let api: ScriptedApi;
  let source: TaskSource;
  let offers: Offer[];
  let healths: SourceHealth[];
  let takesOffers: boolean;

  beforeEach(() => {
    clock = new FakeClock();
    api = new ScriptedApi();
    offers = [];
    healths = [];
    takesOffers = true;
    source = createZMemorySource({
      id: 'zmemory:main',
      api,
      agent: 'airlock',
      resolveRepository: () => '/repo',
      clock,
      logger: silentLogger,
      random: () => 1,
    });
  });
  afterEach(() => {
    source.dispose();
    assert.equal(clock.pendingTimers, 0);
  });

  const start = async (): Promise<void> => {
    source.start({
      offer(offer) {
        if (!takesOffers) throw new UserError('disk-full', 'The disk is full.');
        offers.push(offer);
      },
      cancel() {},
      health: (health) => healths.push(health),
    });
    await clock.advance(0);
  };

  /** The times between the next looks. */
  const gapsOf = async (count: number): Promise<number[]> => {
    const gaps: number[] = [];
    let lastMs = clock.monotonicMs();
    while (gaps.length < count) {
      const looks = api.looks.length;
      while (api.looks.length === looks) await clock.advance(250);
      gaps.push(clock.monotonicMs() - lastMs);
      lastMs = clock.monotonicMs();
    }
    return gaps;
  };

  describe('looking', () => {
    it('looks at once and then every 30 seconds', async () => {
      await start();
      await clock.advance(29_999);
      assert.equal(api.looks.length, 1);
      await clock.advance(1);
      assert.equal(api.looks.length, 2);
      await clock.advance(60_000);
      assert.equal(api.looks.length, 4);
    });

    it('offers first and tells its health after that, once', async () => {
      api.answer = () => ({ kind: 'tasks', entries: [{ id: 'one', description: 'Fix it' }], tag: null });
      await start();
      await clock.advance(90_000);
      assert.deepEqual(healths, [{ kind: 'ok' }]);
      assert.equal(offers.length, 4);
      assert.equal(offers[0]?.tasks[0]?.externalId, 'one');
    });

    it('asks by the tag of the last answer, and offers nothing while nothing changed', async () => {
      api.answer = () =>
        api.looks.at(-1) === null ? { kind: 'tasks', entries: [], tag: 't1' } : { kind: 'unchanged' };
      await start();
      await clock.advance(60_000);
      assert.deepEqual(api.looks, [null, 't1', 't1']);
      assert.equal(offers.length, 1);
    });

    it('asks for everything again now and then, so that nothing stays lost', async () => {
      await start();
      await clock.advance(660_000);
      assert.deepEqual([api.looks[0], api.looks.filter((tag) => tag === null).length], [null, 2]);
    });

    it('asks for everything again when an offer could not be taken', async () => {
      takesOffers = false;
      await start();
      await clock.advance(30_000);
      takesOffers = true;
      await clock.advance(30_000);
      await clock.advance(30_000);
      assert.deepEqual(api.looks, [null, null, null, 't1']);
      assert.deepEqual([offers.length, healths], [2, [{ kind: 'ok' }]]);
    });

    it('looks at once for everything when it is refreshed', async () => {
      await start();
      await clock.advance(5_000);
      source.refresh();
      await clock.advance(0);
      assert.deepEqual(api.looks, [null, null]);
    });

    it('looks once more for a refresh during a look, and never twice at once', async () => {
      const answers: ((answer: PendingAnswer) => void)[] = [];
      api.answer = () => new Promise((resolve) => answers.push(resolve));
      await start();
      source.refresh();
      source.refresh();
      await clock.advance(1_000);
      assert.equal(answers.length, 1);
      answers[0]?.({ kind: 'tasks', entries: [], tag: 't1' });
      await settle();
      await clock.advance(0);
      assert.deepEqual(api.looks, [null, null]);
      answers[1]?.({ kind: 'tasks', entries: [], tag: 't1' });
      await clock.advance(10_000);
      assert.equal(answers.length, 2);
    });

    it('looks soon after an accept and after a report', async () => {
      await start();
      await source.accept('one');
      await clock.advance(2_000);
      assert.equal(api.looks.length, 2);
      await source.report(report('fail'), body, { isRepeat: false });
      await clock.advance(2_000);
      assert.equal(api.looks.length, 3);
    });

    it('looks soon again while something happens, and slowly comes back to its interval', async () => {
      await start();
      await source.accept('one');
      const gaps = await gapsOf(7);
      assert.deepEqual(gaps, [2_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
      api.answer = () => ({ kind: 'tasks', entries: [{ id: 'new', description: 'x' }], tag: 't2' });
      assert.deepEqual(await gapsOf(4), [30_000, 2_000, 4_000, 8_000]);
    });

    it('looks ever more seldom while nothing happens, up to a bound, and as ever after something did', async () => {
      await start();
      const gaps = await gapsOf(16);
      assert.deepEqual(
        gaps.slice(0, 10),
        Array.from({ length: 10 }, () => 30_000),
      );
      assert.deepEqual(gaps.slice(10), [45_000, 67_500, 101_250, 120_000, 120_000, 120_000]);
      await source.accept('one');
      assert.deepEqual(await gapsOf(2), [2_000, 2_000]);
    });

    it('looks at once when the machine wakes up, once', async () => {
      await start();
      clock.jump(3 * 3_600_000);
      await clock.advance(10_000);
      assert.equal(api.looks.length, 2);
      await clock.advance(20_000);
      assert.equal(api.looks.length, 2);
    });

    it('looks at once after a sleep that began while the server was down, unless it asked to be left alone', async () => {
      api.answer = down;
      await start();
      await clock.advance(600_000);
      const before = api.looks.length;
      clock.jump(3_600_000);
      api.answer = () => down(60_000);
      await clock.advance(10_000);
      assert.equal(api.looks.length, before + 1);
      clock.jump(3_600_000);
      await clock.advance(10_000);
      assert.equal(api.looks.length, before + 1);
    });

    it('does not take a clock that is set back for a sleep', async () => {
      await start();
      clock.jump(-3_600_000);
      await clock.advance(29_000);
      assert.equal(api.looks.length, 1);
    });

    it('looks at once when the server tells of something new', async () => {
      await start();
      api.changed.fire();
      await clock.advance(0);
      assert.equal(api.looks.length, 2);
    });

    it('stops when it is disposed of, in the middle of a look too', async () => {
      let give: (answer: PendingAnswer) => void = () => {};
      api.answer = () => new Promise((resolve) => (give = resolve));
      await start();
      source.dispose();
      give({ kind: 'tasks', entries: [{ id: 'one', description: 'x' }], tag: null });
      api.changed.fire();
      await clock.advance(100_000);
      assert.deepEqual([api.looks.length, offers, healths], [1, [], []]);
    });
  });

  describe('while the server is down', () => {
    it('says so once, backs off, and says when it is back', async () => {
      api.answer = down;
      await start();
      await clock.advance(3_600_000);
      // At 0, 2, 6, 14, 30, 62, 126, 254 and 510 seconds, and then every 5 minutes.
      assert.equal(api.looks.length, 9 + 10);
      api.answer = () => ({ kind: 'tasks', entries: [], tag: null });
      await clock.advance(300_000);
      assert.deepEqual(healths, [{ kind: 'down', message: 'It is down.' }, { kind: 'ok' }]);
    });

    it('does not call one lost answer an outage', async () => {
      await start();
      api.answer = down;
      await clock.advance(30_000);
      api.answer = () => ({ kind: 'tasks', entries: [], tag: null });
      await clock.advance(2_000);
      assert.deepEqual(healths, [{ kind: 'ok' }]);
      assert.equal(api.looks.length, 3);
    });

    it('leaves it alone for as long as it asks, unless a person wants to know', async () => {
      api.answer = () => down(120_000);
      await start();
      await source.accept('one');
      await clock.advance(119_999);
      assert.equal(api.looks.length, 1);
      await clock.advance(1);
      assert.equal(api.looks.length, 2);
      source.refresh();
      await clock.advance(0);
      assert.equal(api.looks.length, 3);
    });

    it('tells of another kind of trouble, at once', async () => {
      await start();
      api.answer = () => {
        throw new UserError('source-key-refused', 'The token is refused.');
      };
      await clock.advance(30_000);
      api.answer = down;
      await clock.advance(10_000);
      assert.deepEqual(healths, [
        { kind: 'ok' },
        { kind: 'down', message: 'The token is refused.' },
        { kind: 'down', message: 'It is down.' },
      ]);
    });
  });

  describe('accepting', () => {
    it('says whether it got the task', async () => {
      assert.deepEqual(await source.accept('one', { isRepeat: false }), { kind: 'accepted' });
      api.change = () => ({ kind: 'refused', reason: 'taken' });
      assert.deepEqual(await source.accept('one', { isRepeat: false }), { kind: 'unavailable', reason: 'taken' });
      assert.deepEqual(api.calls, [
        ['accept', 'one', 'airlock'],
        ['accept', 'one', 'airlock'],
      ]);
    });

    it('counts a task as accepted that is ours there after an accept without an answer', async () => {
      api.change = () => down();
      await assert.rejects(source.accept('one', { isRepeat: false }), SourceUnreachableError);
      api.change = () => ({ kind: 'refused', reason: 'not pending' });
      api.state = { id: 'one', status: 'in_progress', agent: 'airlock' };
      assert.deepEqual(await source.accept('one', { isRepeat: false }), { kind: 'accepted' });
      // Its fate is known now: the next one with our name is somebody else's.
      assert.equal((await source.accept('one', { isRepeat: false })).kind, 'unavailable');
    });

    it('takes back after a restart what it may have accepted before', async () => {
      api.change = () => ({ kind: 'refused', reason: 'not pending' });
      api.state = { id: 'one', status: 'accepted', agent: 'airlock' };
      assert.deepEqual(await source.accept('one', { isRepeat: true }), { kind: 'accepted' });
      assert.deepEqual(await source.accept('one'), { kind: 'accepted' });
    });

    for (const state of [
      { id: 'one', status: 'accepted', agent: 'other' },
      { id: 'one', status: 'completed', agent: 'airlock' },
      { id: 'one', status: 'accepted' },
      undefined,
    ]) {
      it(`does not take what is ${JSON.stringify(state)} for its own`, async () => {
        api.change = () => ({ kind: 'refused', reason: 'not pending' });
        api.state = state;
        assert.deepEqual(await source.accept('one', { isRepeat: true }), {
          kind: 'unavailable',
          reason: 'not pending',
        });
      });
    }
  });

  it('tells progress as whole percents in bounds, and takes a refusal calmly', async () => {
    api.change = () => ({ kind: 'refused', reason: 'no' });
    await source.progress('one', 41.6, 'compiling');
    await source.progress('one', 130, '');
    await source.progress('one', null, '');
    assert.deepEqual(api.calls, [
      ['status', 'one', { status: 'in_progress', progress: 42 }],
      ['status', 'one', { status: 'in_progress', progress: 100 }],
      ['status', 'one', { status: 'in_progress' }],
    ]);
  });

  describe('reporting', () => {
    // The server has just said that it is ours.
    beforeEach(async () => {
      await source.accept('one', { isRepeat: false });
      api.calls.splice(0);
    });

    it('tells a completion as the wire has it', async () => {
      await source.report(report('complete'), body, { isRepeat: false });
      assert.deepEqual(api.calls, [
        [
          'complete',
          'one',
          {
            result: {
              response: 'All done. Verdict: verified.',
              usage: { input_tokens: 10, output_tokens: 5, total_tokens: 15 },
              model: 'scripted-1',
              execution_time_seconds: 12.5,
              artifacts: [],
              execution_mode: 'airlock',
            },
            completed_at: '2026-01-05T12:00:00.000Z',
          },
          { idempotencyKey: 'report-1' },
        ],
      ]);
    });

    it('hands over an artifact under a key of its own, and names it in the report', async () => {
      const taken = await source.attach?.(report('complete'), { kind: 'patch', name: 'a.patch', content: 'diff' });
      await source.report(report('complete'), body, { isRepeat: false, attached: ['a.patch'] });
      assert.equal(taken, true);
      assert.deepEqual(api.calls[0], [
        'artifact',
        'one',
        { name: 'a.patch', content: 'diff' },
        { idempotencyKey: 'report-1/a.patch' },
      ]);
      assert.match(JSON.stringify(api.calls[1]), /"artifacts":\[\{"name":"a.patch"\}\]/);
    });

    it('tells no outcome a second time when it hears what came to it later', async () => {
      await source.report({ ...report('complete'), amends: true }, body, { isRepeat: true });
      assert.deepEqual(api.calls, []);
    });

    it('has no artifact where the server knows none, and tries again where it may be better later', async () => {
      const artifact = { kind: 'patch', name: 'a.patch', content: 'diff' } as const;
      api.change = () => ({ kind: 'refused', reason: 'it answers 404' });
      assert.equal(await source.attach?.(report('complete'), artifact), false);
      api.change = () => {
        throw new UserError('source-request-refused', 'It answers 413.');
      };
      assert.equal(await source.attach?.(report('complete'), artifact), false);
      api.change = () => down();
      await assert.rejects(async () => source.attach?.(report('complete'), artifact), SourceUnreachableError);
    });

    it('tells a failure with its reason', async () => {
      await source.report(report('fail'), { ...body, error: 'a check fails' }, { isRepeat: false });
      assert.deepEqual(api.calls, [
        [
          'fail',
          'one',
          { error: 'a check fails', failed_at: '2026-01-05T12:00:00.000Z' },
          { idempotencyKey: 'report-1' },
        ],
      ]);
    });

    it('reads the state before a repeat, and tells nothing that is so already', async () => {
      api.state = { id: 'one', status: 'completed' };
      await source.report(report('complete'), body, { isRepeat: true });
      assert.deepEqual(api.calls, [['stateOf', 'one']]);
    });

    it('tells it again when it is not so yet, or the server cannot say', async () => {
      for (const state of [{ id: 'one', status: 'in_progress' }, undefined]) {
        await source.accept('one');
        api.calls.length = 0;
        api.state = state;
        await source.report(report('fail'), body, { isRepeat: true });
        assert.deepEqual(
          api.calls.map(([name]) => name),
          ['stateOf', 'fail'],
        );
      }
    });

    it('counts a refusal as done when it is so already', async () => {
      api.change = () => ({ kind: 'refused', reason: 'it is failed' });
      api.state = { id: 'one', status: 'failed' };
      await source.report(report('fail'), body, { isRepeat: false });
    });

    it('gives up when the server refuses, or has it otherwise', async () => {
      api.change = () => ({ kind: 'refused', reason: 'there is no such task' });
      await assert.rejects(source.report(report('fail'), body, { isRepeat: false }), { code: 'source-report-refused' });
      api.state = { id: 'one', status: 'completed' };
      await assert.rejects(source.report(report('fail'), body, { isRepeat: true }), { code: 'source-report-conflict' });
    });

    it('leaves it to be tried again when the server is down', async () => {
      api.change = () => down(5_000);
      await assert.rejects(source.report(report('fail'), body, { isRepeat: false }), (error) => {
        assert.ok(error instanceof SourceUnreachableError && error.retryAfterMs === 5_000);
        return true;
      });
    });
  });

  it('does nothing before it is started', async () => {
    source.refresh();
    api.changed.fire();
    await settle();
    assert.deepEqual(api.looks, []);
  });
});

const body: ReportBody = {
  outcome: 'verified',
  response: 'All done. Verdict: verified.',
  error: '',
  model: 'scripted-1',
  inputTokens: 10,
  outputTokens: 5,
  executionSeconds: 12.5,
  branch: 'airlock/task-1-1',
  commit: 'a'.repeat(40),
  endedAtMs: Date.UTC(2026, 0, 5, 12),
};

function report(kind: Report['kind']): Report {
  return {
    reportId: 'report-1',
    taskId: 'task-1',
    sourceId: 'zmemory:main',
    externalId: 'one',
    kind,
    body: 'd'.repeat(64),
  };
}
