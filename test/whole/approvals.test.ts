import assert from 'node:assert/strict';
import { approvalEffectSchema } from '../../src/core/approval';
import type { Executor } from '../../src/core/executor';
import type { RunState } from '../../src/core/liveState';
import { loadNodePty } from '../../src/sessions/nodePty';
import { says } from '../fakes/messagesApiTurns';
import { builtCommand } from '../fakes/wholeCommand';
import { lastTextOf, runs, writes } from '../fakes/wholeModel';
import { resultFile, runOf, sampleCheck, stateFits, taskEnded, WholeRoom } from '../fakes/wholeRoom';

/** Resolves when the agent asks, with what it asks for. `left`: it has no jail any more. */
function asks(executor: Executor, taskId: string, left = false): Promise<NonNullable<RunState['approval']>> {
  return stateFits(executor, ({ tasks, runs: all, sessions }) => {
    const task = tasks.get(taskId);
    const approval = all.get(task?.runId ?? '')?.approval;
    const isOpen = task?.status === 'waiting' && approval?.answer === null;
    return isOpen && (!left || sessions.size === 0) ? approval : undefined;
  });
}

describe('an agent that must ask before it acts', () => {
  let room: WholeRoom;
  beforeEach(async () => (room = await WholeRoom.make()));
  afterEach(() => room.close());

  it('does what is allowed and nothing else, over a restart too, without paying twice', async () => {
    const heard: string[] = [];
    room.model.plays(
      'Careful',
      runs('echo one > kept.txt; echo \u202e'),
      (request) => {
        heard.push(lastTextOf(request));
        return runs('rm -rf test');
      },
      (request) => {
        heard.push(lastTextOf(request));
        return writes('value.txt', 'right\n');
      },
      says('Done.'),
    );
    const first = await room.open({ settings: { approvalHoldMs: 0 } });
    const id = await first.add({
      title: 'Careful',
      prompt: 'Careful.',
      checks: [sampleCheck],
      limits: { approvals: 'ask' },
    });
    const asked = await asks(first, id, true);
    const effect = approvalEffectSchema.parse(
      JSON.parse(Buffer.from((await first.readBlob(asked.effect)) ?? '').toString()),
    );
    assert.equal(effect.text, 'Run this in bash in the jail:\necho one > kept.txt; echo <U+202E>');
    await first.shutdown();

    // Elsewhere it waits where it is, with its jail.
    const second = await room.open();
    assert.equal((await asks(second, id)).callId, asked.callId);
    await second.decide(id, { callId: asked.callId, allow: true });
    const next = await stateFits(second, () => {
      const { approval } = runOf(second, id);
      return approval?.callId !== asked.callId && approval?.answer === null ? approval : undefined;
    });
    await second.decide(id, { callId: next.callId, allow: false, reason: 'Tests stay.' });
    const last = await stateFits(second, () => {
      const { approval } = runOf(second, id);
      return approval?.tool === 'write' && approval.answer === null ? approval : undefined;
    });
    await second.decide(id, { callId: last.callId, allow: true });
    const ended = await taskEnded(second, id);
    assert.equal(ended.status, 'verified', ended.reason);
    assert.match(heard[1] ?? '', /did not allow this\. They say: Tests stay\./);
    const { branch } = runOf(second, id);
    assert.equal(resultFile(room, branch ?? '', 'kept.txt').trim(), 'one');
    assert.match(resultFile(room, branch ?? '', 'test/value.test.sh'), /grep/);
    assert.deepEqual(room.model.api.paidTwice(), []);
  });

  it('can be allowed from a terminal, and whoever works the queue does not wait for the answer there', async function () {
    this.timeout(90_000);
    room.model.plays('Careful', writes('value.txt', 'right\n'), says('Done.'));
    const first = await room.open({ settings: { approvalHoldMs: 0 } });
    const limits = { approvals: 'ask' } as const;
    const id = await first.add({ title: 'Careful', prompt: 'Careful.', checks: [sampleCheck], limits });
    await asks(first, id, true);
    await first.shutdown();

    const { spawn } = await loadNodePty(undefined);
    const terminal = spawn(process.execPath, [builtCommand(), 'approve', id, '--storage', room.storage], {});
    try {
      let shown = '';
      const exited = new Promise<number>((resolve) => terminal.onExit(({ exitCode }) => resolve(exitCode)));
      const asked = new Promise<void>((resolve) => {
        terminal.onData((text) => {
          shown += text;
          if (shown.includes('[y/N]')) resolve();
        });
      });
      await Promise.race([asked, exited.then((code) => assert.fail(`it ended with ${code}: ${shown}`))]);
      const second = await room.open();
      assert.deepEqual(second.place, { kind: 'here' });
      await asks(second, id);
      terminal.write('y\r');
      assert.equal(await exited, 0, shown);
      const { status, reason } = await taskEnded(second, id);
      assert.equal(status, 'verified', reason);
    } finally {
      terminal.kill();
    }
  });
});
