// Starts a code-server with settings, extensions and a home folder of its own, and ends it with everything it started.
import { spawn, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { URLSearchParams } from 'node:url';
import { ensureCodeServer, root } from './vscodeInstall.mjs';

/** Settings under which nothing distracts, and terminal text is in the DOM. */
export const quietSettings = {
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  'extensions.ignoreRecommendations': true,
  'git.openRepositoryInParentFolders': 'never',
  'remote.autoForwardPorts': false,
  'security.workspace.trust.enabled': false,
  'telemetry.telemetryLevel': 'off',
  'terminal.integrated.gpuAcceleration': 'off',
  'update.mode': 'none',
  'window.commandCenter': false,
  'workbench.reduceMotion': 'on',
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
  'workbench.welcomePage.walkthroughs.openOnInstall': false,
  'chat.disableAIFeatures': true,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  // Tests keep the machine busy themselves.
  'airlock.host.maxCpuPercent': 0,
  'airlock.host.maxMemoryPercent': 0,
};

/** Living servers, so that none outlives this process. */
const living = new Set();
process.once('exit', () => {
  for (const pid of living) killGroup(pid, 'SIGKILL');
});

function killGroup(pid, signal) {
  try {
    process.kill(-pid, signal);
    return true;
  } catch {
    return false;
  }
}

async function endGroup(pid, graceMs = 5000) {
  killGroup(pid, 'SIGTERM');
  const deadline = Date.now() + graceMs;
  // Signal 0 asks whether anybody of the group is still there.
  while (killGroup(pid, 0) && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
  killGroup(pid, 'SIGKILL');
  living.delete(pid);
}

/** A short path: a Unix socket's is at most 107 bytes, and VS Code makes some below these folders. */
function makeFolders(folder) {
  const at = (name) => path.join(folder, name);
  const folders = { home: at('h'), tmp: at('t'), data: at('d'), extensions: at('e'), run: at('r') };
  for (const each of Object.values(folders)) fs.mkdirSync(each, { recursive: true, mode: 0o700 });
  return folders;
}

function environmentOf(folders, paths, extra) {
  const inherited = Object.fromEntries(
    // VS Code's own, should this run inside one, and npm's would lead it astray.
    Object.entries(process.env).filter(
      ([name]) => !/^(VSCODE_|ELECTRON_|npm_|NODE_OPTIONS$|PASSWORD$|PORT$)/.test(name),
    ),
  );
  return {
    ...inherited,
    PATH: `${path.dirname(paths.node)}${path.delimiter}${process.env.PATH}`,
    HOME: folders.home,
    TMPDIR: folders.tmp,
    XDG_CONFIG_HOME: path.join(folders.home, '.config'),
    XDG_CACHE_HOME: path.join(folders.home, '.cache'),
    XDG_DATA_HOME: path.join(folders.home, '.local', 'share'),
    XDG_RUNTIME_DIR: folders.run,
    EXTENSIONS_GALLERY: '{"serviceUrl":""}',
    ...extra,
  };
}

/**
 * The browser is a client of a remote machine: what may be set per machine alone stands in the machine's own settings. In
 * a folder that is kept, what the user has changed since stays.
 */
function writeSettings(data, settings) {
  for (const place of ['User', 'Machine']) {
    const file = path.join(data, place, 'settings.json');
    fs.mkdirSync(path.dirname(file), { recursive: true });
    const kept = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : {};
    const ours = Object.entries(settings).filter(([name]) => place === 'User' || name.startsWith('airlock.'));
    fs.writeFileSync(file, JSON.stringify({ ...Object.fromEntries(ours), ...kept }, null, 2));
  }
}

function linkExtension(extension, extensionsFolder) {
  const { publisher, name, version } = JSON.parse(fs.readFileSync(path.join(extension, 'package.json'), 'utf8'));
  const link = path.join(extensionsFolder, `${publisher}.${name}-${version}`);
  // Made anew each time: the folder that it points to may have moved.
  fs.rmSync(link, { force: true });
  fs.symlinkSync(extension, link);
}

function installVsix(paths, folders, env, vsix) {
  const args = [paths.entry, '--config', path.join(folders.home, 'code-server.yaml')];
  const where = ['--user-data-dir', folders.data, '--extensions-dir', folders.extensions];
  const { status, stdout, stderr } = spawnSync(paths.node, [...args, ...where, '--install-extension', vsix], {
    env,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`Installing ${vsix} failed:\n${stdout}${stderr}`);
}

/** Resolves with the address that the server says it listens on. */
function addressOf(child, output) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`code-server did not start in 60 s:\n${output.text}`)), 60_000);
    const settle = (end) => {
      clearTimeout(timer);
      end();
    };
    child.once('error', (error) => settle(() => reject(error)));
    child.once('exit', (code) => settle(() => reject(new Error(`code-server ended with ${code}:\n${output.text}`))));
    const look = () => {
      const match = /HTTP server listening on (http:\/\/[^\s/]+)/.exec(output.text);
      if (match) settle(() => resolve(match[1]));
    };
    child.stdout.on('data', look);
    child.stderr.on('data', look);
  });
}

