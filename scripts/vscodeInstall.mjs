// Puts a real VS Code into .vscode-test/: code-server and the Node it needs, from npm, and Chromium from Debian's packages.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

/** code-server 4.139.1 is VS Code 1.139.1; it asks for Node 24. */
const codeServerVersion = '4.139.1';
const nodeVersion = '24.21.0';
const nodePackage = `node-linux-${process.arch}`;
const home = path.join(root, '.vscode-test', `code-server-${codeServerVersion}-node-${nodeVersion}`);

function pathsIn(folder) {
  const codeServer = path.join(folder, 'node_modules', 'code-server');
  return {
    folder,
    node: path.join(folder, 'node_modules', nodePackage, 'bin', 'node'),
    nodeHome: path.join(folder, 'node_modules', nodePackage),
    entry: path.join(codeServer, 'out', 'node', 'entry.js'),
    vscode: path.join(codeServer, 'lib', 'vscode'),
    stamp: path.join(folder, 'complete.json'),
  };
}

/** npm's own settings of an outer `npm run` must not reach the npm that installs into another folder. */
function cleanEnvironment(paths) {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_(lifecycle|package|config_local_prefix|command)/.test(name)),
  );
  return {
    ...env,
    npm_config_nodedir: paths.nodeHome,
    PATH: `${path.join(paths.nodeHome, 'bin')}${path.delimiter}${process.env.PATH}`,
  };
}

function run(command, args, options = {}) {
  const result = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 26, ...options });
  const said = `${result.stdout ?? ''}${result.stderr ?? ''}`.trim();
  return { ok: result.status === 0, said: result.error ? String(result.error.message) : said };
}

function must(what, command, args, options) {
  const { ok, said } = run(command, args, options);
  if (ok) return;
  const offline = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ENETUNREACH|ETIMEDOUT|network/.test(said);
  const hint = offline ? 'The npm registry cannot be reached. Go online and run it again.' : '';
  throw new Error(`Installing ${what} failed (${command} ${args.join(' ')}).\n${said.slice(-2000)}\n${hint}`.trim());
}

function installInto(folder) {
  const paths = pathsIn(folder);
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, 'package.json'), '{"private":true}\n');
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  const packages = [`${nodePackage}@${nodeVersion}`, `code-server@${codeServerVersion}`];
  // Runs on today's Node: the paths of the new one are in the environment, but not there yet.
  must('code-server', 'npm', ['i', '--ignore-scripts', ...quiet, ...packages], {
    cwd: folder,
    env: cleanEnvironment(paths),
  });
  const env = cleanEnvironment(paths);
  const production = ['i', '--omit=dev', '--ignore-scripts', ...quiet];
  must("VS Code's packages", 'npm', production, { cwd: paths.vscode, env });
  // Without these two VS Code runs, and complains in its log. They need a compiler, which is not always there.
  run('npm', ['rebuild', '@vscode/spdlog', '@vscode/native-watchdog'], { cwd: paths.vscode, env });
  must("VS Code's own extensions", 'npm', production, { cwd: path.join(paths.vscode, 'extensions'), env });
  for (const [target, link] of [
    ['code-linux.sh', 'bin/remote-cli/code-server'],
    ['browser-linux.sh', 'bin/helpers/browser.sh'],
  ]) {
    const at = path.join(paths.vscode, link);
    fs.rmSync(at, { force: true });
    fs.symlinkSync(target, at);
  }
  fs.writeFileSync(paths.stamp, `${JSON.stringify({ codeServerVersion, nodeVersion })}\n`);
}

/**
 * code-server, ready to start. Installs it when it is not there (about half a minute, 800 MB).
 * @throws when this is no Linux, or when the npm registry cannot be reached.
 */
export function ensureCodeServer(log = console.log) {
  const paths = pathsIn(home);
  if (fs.existsSync(paths.stamp)) return paths;
  if (process.platform !== 'linux') {
    throw new Error(
      `code-server is installed on Linux alone (this is ${process.platform}): name a VS Code in AIRLOCK_VSCODE.`,
    );
  }
  log(`Installing VS Code (code-server ${codeServerVersion}) into .vscode-test/ …`);
  // Beside its place, and then moved there in one step: an install that was cut short leaves nothing that looks whole.
  const building = `${home}.${process.pid}`;
  try {
    installInto(building);
    fs.rmSync(home, { recursive: true, force: true });
    fs.renameSync(building, home);
  } catch (error) {
    // Another process may have been quicker: then its copy is as good.
    if (!fs.existsSync(paths.stamp)) throw error;
  } finally {
    fs.rmSync(building, { recursive: true, force: true });
  }
  return paths;
}

const browsers = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

function findOnPath(names) {
  for (const name of names) {
    for (const folder of (process.env.PATH ?? '').split(path.delimiter)) {
      const file = path.join(folder, name);
      if (folder && fs.existsSync(file)) return file;
    }
  }
  return undefined;
}

/**
 * The path of a Chromium. `AIRLOCK_CHROMIUM` names one; otherwise the installed one; otherwise Debian's package is
 * installed, where that can be done without asking for a password.
 * @throws with what to do when there is none.
 */
export function ensureChromium(log = console.log) {
  const found = process.env.AIRLOCK_CHROMIUM ?? findOnPath(browsers);
  if (found) return found;
  const advice = 'Install it (Debian: apt-get install chromium), or name a Chromium or Chrome in AIRLOCK_CHROMIUM.';
  if (!findOnPath(['apt-get'])) throw new Error(`No Chromium was found. ${advice}`);
  const sudo = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  const apt = (...args) => {
    const [command, ...rest] = [...sudo, 'apt-get', ...args];
    return run(command, rest, { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } });
  };
  log('Installing Chromium (apt-get) …');
  apt('update');
  const { ok, said } = apt('install', '-y', '--no-install-recommends', 'chromium');
  const installed = findOnPath(browsers);
  if (!ok || !installed) throw new Error(`Chromium could not be installed. ${advice}\n${said.slice(-500)}`);
  return installed;
}

/** Both. */
export function ensureVSCode(log = console.log) {
  return { ...ensureCodeServer(log), chromium: ensureChromium(log) };
}
