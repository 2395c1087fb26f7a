// The extension as a user gets it: what is packaged, and nothing of the working tree beside it.
import fs from 'node:fs';
import path from 'node:path';
import { root } from './vscodeInstall.mjs';

const packaged = ['package.json', 'package.nls.json', 'README.md', 'LICENSE', 'dist', 'media', 'l10n'];

/**
 * Copies the built extension into `folder`, so that a later build does not pull it away from under a running VS Code.
 * @throws when it is not built.
 */
export function stageExtension(folder = path.join(root, 'out', 'extension')) {
  if (!fs.existsSync(path.join(root, 'dist', 'extension.js'))) {
    throw new Error('The extension is not built: run "npm run build" first.');
  }
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });
  for (const name of packaged) {
    const from = path.join(root, name);
    if (fs.existsSync(from)) fs.cpSync(from, path.join(folder, name), { recursive: true });
  }
  return folder;
}
