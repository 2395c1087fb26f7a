import assert from 'node:assert/strict';
import type { PlannedTask } from '../../../src/core/plannedTask';
import { scheduledRow, scheduledTooltip } from '../../../src/ui/schedule/scheduledRow';
import { scheduleRow } from '../../../src/ui/schedule/scheduleRows';

const plan: PlannedTask = {
  file: 'changelog.yaml',
  path: '/repo/.airlock/tasks/changelog.yaml',
  name: 'Update the changelog',
  enabled: true,
  sourceId: 'tasks:/repo',
  trigger: 'clock',
  overlap: 'skip',
  missed: null,
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

describe('the row of a task definition in the task tree', () => {
  const starting = { isOn: true, isPaused: false };
  const missed = { at: new Date(2026, 0, 2, 9, 0).toISOString(), count: 3, madeUpBy: null };

  it('says when it starts next, and that it can be run and opened', () => {
    assert.deepEqual(scheduledRow(plan, starting), {
      label: 'Update the changelog',
      description: 'Jan 5 09:00',
      icon: { id: 'calendar', color: null },
      contextValue: ' definition openDefinition runDefinition ',
      accessibleLabel: 'Update the changelog, task definition, next start Jan 5 09:00',
    });
  });

  it('says what files start it when no clock does', () => {
    const row = scheduledRow({ ...plan, trigger: 'files', startedBy: 'created: src/*.ts', next: [] }, starting);
    assert.deepEqual(
      [row.description, row.icon.id, row.accessibleLabel],
      ['created: src/*.ts', 'eye', 'Update the changelog, task definition, created: src/*.ts'],
    );
  });

  it('is marked when its last start was missed, unless it is not to start by itself', () => {
    const row = scheduledRow({ ...plan, missed }, starting);
    assert.deepEqual(
      [row.description, row.icon, row.accessibleLabel],
      [
        'missed Jan 2 09:00 · Jan 5 09:00',
        { id: 'warning', color: 'list.warningForeground' },
        'Update the changelog, task definition, missed Jan 2 09:00, next start Jan 5 09:00',
      ],
    );
    for (const off of [
      { ...starting, isOn: false },
      { ...starting, isPaused: true },
    ]) {
      assert.doesNotMatch(scheduledRow({ ...plan, missed }, off).description, /missed/);
    }
  });

  it('says what is wrong with its file, and cannot be run then', () => {
    const diagnostics = [{ path: plan.path, line: 3, column: 1, severity: 'error', message: 'No [time](x).' }] as const;
    const wrong = { ...plan, name: '', trigger: null, next: [], diagnostics };
    const row = scheduledRow(wrong, starting);
    assert.deepEqual(
      [row.label, row.description, row.icon.id, row.contextValue],
      ['changelog.yaml', 'Line 3: No [time](x).', 'error', ' definition openDefinition '],
    );
    assert.match(scheduledTooltip(wrong, starting), /- Line 3\\: No \\\[time\\\]\\\(x\\\)/);
  });

  it('has a tooltip with its next starts, what is missed, and what happens when one is not over', () => {
    const lines = scheduledTooltip({ ...plan, overlap: 'queue', missed }, starting).split('\n\n');
    assert.deepEqual(lines, [
      '**Update the changelog**',
      'The start of Jan 2 09\\:00 and 2 before it were missed\\. Nothing was started for it\\.',
      'Started by: 0 9 \\* \\* 1\\-5 \\(UTC\\)',
      'Next starts:\n- Jan 5 09\\:00\n- Jan 6 09\\:00',
      'While the one before is not over, a start waits for its end.',
      '\\/repo\\/\\.airlock\\/tasks\\/changelog\\.yaml',
    ]);
  });
});
