// The extension host's tests run in a desktop VS Code where one is named or can be downloaded, and otherwise in a
// code-server from npm (scripts/vscodeHost.mjs), which needs neither a display nor Microsoft's servers:
//   AIRLOCK_VSCODE unset      on Linux: code-server; elsewhere: a download
//   AIRLOCK_VSCODE=download   a download of VS Code's stable version
//   AIRLOCK_VSCODE=/path      that executable
import { defineConfig } from '@vscode/test-cli';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const root = path.dirname(fileURLToPath(import.meta.url));

function installation() {
  const named = process.env.AIRLOCK_VSCODE ?? (process.platform === 'linux' ? '' : 'download');
  if (named === 'download') return {};
  return { useInstallation: { fromPath: named || path.join(root, 'scripts', 'vscodeHost.mjs') } };
}

export default defineConfig({
  label: 'host',
  files: 'out/host/**/*.test.js',
  extensionDevelopmentPath: process.env.AIRLOCK_HOST_EXTENSION ?? root,
  workspaceFolder: process.env.AIRLOCK_HOST_WORKSPACE,
  mocha: { ui: 'bdd', timeout: 20_000, forbidOnly: true },
  ...installation(),
});
