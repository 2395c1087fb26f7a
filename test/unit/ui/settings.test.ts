import assert from 'node:assert/strict';
import { secretProblem } from '../../../src/ui/credentials';
import { readSetting } from '../../../src/ui/settings/settingTable';

describe('a setting', () => {
  it('has its value when it may hold that', () => {
    assert.deepEqual(readSetting('airlock.concurrency', 8), { value: 8, problem: null });
    assert.deepEqual(readSetting('airlock.limits.maxCostPerRun', null), { value: null, problem: null });
    assert.deepEqual(readSetting('airlock.engine.baseUrl', 'http://localhost:11434'), {
      value: 'http://localhost:11434',
      problem: null,
    });
  });

  it('has its default, and says so, when what was written makes no sense', () => {
    for (const raw of [0, 2.5, '3', undefined, Number.NaN]) {
      const { value, problem } = readSetting('airlock.concurrency', raw);
      assert.equal(value, 2);
      assert.notEqual(problem, null);
    }
  });

  it('takes no address that is not the web, or that holds a password', () => {
    for (const raw of ['file:///etc/passwd', 'ftp://a', 'localhost', 'https://user:secret@host.example/']) {
      const { value, problem } = readSetting('airlock.zmemory.url', raw);
      assert.equal(value, '', raw);
      assert.ok(problem !== null && !problem.includes('secret'), raw);
    }
  });

  it('takes no two ZMemory servers that would choose the same tasks', () => {
    const problemOf = (...servers: object[]) => readSetting('airlock.zmemory.servers', servers).problem;
    const [a, again] = [
      { name: 'a', url: 'https://a.example/api' },
      { name: 'b', url: 'https://A.example/api/' },
    ];
    assert.match(problemOf(a, again) ?? '', /one address/);
    assert.match(problemOf({ ...a, agent: 'me' }, { ...again, agent: 'me' }) ?? '', /one address/);
    for (const other of [{ agent: 'me' }, { priorities: ['P0'] }, { query: { project: 'shop' } }])
      assert.equal(problemOf(a, { ...again, ...other }), null);
  });
});

describe('a secret', () => {
  it('is what may stand in a header', () => {
    const problems = ['sk-ant-api03-abc', '  sk-1  ', '', '   ', 'two words', 'schlüssel', 'a\nb'].map(secretProblem);
    assert.deepEqual(problems, [undefined, undefined, 'empty', 'empty', 'not-ascii', 'not-ascii', 'not-ascii']);
  });
});
