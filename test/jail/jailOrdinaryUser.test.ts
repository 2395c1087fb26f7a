import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chownSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** No user of any machine has it. */
const ordinaryId = 61_357;

/** What goes the same way whoever does it, and takes long: it starts the whole command again and again. */
const sameForAll = ['airlock sh (?!runs one command|leaves the folder|is a shell)', 'is told by "airlock doctor"'];

describe('everything that is tried on jails', () => {
  let home: string;

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'airlock-home-'));
    writeFileSync(join(home, 'file'), '');
    chownSync(home, process.geteuid?.() === 0 ? ordinaryId : -1, -1);
  });

  afterEach(() => rmSync(home, { recursive: true, force: true }));

  it('comes out the same for an ordinary user', function () {
    this.timeout(300_000);
    if (process.geteuid?.() !== 0) {
      console.warn('      skipped: this is an ordinary user already');
      this.skip();
    }
    const repository = process.cwd();
    const asUser = (argv: readonly string[]): ReturnType<typeof spawnSync> =>
      spawnSync(
        '/usr/bin/setpriv',
        ['--reuid', `${ordinaryId}`, '--regid', `${ordinaryId}`, '--clear-groups', ...argv],
        {
          cwd: repository,
          env: { HOME: home, PATH: process.env['PATH'], TMPDIR: tmpdir() },
          encoding: 'utf8',
        },
      );
    if (asUser([process.execPath, '--eval', 'require("./package.json")']).status !== 0) {
      console.warn(`      skipped: an ordinary user cannot read ${repository} or run Node`);
      this.skip();
    }
    const own = readdirSync('test/jail').filter(
      (name) => /^jail.*\.test\.ts$/.test(name) && name !== 'jailOrdinaryUser.test.ts',
    );
    const files = own.map((name) => join('test/jail', name));
    const mocha = ['node_modules/mocha/bin/mocha.js', '--config', '.mocharc.json', '--timeout', '60000'];
    const ran = asUser([process.execPath, ...mocha, '--invert', '--grep', sameForAll.join('|'), ...files]);
    assert.equal(ran.status, 0, `${String(ran.stdout)}\n${String(ran.stderr)}`);
  });
});
