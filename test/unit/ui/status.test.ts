import assert from 'node:assert/strict';
import { emptyState, type LiveState, type TaskState } from '../../../src/core/liveState';
import { noUsage } from '../../../src/core/usage';
import { problemsOf, type Surroundings } from '../../../src/ui/status/problem';
import { menuOf } from '../../../src/ui/status/statusMenu';
import { spendOfToday, summarize } from '../../../src/ui/status/statusSummary';
import { treeMessage } from '../../../src/ui/status/treeMessage';
import { FakeExecutor } from '../../fakes/executor';

const executor = new FakeExecutor();
const well: Surroundings = {
  link: { kind: 'open', executor },
  trusted: true,
  jail: executor.readiness,
  needsApiKey: false,
  failedFeatures: [],
};
const nowMs = new Date(2026, 0, 5, 15, 30).getTime();
const noTasks = { needsYou: 0, running: 0, queued: 0, done: 0 };
const noBwrap: Surroundings['jail'] = {
  kind: 'unavailable',
  code: 'no-bwrap',
  reason: 'Bubblewrap is not installed.',
  fix: 'sudo apt install bubblewrap',
};

function stateWith(change: (state: LiveState) => void): LiveState {
  const state = emptyState();
  change(state);
  return state;
}

const hourOf = (...at: [number, number, number, number]): number => Math.floor(new Date(...at).getTime() / 3_600_000);

describe('the status bar item', () => {
  it('names the product when there is nothing to count', () => {
    assert.deepEqual(summarize({ state: emptyState(), around: well, counts: noTasks, nowMs }), {
      text: '$(debug-pause) Airlock',
      tooltip: '**Airlock\\: the queue is paused**\n\n0 running · 0 queued\n\nSpent today: $0.00',
      severity: 'none',
      accessibleLabel: 'Airlock: the queue is paused, 0 running, 0 queued',
    });
  });

  it('says why nothing runs to who listens too', () => {
    const { accessibleLabel } = summarize({
      state: emptyState(),
      around: { ...well, jail: noBwrap },
      counts: noTasks,
      nowMs,
    });
    assert.equal(
      accessibleLabel,
      'Airlock cannot run tasks, Bubblewrap is not installed. sudo apt install bubblewrap, 0 running, 0 queued',
    );
  });

  it('says of an untrusted window that nobody works, and not that it will', () => {
    const looking = new FakeExecutor();
    looking.place = { kind: 'nowhere' };
    const around: Surroundings = { ...well, link: { kind: 'open', executor: looking }, trusted: false };
    const { tooltip, severity } = summarize({ state: emptyState(), around, counts: noTasks, nowMs });
    assert.match(tooltip, /\n\nNo other process works the queue\.$/);
    assert.equal(severity, 'none');
  });

  it('counts what runs and what needs the user, and what today cost', () => {
    const state = stateWith((each) => {
      each.queueMode = 'running';
      each.spend.set(hourOf(2026, 0, 5, 9), { costUsd: 1.25, unpriced: 0, usage: noUsage });
    });
    const counts = { needsYou: 1, running: 2, queued: 3, done: 4 };
    const { text, severity } = summarize({ state, around: well, counts, nowMs });
    assert.deepEqual({ text, severity }, { text: '$(shield) $(play) 2 $(bell-dot) 1 $1.25', severity: 'warning' });
  });

  it('says that the cost is a lower bound when a price is not known', () => {
    const state = stateWith((each) =>
      each.spend.set(hourOf(2026, 0, 5, 9), { costUsd: 1.25, unpriced: 3, usage: noUsage }),
    );
    const { text, tooltip } = summarize({ state, around: well, counts: noTasks, nowMs });
    assert.equal(text, '$(debug-pause) ≥ $1.25');
    assert.match(tooltip, /The price of 3 requests is not known/);
  });

  it('leaves yesterday out of today', () => {
    const state = stateWith((each) => {
      each.spend.set(hourOf(2026, 0, 4, 23), { costUsd: 5, unpriced: 1, usage: noUsage });
      each.spend.set(hourOf(2026, 0, 5, 0), { costUsd: 2, unpriced: 0, usage: noUsage });
    });
    assert.deepEqual(spendOfToday(state, nowMs), { costUsd: 2, unpriced: 0 });
  });

  it('says why nothing can run', () => {
    const around = { ...well, jail: noBwrap };
    const { text, severity, tooltip } = summarize({ state: emptyState(), around, counts: noTasks, nowMs });
    assert.deepEqual({ text, severity }, { text: '$(error) Airlock', severity: 'error' });
    assert.match(tooltip.replaceAll('\\', ''), /Bubblewrap is not installed. sudo apt install bubblewrap/);
  });

  it('does not alarm about a folder that the user has chosen not to trust', () => {
    const around = { ...well, trusted: false };
    assert.equal(summarize({ state: emptyState(), around, counts: noTasks, nowMs }).severity, 'none');
  });
});

