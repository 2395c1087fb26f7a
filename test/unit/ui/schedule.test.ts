import assert from 'node:assert/strict';
import type { PlannedTask } from '../../../src/core/plannedTask';
import { scheduleRow } from '../../../src/ui/schedule/scheduleRows';

const plan: PlannedTask = {
  file: 'changelog.yaml',
  path: '/repo/.airlock/tasks/changelog.yaml',
  name: 'Update the changelog',
  enabled: true,
  startedBy: '0 9 * * 1-5 (UTC)',
  next: [new Date(2026, 0, 5, 9, 0).toISOString(), new Date(2026, 0, 6, 9, 0).toISOString()],
  diagnostics: [],
};

describe('the list of task definitions', () => {
  it('says what starts one, and its next starts in the time of the user', () => {
    const { detail, ...row } = scheduleRow(plan, true);
    assert.deepEqual(row, {
      label: 'Update the changelog',
      description: '0 9 * * 1-5 (UTC) · changelog.yaml',
      icon: 'calendar',
      canRun: true,
    });
    const [first, second] = detail.split(' · ');
    assert.match(first ?? '', /^Jan 5 09:00$/);
    assert.notEqual(first, second);
  });

  it('shows that nothing is started by itself while the setting is off or the file says so', () => {
    const off = scheduleRow({ ...plan, next: [] }, false);
    assert.deepEqual([off.icon, off.detail, off.canRun], ['circle-slash', 'no start at a time', true]);
    const disabled = scheduleRow({ ...plan, enabled: false }, true);
    assert.deepEqual([disabled.icon, disabled.detail], ['circle-slash', 'switched off in its file']);
  });

  it('says what is wrong with a file, and does not offer to run it', () => {
    const diagnostics = [
      { path: plan.path, line: 3, column: 1, severity: 'error', message: 'Five fields are needed.' },
    ] as const;
    assert.deepEqual(scheduleRow({ ...plan, name: '', next: [], diagnostics }, true), {
      label: 'changelog.yaml',
      description: 'changelog.yaml',
      detail: 'Line 3: Five fields are needed.',
      icon: 'error',
      canRun: false,
    });
  });
});
