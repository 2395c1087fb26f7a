// Runs every test there is and says at the end how many passed. Each suite is a process of its own, so that one that hangs or
// crashes fails alone. Arguments name suites; without any, all are run.
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');
const node = process.execPath;
// `--exit`: what a test that failed left open must not keep the others' results back.
const mocha = ['node_modules/mocha/bin/mocha.js', '--config', '.mocharc.json', '--exit'];
// Two files at a time, each in a process of its own, which stays small: starting a program costs by what the starter's memory is.
const twoFiles = [...mocha, '--parallel', '--jobs', '2'];

/**
 * In the order from quick to slow. `minutes` is how long a suite may take before it is ended as hung. `single` is one check that only
 * reads the source: those run beside the others, with what these leave of the processors. `inVSCode`: it needs a real VS Code.
 */
const suites = {
  types: { command: ['npm', 'run', '--silent', 'typecheck'], minutes: 30, single: true },
  lint: { command: [node, 'scripts/lint.mjs', '.'], minutes: 30, single: true },
  format: { command: [node, 'node_modules/prettier/bin/prettier.cjs', '--check', '.'], minutes: 30, single: true },
  unit: { command: [node, ...twoFiles, 'test/unit/**/*.test.ts'], minutes: 8 },
  jail: { command: [node, ...twoFiles, '--timeout', '60000', 'test/jail/**/*.test.ts'], minutes: 12 },
  whole: { command: [node, ...twoFiles, '--timeout', '120000', 'test/whole/**/*.test.ts'], minutes: 14 },
  crash: { command: [node, ...mocha, '--timeout', '300000', 'test/crash/**/*.test.ts'], minutes: 10 },
  host: { command: [node, 'test/host/run.mjs'], minutes: 8, inVSCode: true },
  // One at a time: two of them keep both processors of a small machine so busy that it is hardly quicker (666 s for 716 s).
  ui: { command: [node, ...mocha, '--timeout', '120000', 'test/ui/**/*.test.ts'], minutes: 25, inVSCode: true },
};

const failedWhole = { passed: 0, failed: 1, skipped: 0 };

/** The suites that run, to be ended when this is. */
const current = new Set();

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, () => {
    for (const suite of current) {
      endGroup(suite.pid);
      removeTemporaryFolder(suite.name, suite.temporary);
    }
    process.kill(process.pid, signal);
  });
}

function runSuite(name, { command, minutes, single }) {
  return new Promise((resolve) => {
    // What runs beside others says at the end what it has found.
    if (!single) process.stdout.write(`\n━━ ${name}\n`);
    const started = Date.now();
    const [program, ...args] = command;
    const temporary = makeTemporaryFolder();
    // A group of its own, so that whatever it started can be ended with it.
    const child = spawn(program, args, {
      cwd: root,
      detached: true,
      env: { ...process.env, TMPDIR: temporary },
      stdio: ['ignore', 'pipe', single ? 'pipe' : 'inherit'],
    });
    let output = '';
    const keep = (chunk) => {
      if (!single) process.stdout.write(chunk);
      output = (output + chunk).slice(-200_000);
    };
    child.stdout.on('data', keep);
    child.stderr?.on('data', keep);
    const running = { name, pid: child.pid, temporary };
    current.add(running);
    if (single && child.pid) giveWay(child.pid);
    let hung = false;
    const timer = setTimeout(() => {
      hung = true;
      process.stderr.write(`\n${name} did not end within ${minutes} minutes and is killed.\n`);
      endGroup(child.pid);
    }, minutes * 60_000);
    const end = (result) => {
      clearTimeout(timer);
      current.delete(running);
      removeTemporaryFolder(name, temporary);
      resolve({ name, single, output, seconds: Math.round((Date.now() - started) / 1000), ...result });
    };
    child.on('close', (code) => {
      endGroup(child.pid);
      end(count(output, hung ? 1 : (code ?? 1), single));
    });
    child.on('error', (error) => {
      process.stderr.write(`${name}: ${error.message}\n`);
      end(failedWhole);
    });
  });
}

/**
 * Some tests run as another user. The name is short, for sockets lie below it and their paths may have 107 bytes. For root it is in
 * memory: the suites make and delete some 100,000 files, and on a disk each new one costs the more the more were deleted just before
 * (ext4 looks past them one by one). A killed process leaves the same in both; what needs a real disk's failures makes its own.
 */
function makeTemporaryFolder() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'alt-'));
  if (process.getuid?.() === 0) {
    // Where it may not mount, as in a container, it stays on the disk: the same, but slower.
    spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=50%', 'airlock-tests', folder], { stdio: 'ignore' });
  }
  fs.chmodSync(folder, 0o1777);
  return folder;
}

