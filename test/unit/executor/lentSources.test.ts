import assert from 'node:assert/strict';
import { silentLogger } from '../../../src/base/logger';
import type { TaskState } from '../../../src/core/liveState';
import type { TaskSource } from '../../../src/core/source';
import { LentSources } from '../../../src/executor/lentSources';
import { FakeClock } from '../../fakes/clock';
import { MemoryLog } from '../../fakes/memoryLog';

/** A source that only says what became of it. */
class LivingSource implements TaskSource {
  state = 'new';
  constructor(readonly id: string) {}
  start(): void {}
  refresh(): void {}
  accept(): Promise<{ kind: 'accepted' }> {
    return Promise.resolve({ kind: 'accepted' });
  }
  async progress(): Promise<void> {}
  async report(): Promise<void> {}
  dispose(): void {
    this.state = 'disposed';
  }
}

describe('sources that are lent', () => {
  let log: MemoryLog;
  let own: LivingSource;
  let sources: TaskSource[];
  let lent: LentSources;

  beforeEach(() => {
    log = new MemoryLog(new FakeClock());
    own = new LivingSource('own');
    sources = [own];
    const begin = (source: TaskSource): void => void ((source as LivingSource).state = 'begun');
    lent = new LentSources({ events: log, logger: silentLogger }, sources, { begin });
  });

  const ids = (): string[] => sources.map(({ id }) => id);
  const settled = () => new Promise((resolve) => setImmediate(resolve));

  it('are followed until they are given back', async () => {
    const source = new LivingSource('a');
    const loan = await lent.lend([source]);
    assert.deepEqual([ids(), source.state, [...log.state.sources.keys()]], [['own', 'a'], 'begun', ['a']]);
    loan.dispose();
    loan.dispose();
    await settled();
    assert.deepEqual([ids(), source.state, [...log.state.sources.keys()]], [['own'], 'disposed', []]);
  });

  it('are followed once, until the last of those who lend the same has gone', async () => {
    const [first, second] = [new LivingSource('a'), new LivingSource('a')];
    const loans = [await lent.lend([first, new LivingSource('a')]), await lent.lend([second])];
    assert.deepEqual([ids(), first.state, second.state], [['own', 'a'], 'begun', 'disposed']);
    loans[0]?.dispose();
    assert.deepEqual([ids(), first.state], [['own', 'a'], 'begun']);
    loans[1]?.dispose();
    assert.deepEqual([ids(), first.state], [['own'], 'disposed']);
  });

  it('leave those of the executor alone', async () => {
    const same = new LivingSource('own');
    const loan = await lent.lend([same]);
    loan.dispose();
    await settled();
    assert.deepEqual([ids(), own.state, same.state, log.kinds], [['own'], 'new', 'disposed', []]);
  });

  it('are not followed when that cannot be kept', async () => {
    const source = new LivingSource('a');
    log.append = () => Promise.reject(new Error('disk full'));
    await assert.rejects(lent.lend([source]), /disk full/);
    assert.deepEqual([ids(), source.state], [['own'], 'disposed']);
  });

  it('let tasks go on that waited for them', async () => {
    const waiting = { id: 't', status: 'waiting', waitingOn: 'user', accepted: false };
    const task = { ...waiting, spec: { origin: { sourceId: 'a', externalId: 'x' } } };
    log.state.tasks.set('t', task as unknown as TaskState);
    await lent.lend([new LivingSource('a')]);
    assert.deepEqual(log.kinds, ['source.added', 'task.requeued']);
  });

  it('are no event any more, and not followed, when the executor ends', async () => {
    const loan = await lent.lend([new LivingSource('a')]);
    lent.dispose();
    loan.dispose();
    const late = new LivingSource('b');
    (await lent.lend([late])).dispose();
    await settled();
    assert.deepEqual([log.kinds, late.state, ids()], [['source.added'], 'disposed', ['own']]);
  });
});