describe('what is wrong', () => {
  it('is told worst first, each with the command that helps', () => {
    const state = stateWith((each) =>
      each.sources.set('zmemory:a', { healthy: false, looked: true, message: 'refused' }),
    );
    const around: Surroundings = {
      link: { kind: 'failed', error: new Error('no disk') },
      trusted: false,
      jail: noBwrap,
      needsApiKey: true,
      failedFeatures: ['The terminals failed to start: x'],
    };
    assert.deepEqual(
      problemsOf(state, around).map(({ severity, command }) => [severity, command]),
      [
        ['error', 'airlock.tryAgain'],
        ['error', 'airlock.manageTrust'],
        ['error', 'airlock.tryAgain'],
        ['warning', 'airlock.setApiKey'],
        ['warning', 'airlock.showLog'],
        ['warning', 'airlock.refreshSources'],
      ],
    );
  });

  it('is no missing key when another process works the queue, with keys of its own', () => {
    const elsewhere = new FakeExecutor();
    elsewhere.place = { kind: 'elsewhere', pid: 7 };
    const around: Surroundings = { ...well, link: { kind: 'open', executor: elsewhere }, needsApiKey: true };
    assert.deepEqual(problemsOf(emptyState(), around), []);
  });

  it('is nothing when all is well', () => {
    assert.deepEqual(problemsOf(emptyState(), well), []);
  });
});

describe('the menu behind the status bar item', () => {
  const commands = (state: LiveState, around: Surroundings) =>
    menuOf(state, around).flatMap((entry) => (entry.kind === 'separator' ? [] : [entry.command]));

  it('lists the sources with their health, to pause and to resume', () => {
    const state = stateWith(({ sources, pausedSources }) => {
      sources.set('zmemory:a', { healthy: true, looked: true, message: '' });
      sources.set('zmemory:b', { healthy: false, looked: true, message: 'refused' });
      pausedSources.add('zmemory:b');
      // What is not there is nothing to steer, unless it is paused.
      sources.set('table:a', { healthy: true, looked: true, message: 'It is not there.' });
    });
    const entries = menuOf(state, well).filter((entry) => 'about' in entry);
    assert.deepEqual(entries, [
      {
        kind: 'command',
        icon: 'debug-pause',
        label: 'Pause Source zmemory:a: answers',
        command: 'airlock.pauseSource',
        about: 'zmemory:a',
      },
      {
        kind: 'command',
        icon: 'play',
        label: 'Resume Source zmemory:b: paused; does not answer: refused',
        command: 'airlock.resumeSource',
        about: 'zmemory:b',
      },
    ]);
  });

  it('says what holds new runs back', () => {
    const state = stateWith(({ holds }) => holds.set('room', 'The disk is full.'));
    assert.deepEqual(problemsOf(state, well), [{ severity: 'warning', text: 'The disk is full.', command: null }]);
  });

  it('says above the tree why what is queued does not start, while the queue runs', () => {
    const task = { id: 'a', status: 'queued' } as TaskState;
    const held = stateWith((state) => {
      state.holds.set('host', 'The machine is busy.');
      state.tasks.set('a', task);
    });
    const said = (change: Partial<LiveState>, around = well): string =>
      treeMessage({ ...held, ...change }, around, false);
    const failed: Surroundings = { ...well, link: { kind: 'failed', error: new Error('No disk.') } };
    assert.deepEqual(
      [
        said({ queueMode: 'running' }),
        said({}),
        said({ queueMode: 'running', tasks: new Map() }),
        said({ queueMode: 'running', tasks: new Map([['a', { ...task, status: 'running' }]]) }),
        said({ queueMode: 'running' }, failed),
      ],
      ['The machine is busy.', '', '', '', 'Airlock could not start: No disk.'],
    );
  });

  it('says above the tree that nothing can be kept also while what was interrupted still shows as running', () => {
    const state = stateWith(({ holds, tasks }) => {
      holds.set('host', 'The machine is busy.');
      holds.set('disk', 'Nothing can be written to /home/dev.');
      tasks.set('a', { id: 'a', status: 'running' } as TaskState);
    });
    assert.equal(
      treeMessage({ ...state, queueMode: 'running' }, well, false).replaceAll('\u200B', ''),
      'Nothing can be written to /home/dev.',
    );
  });

  it('starts with what changes the queue', () => {
    assert.deepEqual(commands(emptyState(), well), [
      'airlock.startQueue',
      'airlock.addTask',
      'airlock.showTasks',
      'airlock.refreshSources',
      'airlock.proveJail',
      'airlock.openAnalytics',
      'airlock.openSettings',
      'airlock.showLog',
    ]);
  });

  it('offers to pause and to stop a queue that runs', () => {
    const state = stateWith((each) => (each.queueMode = 'running'));
    assert.deepEqual(commands(state, well).slice(0, 2), ['airlock.pauseQueue', 'airlock.stopQueue']);
  });

  it('offers nothing that an untrusted folder or a missing executor makes impossible', () => {
    const around: Surroundings = { ...well, trusted: false, link: { kind: 'failed', error: new Error('x') } };
    assert.deepEqual(commands(emptyState(), around), [
      'airlock.tryAgain',
      'airlock.manageTrust',
      'airlock.showTasks',
      'airlock.openSettings',
      'airlock.showLog',
    ]);
  });
});
