// Makes a fresh machine ready: the npm packages, Bubblewrap, and the build. Does nothing where nothing is missing.
// `--tests` also installs what only tests need: a real VS Code and a browser.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');
const minimumNode = [20, 19];

function say(text) {
  process.stdout.write(`${text}\n`);
}

function fail(text) {
  process.stderr.write(`\n${text}\n`);
  process.exit(2);
}

function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options });
  if (result.error) fail(`${command} could not be started: ${result.error.message}`);
  return result.status ?? 1;
}

function has(command) {
  return (process.env.PATH ?? '')
    .split(path.delimiter)
    .some((folder) => folder !== '' && existsSync(path.join(folder, command)));
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < minimumNode[0] || (major === minimumNode[0] && minor < minimumNode[1])) {
    fail(`Node ${process.versions.node} is too old: Airlock needs Node ${minimumNode.join('.')} or newer.`);
  }
}

/** The packages are as the lock file says when the stamp of the last install names it. */
function installPackages() {
  const stamp = path.join(root, 'node_modules', '.airlock-stamp');
  const lock = createHash('sha256')
    .update(readFileSync(path.join(root, 'package-lock.json')))
    .digest('hex');
  const wanted = `${lock} node-${process.versions.modules}`;
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  if (lstatSync(path.join(root, 'node_modules'), { throwIfNoEntry: false })?.isSymbolicLink()) {
    fail(
      'node_modules is a link to another checkout, whose packages are not those of this lock file. Update them there.',
    );
  }
  say('Installing the npm packages …');
  // node-pty is compiled. Node's own headers are taken where they are installed, and fetched from nodejs.org otherwise.
  const prefix = path.resolve(process.execPath, '../..');
  const hasHeaders = existsSync(path.join(prefix, 'include', 'node', 'node.h'));
  const env = { ...process.env, ...(hasHeaders ? { npm_config_nodedir: prefix } : {}) };
  if (run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { env }) !== 0) {
    fail(
      'The npm packages could not be installed; what npm says above tells why. node-pty is compiled on Linux: it needs python3, make and g++, and Node’s headers (in ' +
        `${prefix}/include/node, or from nodejs.org).`,
    );
  }
  writeFileSync(stamp, wanted);
}

/** What comes from the distribution. With apt-get and the right to use it, it is installed; otherwise it is said how. */
export function installSystemPackages(commands) {
  const missing = Object.entries(commands).filter(([command]) => !has(command));
  if (missing.length === 0) return;
  const packages = missing.map(([, name]) => name);
  const prefix = process.getuid?.() === 0 ? [] : has('sudo') ? ['sudo', '-n'] : undefined;
  if (prefix && has('apt-get')) {
    say(`Installing ${packages.join(', ')} …`);
    const apt = (...args) => {
      const [command, ...rest] = [...prefix, 'apt-get', ...args];
      return run(command, rest, {
        stdio: ['ignore', 'ignore', 'inherit'],
        env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      });
    };
    apt('update', '-qq');
    apt('install', '-y', '-qq', '--no-install-recommends', ...packages);
  }
  const still = missing.filter(([command]) => !has(command));
  if (still.length > 0) {
    fail(
      `${still.map(([command]) => command).join(', ')} is missing. Install it, for example: sudo apt-get install ${still.map(([, name]) => name).join(' ')}`,
    );
  }
}

/** The newest change below some paths, in milliseconds. */
function newest(paths) {
  let latest = 0;
  for (const start of paths) {
    const full = path.join(root, start);
    if (!existsSync(full)) continue;
    const { mtimeMs } = statSync(full);
    latest = Math.max(latest, mtimeMs);
    if (!statSync(full).isDirectory()) continue;
    for (const entry of readdirSync(full, { recursive: true }))
      latest = Math.max(latest, statSync(path.join(full, entry)).mtimeMs);
  }
  return latest;
}

function build() {
  const built = path.join(root, 'dist', 'airlock.js');
  if (existsSync(built) && statSync(built).mtimeMs > newest(['src', 'webview', 'esbuild.js', 'package-lock.json']))
    return;
  say('Building …');
  if (run(process.execPath, ['esbuild.js']) !== 0) fail('The build failed.');
}

checkNode();
if (process.platform !== 'linux') {
  fail(
    'Airlock’s jails need Linux. On Windows use WSL2; on macOS use a Linux machine by Remote-SSH or a dev container.',
  );
}
installPackages();
installSystemPackages({ bwrap: 'bubblewrap', git: 'git', setpriv: 'util-linux' });
build();
if (process.argv.includes('--tests')) {
  const { ensureVSCode } = await import('./vscode.mjs');
  await ensureVSCode();
}
