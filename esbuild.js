// Builds everything into dist/: the extension, the headless command, the database worker and the webview.
// The Anthropic SDK is a bundle of its own, loaded when an engine is first needed (activation has a budget).
const fs = require('node:fs');
const path = require('node:path');
const esbuild = require('esbuild');

// Tests build a copy of their own, so that nobody changes it under them: it must lie in this folder, where the packages are.
const elsewhere = process.argv.find((argument) => argument.startsWith('--outdir='));
const dist = path.resolve(__dirname, elsewhere?.slice('--outdir='.length) ?? 'dist');
const production = process.argv.includes('--production');

/** Leaves a heavy package out of a bundle and points the import at its own bundle in dist/. */
const ownBundles = {
  name: 'own-bundles',
  setup(build) {
    build.onResolve({ filter: /^@anthropic-ai\/sdk$/ }, (args) =>
      args.kind === 'entry-point' ? undefined : { path: './anthropicSdk.js', external: true },
    );
    // The extension shows its views at once; the rooms are loaded behind them.
    build.onResolve({ filter: /^\.\/assemble$/ }, (args) =>
      args.importer.endsWith('extension.ts') ? { path: './rooms.js', external: true } : undefined,
    );
  },
};

/** zod carries its messages in 50 languages into every bundle; ours are our own. */
const oneLanguage = {
  name: 'one-language',
  setup(build) {
    build.onLoad({ filter: /zod[\\/]v4[\\/]locales[\\/]index\.c?js$/ }, () => ({ contents: 'export {};' }));
  },
};

const node = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  outdir: dist,
  minify: production,
  sourcemap: production ? false : 'linked',
  legalComments: 'none',
  logLevel: 'warning',
  // node-pty is a native module: VS Code's own copy, or the installed one, found at run time.
  external: ['vscode', 'node-pty'],
  // Packages ask it whether they run in a browser, and VS Code logs an error for each extension that touches it.
  define: { navigator: 'undefined' },
};

async function buildAll() {
  fs.rmSync(dist, { recursive: true, force: true });
  const has = (file) => fs.existsSync(path.join(__dirname, file));
  const builds = [
    esbuild.build({ ...node, entryPoints: { anthropicSdk: '@anthropic-ai/sdk' } }),
    esbuild.build({
      ...node,
      plugins: [ownBundles, oneLanguage],
      entryPoints: Object.fromEntries(
        Object.entries({
          extension: 'src/extension.ts',
          rooms: 'src/assemble.ts',
          airlock: 'src/cli/airlock.ts',
          databaseWorker: 'src/store/databaseWorker.ts',
        }).filter(([, file]) => has(file)),
      ),
    }),
  ];
  if (has('webview/analytics.ts')) {
    builds.push(
      esbuild.build({
        bundle: true,
        plugins: [oneLanguage],
        platform: 'browser',
        target: 'es2022',
        format: 'iife',
        outdir: path.join(dist, 'webview'),
        minify: production,
        sourcemap: production ? false : 'linked',
        legalComments: 'none',
        logLevel: 'warning',
        entryPoints: { analytics: 'webview/analytics.ts' },
      }),
    );
  }
  await Promise.all(builds);
  fs.copyFileSync(require.resolve('sql.js/dist/sql-wasm.wasm'), path.join(dist, 'sql-wasm.wasm'));
}

buildAll().catch((error) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
