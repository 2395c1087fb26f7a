import fs from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import { root } from '../../scripts/vscode.mjs';

/** Builds the extension that has the analytics page alone, and answers its folder. */
export async function buildAnalyticsExtension(): Promise<string> {
  const folder = path.join(root, 'out', 'analytics-extension');
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });
  const source = path.join(root, 'test', 'ui', 'analyticsExtension');
  fs.copyFileSync(path.join(source, 'package.json'), path.join(folder, 'package.json'));
  await Promise.all([
    build({
      entryPoints: [path.join(source, 'extension.ts')],
      outfile: path.join(folder, 'extension.js'),
      bundle: true,
      platform: 'node',
      target: 'node20',
      format: 'cjs',
      external: ['vscode'],
      logLevel: 'warning',
    }),
    build({
      entryPoints: [path.join(root, 'webview', 'analytics.ts')],
      outdir: path.join(folder, 'dist', 'webview'),
      bundle: true,
      platform: 'browser',
      target: 'es2022',
      format: 'iife',
      minify: true,
      logLevel: 'warning',
    }),
  ]);
  return folder;
}
