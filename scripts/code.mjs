// Opens the demo in a real VS Code: the sample repository, the sample tasks and, without a key, the scripted model. A desktop
// VS Code is used where one is named in AIRLOCK_VSCODE, or is on the PATH and there is a display; otherwise VS Code in the
// browser, served by code-server on loopback. Ctrl-C ends it and deletes what it made.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { tsImport } from 'tsx/esm/api';
import { root, stageExtension, startServer, workbenchUrl } from './vscode.mjs';

const say = (text) => process.stdout.write(`${text}\n`);
const hasModel = ['ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN', 'ANTHROPIC_BASE_URL'].some((name) => process.env[name]);

function desktopVSCode() {
  if (process.env.AIRLOCK_VSCODE) return process.env.AIRLOCK_VSCODE;
  if (process.platform === 'linux' && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY) return undefined;
  return (process.env.PATH ?? '')
    .split(path.delimiter)
    .map((folder) => path.join(folder, 'code'))
    .find((file) => fs.existsSync(file));
}

/** Resolves when the user wants it to end. */
function interrupted() {
  return new Promise((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
}

async function openDesktop(executable, world, settings, extension) {
  const data = path.join(world.folder, 'd');
  fs.mkdirSync(path.join(data, 'User'), { recursive: true });
  fs.writeFileSync(path.join(data, 'User', 'settings.json'), JSON.stringify(settings, null, 2));
  const args = [`--extensionDevelopmentPath=${extension}`, `--user-data-dir=${data}`, '--disable-workspace-trust'];
  args.push(`--extensions-dir=${path.join(world.folder, 'e')}`, '--new-window', '--wait', world.repository);
  const child = spawn(executable, args, { stdio: 'inherit', env: { ...process.env, ...world.env } });
  say(`VS Code opens ${world.repository}. Close its window, or press Ctrl-C here, to end.`);
  await Promise.race([interrupted(), new Promise((resolve) => child.once('exit', resolve))]);
  child.kill();
}

async function openInBrowser(world, settings, extension) {
  const { env, folder } = world;
  const port = Number(process.env.PORT ?? 0);
  const server = await startServer({ extension, folder, env, settings, port, log: say });
  try {
    say(`\nOpen      ${workbenchUrl(server, world.repository)}`);
    say(`Password  ${server.password}`);
    say(
      '\nThen choose Airlock in the bar on the left. Press Ctrl-C here to end; that deletes the sample repository too.',
    );
    await Promise.race([interrupted(), server.ended]);
    say('\nEnding …');
  } finally {
    await server.stop();
  }
}

const { makeDemoWorld } = await tsImport('../test/ui/demoWorld.ts', import.meta.url);
const world = await makeDemoWorld({ realModel: hasModel, turnDelayMs: 700 });
try {
  say(`Sample repository  ${world.repository}`);
  say(
    hasModel
      ? 'Model              as ANTHROPIC_API_KEY and ANTHROPIC_BASE_URL say; press Start Queue to begin'
      : 'Model              a bundled script that only plays a model: no AI does this work. Set ANTHROPIC_API_KEY to have Claude do it.',
  );
  // What costs nothing begins by itself; what costs money waits to be told.
  const settings = { ...world.settings, 'airlock.startQueueOnOpen': !hasModel };
  const extension = stageExtension(path.join(root, 'out', 'extension'));
  const executable = desktopVSCode();
  if (executable) await openDesktop(executable, world, settings, extension);
  else await openInBrowser(world, settings, extension);
} finally {
  await world.close();
}
