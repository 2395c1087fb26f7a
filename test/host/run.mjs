// Builds the extension and its host tests, and runs them in a real VS Code (see .vscode-test.mjs). Arguments go on to
// `vscode-test`, as in `node test/host/run.mjs --grep tree`.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import esbuild from 'esbuild';
import { stageExtension } from '../../scripts/vscodeStage.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const out = path.join(root, 'out', 'host');

function testFiles(folder) {
  return fs
    .readdirSync(folder, { recursive: true })
    .map((name) => path.join(folder, String(name)))
    .filter((file) => file.endsWith('.test.ts'));
}

async function bundle() {
  fs.rmSync(out, { recursive: true, force: true });
  await esbuild.build({
    entryPoints: testFiles(path.join(root, 'test', 'host')),
    outdir: out,
    outbase: path.join(root, 'test', 'host'),
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    sourcemap: 'inline',
    logLevel: 'warning',
    external: ['vscode', 'mocha', 'node-pty', 'sql.js'],
  });
}

function run(command, args, env = process.env) {
  return spawnSync(command, args, { cwd: root, stdio: 'inherit', env }).status ?? 1;
}

/** A folder to open, as a user would have one: a repository with one commit. */
function makeWorkspace() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'alw-'));
  fs.writeFileSync(path.join(folder, 'README.md'), '# Sample\n');
  const identity = ['-c', 'user.name=Airlock', '-c', 'user.email=airlock@example.invalid'];
  for (const args of [
    ['init', '-q', '-b', 'main'],
    ['add', '.'],
    [...identity, 'commit', '-q', '-m', 'Begin'],
  ]) {
    spawnSync('git', args, { cwd: folder, stdio: 'ignore' });
  }
  return folder;
}

if (!process.argv.includes('--no-build')) {
  const status = run(process.execPath, ['esbuild.js']);
  if (status !== 0) process.exit(status);
}
await bundle();
const workspace = makeWorkspace();
try {
  const args = process.argv.slice(2).filter((arg) => arg !== '--no-build');
  const cli = path.join(root, 'node_modules', '@vscode', 'test-cli', 'out', 'bin.mjs');
  process.exitCode = run(process.execPath, [cli, ...args], {
    ...process.env,
    AIRLOCK_HOST_WORKSPACE: workspace,
    AIRLOCK_HOST_EXTENSION: stageExtension(),
  });
} finally {
  fs.rmSync(workspace, { recursive: true, force: true });
}
