import fs from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import { openPage, root, startBrowser, startServer, workbenchUrl } from '../../../scripts/vscode.mjs';

/**
 * Takes out of a manifest whatever activates its extension, so that only the measurement does: VS Code makes activation
 * events of what is contributed too.
 */
export function silence(file: string): void {
  const {
    activationEvents: _,
    contributes: __,
    ...rest
  } = JSON.parse(fs.readFileSync(file, 'utf8')) as Record<string, unknown>;
  fs.writeFileSync(file, JSON.stringify({ ...rest, activationEvents: [] }));
}

/** Bundles a measurement of this folder, so that an extension host can load it. */
export async function bundleForHost(name: string, outfile: string): Promise<void> {
  await build({
    entryPoints: [path.join(root, 'test', 'bench', 'activationHost', name)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    external: ['vscode'],
    logLevel: 'warning',
  });
}

export interface HostRun {
  /** The folder of the installed extension. */
  readonly extension: string;
  /** The folder of the extension under development, which brings the measurement in. */
  readonly development: string;
  /** The bundle whose `run` is called in the host. */
  readonly tests: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Runs a measurement in the extension host of a real VS Code. @throws when it ends with another code than 0. */
export async function runInHost({ extension, development, tests, env }: HostRun): Promise<void> {
  const server = await startServer({ extension, smokeTestDriver: true, env });
  const browser = await startBrowser();
  try {
    const page = await openPage(browser, server);
    const ended = new Promise<number>((resolve) => {
      void page.exposeFunction('codeAutomationExit', resolve);
    });
    await page.exposeFunction('codeAutomationLog', () => {});
    const remote = (file: string): string => `vscode-remote://${new URL(server.url).host}${file}`;
    await page.goto(
      workbenchUrl(server, undefined, [
        ['extensionDevelopmentPath', remote(development)],
        ['extensionTestsPath', remote(tests)],
      ]),
    );
    const code = await ended;
    if (code !== 0) throw new Error(`The measurement ended with ${code}:\n${server.log()}`);
  } finally {
    await browser.close();
    await server.stop();
  }
}