/**
 * code-server asks at each request whether it may be answered. For a password it reckons an Argon2 hash each time, a sixth of all that a
 * window takes of the processors; given this, it compares. The password is random, so that nobody guesses it by quick hashes.
 */
function quickHash(password) {
  return createHash('sha256').update(password).digest('hex');
}

/** Logs in once, and answers the cookie: a server that gives out shells asks for its password on loopback too. */
async function logIn(url, password) {
  const answer = await fetch(`${url}/login`, {
    method: 'POST',
    body: new URLSearchParams({ password }),
    redirect: 'manual',
  });
  const [cookie] = (answer.headers.get('set-cookie') ?? '').split(';');
  const [name, value] = cookie.split('=');
  if (!name || !value) throw new Error(`code-server did not let us in: HTTP ${answer.status}`);
  return { name, value: decodeURIComponent(value), url };
}

/**
 * Starts a code-server.
 *
 * - `extension`: a folder with a built extension to link in (default: this one); `null` for none.
 * - `vsix`: a packaged extension to install instead.
 * - `folder`: where home, settings and extensions are kept. Default: a new temporary one that is deleted at the end.
 * - `settings`: merged over `quietSettings`. `env`: for the extension host. `port`: 0 for a free one.
 * - `launcher`: a program and its arguments that start the server, such as `unshare …`. It must become the server by `exec`.
 * - `smokeTestDriver`: needed to load a development extension by the address; it suppresses notifications.
 */
export async function startServer(options = {}) {
  const { extension = root, vsix, settings = {}, env: extraEnv = {}, port = 0, smokeTestDriver = false } = options;
  const paths = ensureCodeServer(options.log);
  const isTemporary = options.folder === undefined;
  const folder = options.folder ?? fs.mkdtempSync(path.join(os.tmpdir(), 'alk-'));
  const folders = makeFolders(folder);
  const env = environmentOf(folders, paths, extraEnv);
  writeSettings(folders.data, { ...quietSettings, ...settings });
  if (vsix) installVsix(paths, folders, env, vsix);
  else if (extension) linkExtension(extension, folders.extensions);

  const password = options.password ?? randomBytes(12).toString('hex');
  const args = [paths.entry, '--config', path.join(folders.home, 'code-server.yaml'), '--auth', 'password'];
  args.push(
    '--bind-addr',
    `127.0.0.1:${port}`,
    '--user-data-dir',
    folders.data,
    '--extensions-dir',
    folders.extensions,
  );
  args.push('--disable-telemetry', '--disable-update-check', '--disable-getting-started-override');
  if (smokeTestDriver) args.push('--vscode-option', 'enable-smoke-test-driver');
  // When this process is killed, nobody else ends the server.
  const guard = fs.existsSync('/usr/bin/setpriv') ? ['/usr/bin/setpriv', '--pdeathsig', 'TERM', '--'] : [];
  const [command, ...rest] = [...(options.launcher ?? []), ...guard, paths.node, ...args];
  const child = spawn(command, rest, {
    env: { ...env, HASHED_PASSWORD: quickHash(password) },
    cwd: folders.home,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  living.add(child.pid);
  const output = { text: '' };
  const keep = (chunk) => (output.text = (output.text + chunk).slice(-200_000));
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const stop = async () => {
    await endGroup(child.pid);
    if (isTemporary) fs.rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  try {
    const url = await addressOf(child, output);
    return {
      url,
      password,
      cookie: await logIn(url, password),
      folder,
      folders,
      pid: child.pid,
      log: () => output.text,
      ended: new Promise((resolve) => child.once('exit', resolve)),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The address that opens `folder`, or the folders of a `.code-workspace` file; `payload` goes to the workbench's development options. */
export function workbenchUrl(server, folder, payload = []) {
  const url = new URL(server.url);
  if (folder) url.searchParams.set(folder.endsWith('.code-workspace') ? 'workspace' : 'folder', folder);
  else url.searchParams.set('ew', 'true');
  if (payload.length > 0) url.searchParams.set('payload', JSON.stringify(payload));
  return url.toString();
}
