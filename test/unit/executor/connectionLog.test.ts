import assert from 'node:assert/strict';
import { silentLogger } from '../../../src/base/logger';
import type { EgressConnection } from '../../../src/core/jail';
import { ConnectionLog } from '../../../src/executor/connectionLog';
import { FakeClock } from '../../fakes/clock';
import { MemoryLog } from '../../fakes/memoryLog';

describe('the connections of a run', () => {
  let log: ConnectionLog;
  let events: MemoryLog;
  let refused: string[];

  beforeEach(() => {
    refused = [];
    events = new MemoryLog(new FakeClock());
    log = new ConnectionLog({ events, logger: silentLogger }, 'run-1', (text) => refused.push(text));
  });

  /** What is kept by now, without what every event has. */
  const told = async (): Promise<{ host: string; port: number; outcome: string; reason: string; count: number }[]> => {
    await events.append([]);
    return events.events.flatMap((event) => {
      if (event.kind !== 'run.connected') return [];
      const { host, port, outcome, reason, count } = event;
      return [{ host, port, outcome, reason, count }];
    });
  };

  const allowed = (host: string): EgressConnection => ({ kind: 'allowed', host, port: 443, address: '192.0.2.1' });
  const refusal = (host: string): EgressConnection => ({ kind: 'refused', host, port: 443, reason: 'no' });

  it('are told once, and then ever more rarely', async () => {
    for (let time = 0; time < 2_500; time += 1) log.record('session', allowed('a.org'));
    assert.deepEqual(
      await told(),
      [1, 10, 100, 1000].map((count) => ({ host: 'a.org', port: 443, outcome: 'allowed', reason: '', count })),
    );
    assert.deepEqual(refused, []);
  });

  it('that were refused are told in words, each host once, with nothing hidden in its name', () => {
    for (const host of ['a.org', 'a.org', 'b\u202e.org']) log.record('session', refusal(host));
    assert.deepEqual(refused, ['a.org:443 was not reached: no.', 'b<U+202E>.org:443 was not reached: no.']);
  });

  it('of a session and of a check are told apart', async () => {
    log.record('session', allowed('a.org'));
    log.record('check', allowed('a.org'));
    assert.deepEqual(
      (await told()).map(({ count }) => count),
      [1, 1],
    );
  });

  it('to very many hosts are told together past the hundredth, those that were let through apart', async () => {
    for (let host = 0; host < 5_000; host += 1) log.record('session', refusal(`h${host}.org`));
    log.record('session', allowed('a.org'));
    const all = await told();
    assert.equal(all.length, 100 + 4 + 1);
    assert.deepEqual(all.slice(-2), [
      { host: '*', port: 0, outcome: 'refused', reason: 'no', count: 1000 },
      { host: 'a.org', port: 443, outcome: 'allowed', reason: '', count: 1 },
    ]);
    assert.equal(refused.length, 101);
  });
});
