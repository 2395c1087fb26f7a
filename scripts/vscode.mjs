// A real VS Code for tests and for a look: installs it, starts it. As a command it installs (`--code-server` without
// the browser) and prints where everything is.
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { ensureCodeServer, ensureVSCode } from './vscodeInstall.mjs';

export { ensureChromium, ensureCodeServer, ensureVSCode, root } from './vscodeInstall.mjs';
export { quietSettings, startServer, workbenchUrl } from './vscodeServer.mjs';
export { openPage, startBrowser } from './vscodeBrowser.mjs';
export { stageExtension } from './vscodeStage.mjs';

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    const found = process.argv.includes('--code-server') ? ensureCodeServer() : ensureVSCode();
    console.log(JSON.stringify(found, null, 2));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
