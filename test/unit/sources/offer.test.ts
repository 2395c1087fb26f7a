import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Offer } from '../../../src/core/source';
import { maxPromptBytes, newTaskSchema } from '../../../src/core/task';
import { offerOf } from '../../../src/sources/zmemory/offer';
import type { TaskFilter } from '../../../src/sources/zmemory/taskFilter';

const repositories = new Map([['app', '/home/dev/app']]);
const asked: (string | undefined)[] = [];

function offer(...entries: unknown[]): Offer {
  return offerThrough({}, ...entries);
}

function offerThrough(filter: TaskFilter, ...entries: unknown[]): Offer {
  asked.length = 0;
  const resolveRepository = (name: string | undefined): string | null => {
    asked.push(name);
    return name === undefined ? '/home/dev/only' : (repositories.get(name) ?? null);
  };
  return offerOf(entries, { agent: 'airlock', resolveRepository, filter });
}

const plain = { id: 'one', description: 'Fix it', status: 'pending' };

describe('an offer of ZMemory', () => {
  describe('through a filter', () => {
    const task = (id: string, context: unknown): unknown => ({ ...plain, id, context });
    const entries = [
      task('plain', {}),
      task('app', { repo: 'app', priority: 'high', persona: 'reviewer' }),
      task('other', { repo: 'other', priority: 'P3' }),
      // It cannot be worked on, and is not for us to refuse unless it gets through.
      task('wrong', { repo: 'other', checks: 7 }),
    ];
    const through = (filter: TaskFilter): string[] => {
      const { tasks, rejected = [] } = offerThrough(filter, ...entries);
      return [...tasks, ...rejected].map(({ externalId }) => externalId);
    };

    it('takes what fits all that it says, and leaves the rest alone', () => {
      assert.deepEqual(through({}), ['plain', 'app', 'other', 'wrong']);
      assert.deepEqual(through({ repos: ['app'] }), ['app']);
      assert.deepEqual(through({ personas: ['reviewer', 'tester'] }), ['app']);
      assert.deepEqual(through({ priorities: [2, 3] }), ['plain', 'other', 'wrong']);
      assert.deepEqual(through({ repos: ['other'], priorities: [3] }), ['other']);
    });
  });

  it('takes a task that knows none of our words as it is', () => {
    assert.deepEqual(offer({ ...plain, created_at: '2026-01-05', context: { ticket: 7 }, more: true }), {
      tasks: [
        {
          externalId: 'one',
          task: {
            title: 'Fix it',
            prompt: 'Fix it',
            priority: 2,
            persona: null,
            checks: null,
            limits: {},
            repo: '/home/dev/only',
            context: { ticket: 7 },
          },
        },
      ],
      rejected: [],
      complete: true,
      problems: [],
    });
  });

  it('understands what it knows of the context, and passes the rest on', () => {
    const context = {
      persona: 'reviewer',
      checks: ['npm test', 'npm run lint'],
      priority: 'P0',
      timeout_seconds: 90.5,
      max_turns: '12',
      max_cost_usd: 0.25,
      depends_on: ['zero', 3],
      repo: 'app',
      ticket: { number: 7 },
    };
    assert.deepEqual(offer({ ...plain, id: 7, context }).tasks, [
      {
        externalId: '7',
        task: {
          title: 'Fix it',
          prompt: 'Fix it',
          priority: 0,
          persona: 'reviewer',
          checks: ['npm test', 'npm run lint'],
          limits: { timeoutMs: 90_500, maxTurns: 12, maxCostUsd: 0.25 },
          repo: '/home/dev/app',
          context: { ticket: { number: 7 } },
        },
        dependsOnExternal: ['zero', '3'],
      },
    ]);
  });

  it('understands one check alone, and no checks as those of the repository', () => {
    const checks = [{ checks: 'npm test' }, { checks: null }, { checks: [] }, {}];
    const { tasks } = offer(...checks.map((context, index) => ({ ...plain, id: String(index), context })));
    assert.deepEqual(
      tasks.map(({ task }) => task.checks),
      [['npm test'], null, null, null],
    );
  });

  it('understands priorities as words, numbers and P0 to P3, and leaves others to the agent', () => {
    const given = ['P0', 'p3', 1, '2', 'critical', 'HIGH', 'normal', 'low', 'whenever', 9, null, ['P0'], 'constructor'];
    const { tasks } = offer(
      ...given.map((priority, index) => ({ ...plain, id: String(index), context: { priority } })),
    );
    assert.deepEqual(
      tasks.map(({ task }) => task.priority),
      [0, 3, 1, 2, 0, 1, 2, 3, 2, 2, 2, 2, 2],
    );
    assert.deepEqual(tasks[8]?.task.context, { priority: 'whenever' });
  });

  it('never takes a path of the backend for a repository', () => {
    const names = ['/etc', '../..', 'nowhere', 5, { path: '/' }];
    const { tasks } = offer(...names.map((repo, index) => ({ ...plain, id: String(index), context: { repo } })));
    assert.deepEqual(
      tasks.map(({ task }) => task.repo),
      [null, null, null, null, null],
    );
    assert.deepEqual(asked, ['/etc', '../..', 'nowhere', '', '']);
    assert.deepEqual(
      tasks.map(({ task }) => task.repoName),
      asked,
    );
    assert.deepEqual(tasks[2]?.task.context, { repo: 'nowhere' });
  });

  it('makes the title from the first line with something in it, on one line and not too long', () => {
    const descriptions = [
      '\n\n  Fix\tthe\u0007 test \nand more',
      `${'x'.repeat(198)}\u{1F600}tail`,
      '\u202Eevil\u200B title',
    ];
    const { tasks } = offer(
      ...descriptions.map((description, index) => ({ ...plain, id: String(index), description })),
    );
    assert.deepEqual(
      tasks.map(({ task }) => task.title),
      ['Fix the test', `${'x'.repeat(198)}…`, 'evil title'],
    );
    assert.equal(tasks[0]?.task.prompt, descriptions[0]);
  });

  it('lets no malformed entry harm another', () => {
    const bad = [
      null,
      7,
      'text',
      [],
      {},
      { id: 'x' },
      { ...plain, id: '' },
      { ...plain, id: '..' },
      { ...plain, id: '\ud800' },
    ];
    const { tasks, problems } = offer(
      ...bad,
      { ...plain, description: ' \n' },
      { ...plain, context: [] },
      { ...plain, id: 'ok' },
    );
    assert.deepEqual(
      tasks.map(({ externalId }) => externalId),
      ['ok'],
    );
    assert.equal(problems.length, bad.length + 2);
    assert.match(problems[5] ?? '', /^Task x is not understood: .*description/);
    assert.match(problems[0] ?? '', /^Entry 1 of the list is not understood/);
  });

  it('says who a task of somebody else is for, and passes over what is not pending', () => {
    const { tasks, problems } = offer({ ...plain, agent: 'other' }, { ...plain, id: 'two', status: 'completed' });
    assert.deepEqual([tasks, problems], [[], ['Task one is for the agent "other", not for "airlock".']]);
  });

  it('offers a task once that is listed twice', () => {
    assert.equal(offer(plain, { ...plain, description: 'Another' }).tasks.length, 1);
  });

  it('rejects a prompt that is too long, so that its source hears of it', () => {
    const { tasks, rejected } = offer(
      { ...plain, description: `Long\n${'ü'.repeat(maxPromptBytes / 2)}` },
      { ...plain, id: 'ok' },
    );
    assert.equal(tasks.length, 1);
    assert.deepEqual(rejected, [
      {
        externalId: 'one',
        title: 'Long',
        reason:
          'The task cannot be worked on: its description has 1048581 bytes, and at most 1048576 can be worked on.',
      },
    ]);
  });

  for (const context of [
    { checks: 5 },
    { checks: ['npm test', 7] },
    { checks: Array.from({ length: 51 }, () => 'x') },
    { timeout_seconds: 0 },
    { timeout_seconds: -1 },
    { timeout_seconds: 'soon' },
    { max_turns: 1.5 },
    { max_cost_usd: '-1' },
    { max_cost_usd: Infinity },
    { depends_on: { a: 1 } },
  ]) {
    it(`rejects ${JSON.stringify(context).slice(0, 60)} rather than work without that bound`, () => {
      const { tasks, rejected } = offer({ ...plain, context });
      assert.deepEqual(tasks, []);
      assert.match(rejected?.[0]?.reason ?? '', new RegExp(`context\\.${Object.keys(context)[0]}`));
    });
  }

  it('counts problems rather than list thousands', () => {
    const { problems } = offer(...Array.from({ length: 1000 }, () => null));
    assert.equal(problems.length, 21);
    assert.equal(problems[20], '… and 980 more.');
  });

  it('makes of any list only tasks that the queue takes, and never throws', () => {
    const key = fc.constantFrom(
      'persona',
      'checks',
      'priority',
      'repo',
      'timeout_seconds',
      'max_turns',
      'depends_on',
      '__proto__',
    );
    const entry = fc.record(
      {
        id: fc.oneof(fc.string(), fc.integer(), fc.anything()),
        description: fc.oneof(fc.string({ unit: 'binary' }), fc.anything()),
        context: fc.oneof(fc.dictionary(key, fc.jsonValue()), fc.jsonValue()),
        status: fc.constantFrom('pending', undefined, null),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(entry, fc.jsonValue())), (entries) => {
        for (const { externalId, task } of offer(...entries).tasks) {
          newTaskSchema.parse({ ...task, origin: { sourceId: 'zmemory:x', externalId } });
        }
      }),
    );
  });
});
