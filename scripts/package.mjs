// Makes airlock-<version>.vsix: a production build and what the manifest names, nothing else (.vscodeignore is a list of what
// goes in). The build for development is put back afterwards.
import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');
const { name, version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
const file = path.join(root, `${name}-${version}.vsix`);

function run(...args) {
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

run('esbuild.js', '--production');
// Everything that is needed is in the bundles, so no dependency is packed.
run(
  'node_modules/@vscode/vsce/vsce',
  'package',
  '--no-dependencies',
  '--allow-missing-repository',
  '--no-rewrite-relative-links',
  '--out',
  file,
);
run('esbuild.js');
process.stdout.write(
  `${file}: ${(statSync(file).size / 1024).toFixed(0)} KiB\nInstall it with: code --install-extension ${file}\n`,
);
