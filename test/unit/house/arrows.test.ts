import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { z } from 'zod';

const root = path.resolve(__dirname, '../../..');
const reportSchema = z.object({ diagnostics: z.array(z.object({ code: z.string(), message: z.string() })) });

/** What the house's lint says of the imports of `code`, were it the text of `file`. */
async function messagesFor(file: string, code: string): Promise<string[]> {
  const { arrowRules } = (await import(path.join(root, 'scripts', 'arrows.mjs'))) as { arrowRules: () => unknown[] };
  const folder = mkdtempSync(path.join(os.tmpdir(), 'airlock-arrows-'));
  try {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    writeFileSync(path.join(folder, file), code);
    const config = { plugins: ['eslint'], categories: { correctness: 'off' }, overrides: arrowRules() };
    writeFileSync(path.join(folder, '.oxlintrc.json'), JSON.stringify(config));
    const oxlint = path.join(root, 'node_modules', '.bin', 'oxlint');
    const { stdout } = spawnSync(oxlint, ['--config', '.oxlintrc.json', '--format', 'json', file], {
      cwd: folder,
      encoding: 'utf8',
    });
    return reportSchema.parse(JSON.parse(stdout)).diagnostics.map(({ code: rule, message }) => `${rule}: ${message}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('the arrows of the house', () => {
  const forbidden: [string, string, string][] = [
    ['a room that imports another room', 'src/executor/queue.ts', "import { x } from '../jail/argv';"],
    ['a room within a room', 'src/sources/zmemory/client.ts', "import { x } from '../../store/journal';"],
    ['core importing upwards', 'src/core/task.ts', "import { x } from '../executor/queue';"],
    ['base importing anything', 'src/base/ids.ts', "import { x } from '../core/task';"],
    ['an entrance importing a room below assemble', 'src/extension.ts', "import { x } from './jail/argv';"],
    ['an entrance importing a part of assemble', 'src/extension.ts', "import { x } from './assemble/openSources';"],
    ['the command line importing a part of assemble', 'src/cli/airlock.ts', "import { x } from '../assemble/options';"],
    ['a room importing a part of assemble', 'src/executor/queue.ts', "import { x } from '../assemble/options';"],
    ['a part of assemble importing the UI', 'src/assemble/openSources.ts', "import { x } from '../ui/tree';"],
    ['the command line importing the UI', 'src/cli/airlock.ts', "import { x } from '../ui/tree';"],
    ['types of vscode outside the UI', 'src/executor/queue.ts', "import type { Uri } from 'vscode';"],
    ['the SDK outside its engine', 'src/executor/queue.ts', "import Anthropic from '@anthropic-ai/sdk';"],
    ['a part of the SDK outside its engine', 'src/cli/demo.ts', "import { x } from '@anthropic-ai/sdk/resources';"],
    ['the webview importing more than the protocol', 'webview/analytics.ts', "import { x } from '../src/core/task';"],
  ];
  for (const [what, file, code] of forbidden) {
    it(`catches ${what}`, async () => {
      const [message, ...more] = await messagesFor(file, code);
      assert.match(message ?? '', /^eslint\(no-restricted-imports\): /);
      assert.deepEqual(more, []);
    });
  }

  const allowed: [string, string, string][] = [
    ['a file of the same room', 'src/core/events.ts', "import { x } from './jail';"],
    ['core from a room', 'src/jail/argv.ts', "import { x } from '../core/jailPolicy';"],
    ['the jail from sessions', 'src/sessions/session.ts', "import { x } from '../jail/argv';"],
    ['vscode in the UI', 'src/ui/tree.ts', "import * as vscode from 'vscode';"],
    ['a room from assemble', 'src/assemble.ts', "import { x } from './store/journal';"],
    ['a room from a part of assemble', 'src/assemble/openSources.ts', "import { x } from '../sources/ownWrites';"],
    ['a part of assemble from assemble', 'src/assemble.ts', "import { x } from './assemble/openSources';"],
    ['assemble from the command line', 'src/cli/airlock.ts', "import { x } from '../assemble';"],
    ['the protocol from the webview', 'webview/analytics.ts', "import type { x } from '../src/protocol/analytics';"],
  ];
  for (const [what, file, code] of allowed) {
    it(`lets ${what} in`, async () => {
      assert.deepEqual(await messagesFor(file, code), []);
    });
  }
});