/** Compilers and Node keep caches there for the processes that come next. Everything else is said: a test forgot it, or was killed. */
const caches = /^(tsx-\d+|node-compile-cache|v8-compile-cache.*)$/;

function removeTemporaryFolder(suite, folder) {
  const left = fs.readdirSync(folder).filter((name) => !caches.test(name));
  if (left.length > 0) process.stderr.write(`${suite} left temporary files, which are deleted: ${left.join(', ')}\n`);
  // Lazily, for something that was just killed may still be in it.
  spawnSync('umount', ['--lazy', folder], { stdio: 'ignore' });
  // What a jail made may be deeper than any path can name, which Node's own cannot delete.
  spawnSync('rm', ['-rf', '--', folder], { stdio: 'inherit' });
}

/** @returns whether it is there; what was in the way has been said. */
function installVSCode() {
  return new Promise((resolve) => {
    const child = spawn(node, ['scripts/setup.mjs', '--tests'], { cwd: root, stdio: 'inherit' });
    child.on('close', (code) => resolve(code === 0));
    child.on('error', () => resolve(false));
  });
}

/** It gets what nobody else wants of the processors. */
function giveWay(pid) {
  try {
    os.setPriority(pid, os.constants.priority.PRIORITY_BELOW_NORMAL);
    // Linux gives each session its share, whatever the priorities within: sched(7), "The autogroup feature".
    const autogroup = `/proc/${pid}/autogroup`;
    if (fs.existsSync(autogroup)) fs.writeFileSync(autogroup, '10');
  } catch {
    // It has ended already, or the kernel lets this user do it only now and then. It is a courtesy.
  }
}

function endGroup(pid) {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It is over already.
  }
}

/** What mocha says of the tests that failed, from its count of them on; a check that has failed is all of it what it says. */
function failuresIn({ output, failed, single }) {
  if (failed === 0) return '';
  if (single) return output;
  const at = output.search(/^\s*\d+ failing\b/m);
  return at < 0 ? '' : output.slice(at);
}

/** Mocha's own closing lines; a suite that ends badly without them counts as one failure. */
function count(output, code, single) {
  if (single) return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 };
  const sum = (word) =>
    [...output.matchAll(new RegExp(`^\\s*(\\d+) ${word}\\b`, 'gm'))].reduce(
      (total, match) => total + Number(match[1]),
      0,
    );
  const result = { passed: sum('passing'), failed: sum('failing'), skipped: sum('pending') };
  if (code !== 0 && result.failed === 0) result.failed = 1;
  // A suite in which no test ran has not shown anything.
  if (code === 0 && result.passed === 0) result.failed = 1;
  return result;
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in suites));
if (unknown.length > 0) {
  process.stderr.write(`No such suite: ${unknown.join(', ')}. There are: ${Object.keys(suites).join(', ')}\n`);
  process.exit(2);
}
const needsVSCode = wanted.length === 0 || wanted.some((name) => suites[name].inVSCode);
const setup = spawnSync(node, ['scripts/setup.mjs'], { cwd: root, stdio: 'inherit' });
if (setup.status !== 0) {
  process.stdout.write('\n0 passed, 1 failed\n');
  process.exit(setup.status ?? 1);
}
// It comes over the network, and only the last suites need it.
const hasVSCode = needsVSCode ? installVSCode() : Promise.resolve(true);
const results = [];
const asked = Object.entries(suites).filter(([name]) => wanted.length === 0 || wanted.includes(name));
const beside = Promise.all(asked.filter(([, suite]) => suite.single).map((each) => runSuite(...each)));
for (const [name, suite] of asked.filter(([, { single }]) => !single)) {
  if (suite.inVSCode && !(await hasVSCode)) results.push({ name, output: '', seconds: 0, ...failedWhole });
  else results.push(await runSuite(name, suite));
}
results.unshift(...(await beside));
// Once more and at the end: between them and here may lie half an hour of other suites.
for (const result of results) {
  if (result.failed > 0) process.stdout.write(`\n━━ ${result.name} failed\n${failuresIn(result)}\n`);
}
process.stdout.write('\n');
for (const { name, passed, failed, skipped, seconds } of results) {
  const verdict = failed === 0 ? 'ok    ' : 'FAILED';
  process.stdout.write(
    `${name.padEnd(8)} ${verdict} ${passed} good, ${failed} bad, ${skipped} skipped, ${seconds} s\n`,
  );
}
const total = (key) => results.reduce((sum, result) => sum + result[key], 0);
process.stdout.write(
  `\n${total('passed')} passed, ${total('failed')} failed${total('skipped') > 0 ? `, ${total('skipped')} skipped` : ''}\n`,
);
process.exit(total('failed') === 0 ? 0 : 1);
