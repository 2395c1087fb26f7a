#!/usr/bin/env node
// Stands where VS Code's executable does, for `vscode-test`: takes its arguments, runs the extension host's tests in a
// code-server with a headless browser, prints what the tests print, and ends with their exit code.
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { format } from 'node:util';
import { openPage, startBrowser } from './vscodeBrowser.mjs';
import { startServer, workbenchUrl } from './vscodeServer.mjs';

/** No suite takes longer: then something hangs, and saying so beats waiting. */
const limitMs = Number(process.env.AIRLOCK_HOST_LIMIT_MS ?? 300_000);

function parse(argv) {
  const valueOf = (name) => argv.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
  return {
    extension: valueOf('extensionDevelopmentPath'),
    tests: valueOf('extensionTestsPath'),
    folder: argv.find((arg) => !arg.startsWith('-')),
  };
}

/** What the workbench says of its own start comes over the same wire as what the tests print. */
const chatter = new RegExp(
  [
    '^(Resolv(ing|ed) connection token|Creating a socket|Ignoring fetching additional builtin|Timed out waiting for auth)',
    '^\\[(reconnection-grace-time|Service Worker|AgentHost|AccountPolicyGate)',
  ].join('|'),
);

/** Prints what the tests and the extension print, as the console of the extension host would. */
function print(type, args) {
  const words = format(...(Array.isArray(args) ? args : [args]));
  if (chatter.test(words)) return;
  const stream = type === 'error' || type === 'warn' ? process.stderr : process.stdout;
  stream.write(`${words}\n`);
}

async function main() {
  const { extension, tests, folder } = parse(process.argv.slice(2));
  if (!extension || !tests) throw new Error('Give --extensionDevelopmentPath=FOLDER and --extensionTestsPath=FILE.');
  const env = process.env.VSCODE_TEST_OPTIONS ? { VSCODE_TEST_OPTIONS: process.env.VSCODE_TEST_OPTIONS } : {};
  const server = await startServer({ extension: null, smokeTestDriver: true, env });
  const browser = await startBrowser();
  const end = async () => {
    await browser.close();
    await server.stop();
  };
  process.once('SIGINT', () => void end().finally(() => process.exit(130)));
  process.once('SIGTERM', () => void end().finally(() => process.exit(143)));
  try {
    const page = await openPage(browser, server);
    const exitCode = new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`The tests did not end in ${limitMs} ms.`)), limitMs);
      timer.unref();
      void page.exposeFunction('codeAutomationExit', (code) => resolve(code));
      void page.exposeFunction('codeAutomationLog', print);
      page.once('crash', () => reject(new Error('The browser page crashed.')));
      void server.ended.then((code) => reject(new Error(`code-server ended with ${code}:\n${server.log()}`)));
    });
    const remote = (file) => `vscode-remote://${new URL(server.url).host}${path.resolve(file)}`;
    const payload = [
      ['extensionDevelopmentPath', remote(extension)],
      ['extensionTestsPath', remote(tests)],
    ];
    await page.goto(workbenchUrl(server, folder && path.resolve(folder), payload));
    const code = await exitCode;
    if (process.env.AIRLOCK_HOST_LOGS) {
      fs.cpSync(path.join(server.folders.data, 'logs'), process.env.AIRLOCK_HOST_LOGS, { recursive: true });
    }
    return Number(code);
  } finally {
    await end();
  }
}

main().then(
  (code) => process.exit(code),
  (error) => {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  },
);
