import assert from 'node:assert/strict';
import { taskIdSchema } from '../../../src/core/ids';
import { clickedRows } from '../../../src/ui/commands/clickedRows';

describe('the rows that a command was chosen for', () => {
  const [one, other] = ['one', 'other'].map((id) => ({ kind: 'task', taskId: taskIdSchema.parse(id) }));

  it('are all that are selected when the clicked one is among them', () => {
    assert.deepEqual(clickedRows([one, [one, other]]), [one, other]);
  });

  it('are no more than the clicked one when VS Code hands over no others', () => {
    assert.deepEqual(clickedRows([one, undefined]), []);
  });

  it('are unknown when the command comes from the palette or a key', () => {
    assert.deepEqual([clickedRows([]), clickedRows([undefined])], [undefined, undefined]);
  });

  it('are none, and not those that are selected, when VS Code has lost the clicked one', () => {
    assert.deepEqual(clickedRows([undefined, undefined]), []);
  });
});
