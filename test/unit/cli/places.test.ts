import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chownSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { repositoryOf } from '../../../src/cli/places';

describe('the repository around a folder', () => {
  let folder: string;
  const environment = { ...process.env };

  beforeEach(() => {
    folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'airlock-places-')));
    // What the machine's own configuration trusts does not count here.
    Object.assign(process.env, { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' });
  });
  afterEach(() => {
    // Key by key: a plain object in its place would no longer be the environment that Node itself reads.
    for (const name of ['PATH', 'GIT_CONFIG_GLOBAL', 'GIT_CONFIG_SYSTEM']) {
      const value = environment[name];
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
    rmSync(folder, { recursive: true, force: true });
  });

  it('is found from a folder below it, and is none where there is none', async () => {
    execFileSync('git', ['init', '-q', path.join(folder, 'repo')]);
    mkdirSync(path.join(folder, 'repo', 'below'));
    assert.equal(await repositoryOf(path.join(folder, 'repo', 'below')), path.join(folder, 'repo'));
    assert.equal(await repositoryOf(folder), undefined);
    assert.equal(await repositoryOf(path.join(folder, 'missing')), undefined);
  });

  it('is not said to be none where git is missing', async () => {
    process.env['PATH'] = folder;
    await assert.rejects(repositoryOf(folder), { code: 'git-missing' });
  });

  it('is not said to be none where git does not trust it', async function () {
    // Only root can make a repository of another account.
    if (process.getuid?.() !== 0) return this.skip();
    const repo = path.join(folder, 'repo');
    execFileSync('git', ['init', '-q', repo]);
    chownSync(repo, 65_534, 65_534);
    chownSync(path.join(repo, '.git'), 65_534, 65_534);
    await assert.rejects(repositoryOf(repo), { code: 'repository-untrusted' });
  });
});
