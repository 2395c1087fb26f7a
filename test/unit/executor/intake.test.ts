import assert from 'node:assert/strict';
import { silentLogger } from '../../../src/base/logger';
import type { OfferedTask, SourceListener, TaskSource } from '../../../src/core/source';
import { maxPromptBytes } from '../../../src/core/task';
import { Intake } from '../../../src/executor/intake';
import { readinessOf } from '../../../src/executor/taskOrder';
import type { ExecutorPorts } from '../../../src/executor/ports';
import { FakeClock, settle } from '../../fakes/clock';
import { enoughRoom, MemoryBlobs, MemoryLog } from '../../fakes/memoryLog';

function offered(externalId: string): OfferedTask {
  return { externalId, task: { title: externalId, prompt: 'Do it.' } };
}

describe('the intake', () => {
  let log: MemoryLog;
  let intake: Intake;
  let listener: SourceListener;

  beforeEach(() => {
    const clock = new FakeClock();
    log = new MemoryLog(clock);
    const source: Partial<TaskSource> = { id: 'z', start: (given) => (listener = given) };
    const ports: Partial<ExecutorPorts> = {
      events: log,
      room: enoughRoom,
      blobs: new MemoryBlobs(),
      sources: [source as TaskSource],
      clock,
      logger: silentLogger,
    };
    intake = new Intake(ports as ExecutorPorts);
    intake.start();
  });

  async function offer(...externalIds: string[]): Promise<void> {
    listener.offer({ tasks: externalIds.map(offered), complete: true, problems: [] });
    await settle();
  }

  function states(): string[] {
    return [...log.state.tasks.values()].map((task) => `${task.id} ${task.status}${task.accepted ? ' accepted' : ''}`);
  }

  it('takes a task once, however often it is offered', async () => {
    await Promise.all([offer('a', 'b'), offer('a', 'b')]);
    await offer('a', 'b');
    assert.deepEqual(states(), ['a queued', 'b queued']);
  });

  it('takes a user’s own task as accepted, and each time as a new one', async () => {
    const ids = await Promise.all([intake.add({ title: 't', prompt: 'p' }), intake.add({ title: 't', prompt: 'p' })]);
    assert.equal(new Set(ids).size, 2);
    assert.deepEqual(
      states(),
      ids.map((id) => `${id} queued accepted`),
    );
  });

  it('answers the task that is there when the same origin is added again', async () => {
    const origin = { sourceId: 'z', externalId: 'a' };
    const [first, second] = await Promise.all([
      intake.add({ title: 't', prompt: 'p', origin }),
      intake.add({ title: 't', prompt: 'p', origin }),
    ]);
    assert.equal(first, second);
  });

  it('ends a task that its source takes back before it was accepted, and goes on with it when it is offered again', async () => {
    await offer('a', 'b');
    await offer('b');
    assert.deepEqual(states(), ['a cancelled', 'b queued']);
    await offer('a', 'b');
    assert.deepEqual(states(), ['a queued', 'b queued']);
  });

  it('does not end what it has accepted when the source stops listing it', async () => {
    await offer('a');
    await log.append([{ kind: 'task.accepting', taskId: 'a' }]);
    await log.append([{ kind: 'task.accepted', taskId: 'a' }]);
    await offer();
    assert.deepEqual(states(), ['a queued accepted']);
  });

  it('keeps the reason with a task that can never be worked on', async () => {
    listener.offer({
      tasks: [],
      rejected: [{ externalId: 'big', title: 'Big', reason: 'too long' }],
      complete: true,
      problems: [],
    });
    await settle();
    assert.equal(log.state.tasks.get('big')?.spec.refusal, 'too long');
  });

  it('refuses a prompt that no model could read, and says what to do', async () => {
    await assert.rejects(intake.add({ title: 't', prompt: 'x'.repeat(maxPromptBytes + 1) }), {
      code: 'task-too-large',
    });
    await assert.rejects(intake.add({ title: '', prompt: 'x' }), { code: 'task-invalid' });
    await assert.rejects(intake.add({ title: 't', prompt: 'x', dependsOn: ['nobody'] }), {
      code: 'unknown-dependency',
    });
    assert.deepEqual(log.kinds, []);
  });

  it('gives two tasks with the same id at two sources two ids', async () => {
    await offer('a');
    const id = await intake.add({ title: 't', prompt: 'p', origin: { sourceId: 'other', externalId: 'a' } });
    assert.notEqual(id, 'a');
    assert.equal(log.state.tasks.size, 2);
  });

  const links = (id: string): unknown => {
    const spec = log.state.tasks.get(id)?.spec;
    return { dependsOn: spec?.dependsOn, missing: spec?.dependsOnMissing ?? [] };
  };
  const dependent = (externalId: string, ...dependsOnExternal: string[]): OfferedTask => ({
    ...offered(externalId),
    dependsOnExternal,
  });
  const offerSome = async (...tasks: OfferedTask[]): Promise<void> => {
    listener.offer({ tasks, complete: false, problems: [] });
    await settle();
  };

  it('remembers what a task depends on that is not offered yet, and links it when it is', async () => {
    await offerSome(dependent('last', 'x', 'y', 'never'));
    assert.deepEqual(links('last'), { dependsOn: [], missing: ['x', 'y', 'never'] });
    await offerSome(offered('x'), offered('y'));
    assert.deepEqual(links('last'), { dependsOn: ['x', 'y'], missing: ['never'] });
  });

  it('links it after a restart too', async () => {
    await offerSome(dependent('last', 'x'));
    const source: Partial<TaskSource> = { id: 'z', start: (given) => (listener = given) };
    const ports = { events: log, room: enoughRoom, blobs: new MemoryBlobs(), sources: [source], logger: silentLogger };
    new Intake(ports as unknown as ExecutorPorts).start();
    await offerSome(offered('x'));
    assert.deepEqual(links('last'), { dependsOn: ['x'], missing: [] });
  });

  it('begins with a source once, be it lent while the executor starts or later', () => {
    const begun: string[] = [];
    const sourceOf = (id: string): TaskSource => ({ id, start: () => begun.push(id) }) as unknown as TaskSource;
    const [own, early, late] = ['own', 'early', 'late'].map(sourceOf);
    assert.ok(own && early && late);
    const sources = [own];
    const ports = { events: log, sources, logger: silentLogger };
    const starting = new Intake(ports as unknown as ExecutorPorts);
    sources.push(early);
    starting.begin(early);
    starting.start();
    sources.push(late);
    starting.begin(late);
    assert.deepEqual(begun, ['own', 'early', 'late']);
  });

  it('links a ring as it is, for the order to find', async () => {
    await offerSome(dependent('a', 'b'), dependent('b', 'c'), dependent('c', 'a'));
    assert.deepEqual(
      ['a', 'b', 'c'].map(links),
      ['b', 'c', 'a'].map((id) => ({ dependsOn: [id], missing: [] })),
    );
    const task = log.state.tasks.get('a');
    assert.ok(task);
    assert.deepEqual(readinessOf(log.state, task, 0), {
      kind: 'blocked',
      reason: 'It depends on itself: “a” → “b” → “c” → “a”.',
    });
  });

  it('takes an offer in with one group of events, and none of a group that could not be kept', async () => {
    const groups: number[] = [];
    log.onDidAppend((events) => groups.push(events.length));
    log.failNext = new Error('no');
    await offerSome(offered('a'), offered('b'));
    await offerSome(offered('a'), offered('b'));
    assert.deepEqual([groups, states()], [[2], ['a queued', 'b queued']]);
  });
});
