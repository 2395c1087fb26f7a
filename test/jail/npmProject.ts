import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The package `greet`, as a registry has it. */
export function greetPackage(): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'airlock-package-'));
  try {
    mkdirSync(join(folder, 'package'));
    writeFileSync(
      join(folder, 'package', 'package.json'),
      '{"name": "greet", "version": "1.0.0", "main": "index.js"}\n',
    );
    writeFileSync(join(folder, 'package', 'index.js'), 'module.exports = () => "hello from greet";\n');
    const argv = ['--mtime=2020-01-01', '--owner=0', '--group=0', '-czf', join(folder, 'greet.tgz'), 'package'];
    execFileSync('tar', argv, { cwd: folder });
    return readFileSync(join(folder, 'greet.tgz'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Files of an npm project with `greet` in its lock file. `resolved`: where the lock file says that it is. */
export function npmProject(resolved: string, tarball = greetPackage()): Record<string, string> {
  const isFile = resolved.startsWith('file:');
  const dependencies = { greet: isFile ? resolved : '1.0.0' };
  const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`;
  const lock = {
    name: 'shop',
    version: '1.0.0',
    lockfileVersion: 3,
    requires: true,
    packages: {
      '': { name: 'shop', version: '1.0.0', dependencies },
      'node_modules/greet': { version: '1.0.0', resolved, integrity },
    },
  };
  return {
    'package.json': `${JSON.stringify({ name: 'shop', version: '1.0.0', dependencies }, null, 2)}\n`,
    'package-lock.json': `${JSON.stringify(lock, null, 2)}\n`,
    'test.js': 'console.log(require("greet")());\n',
  };
}
