import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { makeTempFolder, removeFolder } from '../unit/workspaces/sampleRepository';

/** What differs with the account, suite by suite: owners, modes, mounts and jails. The rest would only take time. */
const suites = {
  workspaces: [
    'last commit has',
    'git of its own',
    'every kind of change',
    'shared folders',
    'is fresh',
    'as it was, and checks',
    'can be removed',
  ],
  workspacesHostile: ['FIFO', 'nobody may read', 'unreadable', 'executed', 'deeper'],
  workspacesSetup: ['npm project', 'another account could write', 'no other run is given'],
  workspacesPublish: ['changes nothing else', 'takes it for an attack'],
};

/** The same tests in a process of an ordinary account: jails are built in another way there. */
describe('Workspaces of an ordinary user', function () {
  this.timeout(300_000);

  it('pass the tests that tell accounts apart', function () {
    if (process.getuid?.() !== 0) {
      console.log('    (skipped: the tests themselves run as an ordinary user)');
      return this.skip();
    }
    const home = makeTempFolder();
    try {
      const temporary = join(home, 'tmp');
      mkdirSync(temporary);
      for (const folder of [home, temporary]) chmodSync(folder, 0o777);
      const titles = Object.values(suites).flat();
      const mocha = ['node_modules/mocha/bin/mocha.js', '--config', '.mocharc.json', '--reporter', 'json'];
      const files = Object.keys(suites).map((suite) => `test/jail/${suite}.test.ts`);
      const result = spawnSync(
        'setpriv',
        [
          ...['--reuid=54322', '--regid=54322', '--clear-groups'],
          ...[process.execPath, ...mocha, '--grep', titles.join('|'), ...files],
        ],
        { encoding: 'utf8', env: { PATH: process.env['PATH'], HOME: home, TMPDIR: temporary } },
      );
      assert.equal(result.status, 0, `${result.stdout}\n${result.stderr}`);
      const passed = [...result.stdout.matchAll(/"fullTitle": (".*")/g)].map(([, title = '']) => title);
      const missing = titles.filter((title) => !passed.some((each) => each.includes(title)));
      assert.deepEqual(missing, [], 'no test has these titles');
    } finally {
      removeFolder(home);
    }
  });
});
