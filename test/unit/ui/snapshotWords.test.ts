import assert from 'node:assert/strict';
import { snapshotChoices, snapshotCommit } from '../../../src/ui/review/snapshotWords';
import { FakeExecutor } from '../../fakes/executor';

const tree = 'b'.repeat(40);
const [first, second] = ['1'.repeat(40), '2'.repeat(40)];

async function runWithSnapshots() {
  const executor = new FakeExecutor();
  const taskId = await executor.add({ title: 'Round totals', prompt: 'p', repo: '/home/dev/project' });
  executor.beginRun(taskId, { runId: 'run-1', sessionId: 'session-1' });
  executor.append(
    { kind: 'snapshot.taken', runId: 'run-1', index: 1, cause: 'turn', tree, commit: first, filesChanged: 1 },
    { kind: 'snapshot.taken', runId: 'run-1', index: 2, cause: 'restore', tree, commit: second, filesChanged: 2 },
  );
  const run = executor.state.runs.get('run-1');
  assert.ok(run);
  return run;
}

describe('the choice of snapshots', () => {
  it('has the newest first and the base last, each with what came to be kept', async () => {
    const choices = snapshotChoices(await runWithSnapshots());
    assert.deepEqual(
      choices.map(({ index, label, description }) => [index, label, description.split(' · ').slice(1).join(' · ')]),
      [
        [2, 'Snapshot 2', 'before files were put back · 2 files'],
        [1, 'Snapshot 1', 'after a turn · 1 file'],
        [0, 'Base', ''],
      ],
    );
  });

  it('knows the commit of each, and of none that is not there', async () => {
    const run = await runWithSnapshots();
    assert.deepEqual(
      [0, 1, 2, 3].map((index) => snapshotCommit(run, index)),
      ['a'.repeat(40), first, second, undefined],
    );
  });
});
