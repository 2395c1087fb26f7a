import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { Executor } from '../../src/core/executor';
import type { TaskId } from '../../src/core/ids';
import { startRankOf } from '../../src/core/taskRank';
import { executor, repository } from './airlock';

describe('steering the queue in a real VS Code', () => {
  const added: TaskId[] = [];

  afterEach(async () => {
    const current = await executor();
    for (const taskId of added.splice(0)) await current.cancel(taskId);
  });

  const add = async (current: Executor, title: string): Promise<TaskId> => {
    const taskId = await current.add({ title, prompt: 'Wait.', repo: repository() });
    added.push(taskId);
    return taskId;
  };

  it('pauses and resumes tasks, and moves them in the order in which they start', async () => {
    const current = await executor();
    const [a, b, c] = [await add(current, 'a'), await add(current, 'b'), await add(current, 'c')];
    const order = (): TaskId[] => {
      const tasks = [a, b, c].flatMap((taskId) => current.state.tasks.get(taskId) ?? []);
      return tasks.toSorted((one, other) => startRankOf(one) - startRankOf(other)).map(({ id }) => id);
    };
    await vscode.commands.executeCommand('airlock.moveTaskToTop', c);
    assert.deepEqual(order(), [c, a, b]);
    await vscode.commands.executeCommand('airlock.moveTaskDown', c);
    assert.deepEqual(order(), [a, c, b]);
    await vscode.commands.executeCommand('airlock.moveTaskUp', b);
    assert.deepEqual(order(), [a, b, c]);

    await vscode.commands.executeCommand('airlock.pauseTask', a);
    assert.equal(current.state.tasks.get(a)?.paused, true);
    await vscode.commands.executeCommand('airlock.resumeTask', a);
    assert.deepEqual([current.state.tasks.get(a)?.paused, current.state.tasks.get(a)?.status], [undefined, 'queued']);
  });

  it('does it to all rows that are selected, and leaves out those that it cannot be done to', async () => {
    const current = await executor();
    const [a, b] = [await add(current, 'a'), await add(current, 'b')];
    await current.pauseTask(b);
    const row = (taskId: TaskId) => ({ kind: 'task', taskId });
    await vscode.commands.executeCommand('airlock.pauseTask', row(a), [row(a), row(b)]);
    assert.deepEqual(
      [a, b].map((taskId) => current.state.tasks.get(taskId)?.paused),
      [true, true],
    );
    await vscode.commands.executeCommand('airlock.cancelTask', row(a), [row(a), row(b)]);
    assert.deepEqual(
      added.splice(0).map((taskId) => current.state.tasks.get(taskId)?.status),
      ['cancelled', 'cancelled'],
    );
  });

  it('pauses a source and resumes it', async () => {
    const current = await executor();
    await vscode.commands.executeCommand('airlock.pauseSource', 'zmemory:embedded');
    assert.deepEqual([...current.state.pausedSources], ['zmemory:embedded']);
    await vscode.commands.executeCommand('airlock.resumeSource', 'zmemory:embedded');
    assert.deepEqual([...current.state.pausedSources], []);
  });
});
