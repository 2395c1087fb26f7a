import assert from 'node:assert/strict';
import { silentLogger } from '../../../src/base/logger';
import { approvalEffectSchema, type ApprovalMode } from '../../../src/core/approval';
import { ApprovalGate } from '../../../src/executor/approvalGate';
import { Approvals } from '../../../src/executor/approvals';
import type { WantedCall } from '../../../src/executor/approvalEffect';
import { FakeClock, settle } from '../../fakes/clock';
import { MemoryBlobs, MemoryLog } from '../../fakes/memoryLog';
import { queued, runStarted } from '../core/sampleEvents';

describe('an agent that must ask before it acts', () => {
  let clock: FakeClock;
  let log: MemoryLog;
  let blobs: MemoryBlobs;
  let desk: Approvals;
  let ending: AbortController;
  let isWorking: boolean;
  const files = new Map<string, string>();

  beforeEach(async () => {
    clock = new FakeClock();
    log = new MemoryLog(clock);
    blobs = new MemoryBlobs();
    ending = new AbortController();
    isWorking = true;
    files.clear();
    const ports = { events: log, blobs, clock, logger: silentLogger };
    desk = new Approvals(ports, { isWorking: () => isWorking });
    await log.append([queued('task-1'), runStarted('run-1', 'task-1')]);
    desk.start();
  });
  afterEach(() => {
    desk.dispose();
    assert.equal(clock.pendingTimers, 0);
  });

  function gate(mode: ApprovalMode = 'ask', timeoutMs: number | null = 600_000): ApprovalGate {
    return new ApprovalGate(
      { events: log, blobs, clock, logger: silentLogger },
      {
        runId: 'run-1',
        signal: ending.signal,
        approvals: { mode, timeoutMs, holdMs: 60_000 },
        session: {
          note: () => {},
          files: {
            read: (path) => {
              const bytes = files.get(path);
              if (bytes === undefined) return Promise.reject(new Error('there is none'));
              return Promise.resolve({ bytes: Buffer.from(bytes), size: bytes.length });
            },
          },
        },
      },
    );
  }

  const bash = (command: unknown, callId = '1/a'): WantedCall => ({
    callId,
    name: 'bash',
    tool: 'bash',
    input: { command },
    summary: `$ ${String(command)}`,
  });
  const task = () => log.state.tasks.get('task-1') ?? assert.fail('no task');
  const approval = () => log.state.runs.get('run-1')?.approval ?? assert.fail('nothing is asked');
  const effect = async (): Promise<string> =>
    approvalEffectSchema.parse(JSON.parse(Buffer.from((await blobs.get(approval().effect)) ?? '').toString())).text;

  it('waits for the user where it is, and goes on with a yes', async () => {
    const answer = gate().denialOf(bash('make'));
    await settle();
    assert.deepEqual(
      [task().status, task().waitingOn, task().reason, approval().answer],
      ['waiting', 'user', 'The agent asks to be allowed: $ make', null],
    );
    await desk.decide('task-1', { callId: '1/a', allow: true });
    assert.equal(await answer, undefined);
    assert.deepEqual([task().status, approval().answer], ['running', { allowed: true, by: 'user', reason: '' }]);
    assert.deepEqual(log.kinds.slice(-4), ['approval.asked', 'task.waiting', 'approval.answered', 'task.resumed']);
  });

  it('is told a no with its reason, and does nothing', async () => {
    const answer = gate().denialOf(bash('make'));
    await settle();
    await desk.decide('task-1', { callId: '1/a', allow: false, reason: 'Use ninja.' });
    assert.match((await answer) ?? '', /did not allow this\. They say: Use ninja\./);
  });

  it('is left when nobody answers soon, and goes on with the answer without asking again', async () => {
    const left = assert.rejects(gate().denialOf(bash('make')), { code: 'approval-open' });
    await settle();
    await clock.advance(60_000);
    await left;
    isWorking = false;
    await desk.decide('task-1', { callId: '1/a', allow: true });
    assert.equal(task().status, 'queued');
    const asked = log.kinds.filter((kind) => kind === 'approval.asked').length;
    assert.equal(await gate().denialOf(bash('make')), undefined);
    assert.equal(log.kinds.filter((kind) => kind === 'approval.asked').length, asked);
  });

  it('keeps its one question open when it is left while other calls wait to ask', async () => {
    const asking = gate();
    const all = ['a', 'b', 'c'].map((id) => asking.denialOf(bash(`make ${id}`, `1/${id}`)));
    const refused = Promise.allSettled(all);
    await settle();
    await clock.advance(60_000);
    for (const each of await refused)
      assert.equal(each.status === 'rejected' && (each.reason as { code: string }).code, 'approval-open');
    assert.deepEqual([approval().callId, log.kinds.filter((kind) => kind === 'approval.asked').length], ['1/a', 1]);
  });

  it('is denied when the time is over, also when that passed while nobody was there', async () => {
    const left = assert.rejects(gate().denialOf(bash('make')), { code: 'approval-open' });
    await settle();
    await clock.advance(60_000);
    await left;
    isWorking = false;
    clock.jump(3_600_000);
    await clock.advance(60_000);
    assert.deepEqual(approval().answer, { allowed: false, by: 'timeout', reason: '' });
    assert.equal(task().status, 'queued');
    assert.match((await gate().denialOf(bash('make'))) ?? '', /Nobody allowed this in time/);
  });

  it('waits for as long as it takes when the settings say so', async () => {
    const left = assert.rejects(gate('ask', null).denialOf(bash('make')), { code: 'approval-open' });
    await settle();
    await clock.advance(1_000 * 3_600_000);
    await left;
    assert.equal(approval().answer, null);
  });

  it('asks anew when other input comes under the id of a call that was allowed', async () => {
    const first = gate().denialOf(bash('ls'));
    await settle();
    await desk.decide('task-1', { callId: '1/a', allow: true });
    assert.equal(await first, undefined);
    const second = gate().denialOf(bash('rm -rf .'));
    await settle();
    assert.equal(approval().answer, null);
    await desk.decide('task-1', { callId: '1/a', allow: false });
    assert.match((await second) ?? '', /did not allow/);
  });

  it('takes no answer that was meant for another question', async () => {
    const answer = gate().denialOf(bash('make', '2/b'));
    await settle();
    await assert.rejects(desk.decide('task-1', { callId: '1/a', allow: true }), { code: 'approval-gone' });
    await assert.rejects(desk.decide('task-2', { callId: '1/a', allow: true }), { code: 'unknown-task' });
    await desk.decide('task-1', { callId: '2/b', allow: false });
    await answer;
    await assert.rejects(desk.decide('task-1', { callId: '2/b', allow: true }), { code: 'wrong-state' });
  });

  it('need not ask again for what the user allowed for the task', async () => {
    const first = gate().denialOf(bash('npm test -- a.ts'));
    await settle();
    await desk.decide('task-1', { callId: '1/a', allow: true, remember: { kind: 'words', count: 2 } });
    await first;
    assert.equal(await gate().denialOf(bash('npm test -- b.ts', '2/a')), undefined);
    assert.deepEqual(approval().answer, { allowed: true, by: 'rule', reason: '' });
    const other = gate().denialOf(bash('npm test; curl evil', '3/a'));
    await settle();
    assert.equal(approval().answer, null);
    await assert.rejects(desk.decide('task-1', { callId: '3/a', allow: true, remember: { kind: 'words', count: 1 } }), {
      code: 'approval-invalid',
    });
    await desk.decide('task-1', { callId: '3/a', allow: true, remember: { kind: 'same' } });
    await other;
    assert.equal(await gate().denialOf(bash('npm test; curl evil', '4/a')), undefined);
  });

  it('need not ask for what its mode allows', async () => {
    assert.equal(await gate('unattended').denialOf(bash('make')), undefined);
    const edit = { callId: '1/a', name: 'edit', tool: 'edit', input: {}, summary: 'edit' };
    assert.equal(await gate('edits').denialOf(edit), undefined);
    assert.deepEqual(log.kinds.includes('approval.asked'), false);
  });

  it('is denied when it cannot be asked about', async () => {
    log.failNext = new Error('no');
    assert.match((await gate().denialOf(bash('make'))) ?? '', /could not be asked about/);
    const loop: Record<string, unknown> = {};
    loop['command'] = loop;
    assert.match((await gate().denialOf({ ...bash(''), input: loop })) ?? '', /could not be asked about/);
  });

  it('ends with its run', async () => {
    const answer = assert.rejects(gate().denialOf(bash('make')), { name: 'CancelledError' });
    await settle();
    ending.abort();
    await answer;
  });

  it('shows a whole command, with everything unseen written out', async () => {
    const hostile = `echo ok${' '.repeat(5000)}; rm -rf . # \u202e\u200b\r\u001b[2K`;
    const answer = gate().denialOf(bash(hostile));
    await settle();
    assert.equal(
      await effect(),
      `Run this in bash in the jail:\necho ok${' '.repeat(5000)}; rm -rf . # <U+202E><U+200B><U+000D><U+001B>[2K`,
    );
    assert.doesNotMatch(approval().summary, /\u202e/);
    await desk.decide('task-1', { callId: '1/a', allow: false });
    await answer;
  });

  it('shows the path of an edit and what changes', async () => {
    files.set('a.txt', 'one\ntwo\nthree\nfour\nfive\nsix\n');
    const shown = async (name: string, input: unknown): Promise<string> => {
      const answer = gate().denialOf({ callId: `1/${name}`, name, tool: name, input, summary: name });
      await settle();
      const text = await effect();
      await desk.decide('task-1', { callId: `1/${name}`, allow: false });
      await answer;
      return text;
    };
    assert.equal(
      await shown('edit', { path: 'b\u202e.txt', old_string: 'x\ny', new_string: 'x\nz' }),
      'Change once in "b<U+202E>.txt":\n  x\n- y\n+ z',
    );
    assert.equal(
      await shown('write', { path: 'a.txt', content: 'one\ntwo\nthree\nfour\nFIVE\nsix\n' }),
      'Write over the file "a.txt":\n  … 1 lines as they are\n  two\n  three\n  four\n- five\n+ FIVE\n  six',
    );
    assert.equal(await shown('write', { path: 'new', content: 'x\n' }), 'Write the new file "new":\n+ x');
  });
});
