import assert from 'node:assert/strict';
import path from 'node:path';
import { ESLint } from 'eslint';

const root = path.resolve(__dirname, '../../..');

/** What the house's lint says of `code`, were it the text of `file`. */
async function messagesFor(file: string, code: string): Promise<string[]> {
  const eslint = new ESLint({
    cwd: root,
    // Type-aware rules need the file to exist; the arrows do not.
    ruleFilter: ({ ruleId }) => ruleId === 'no-restricted-imports',
    overrideConfig: { languageOptions: { parserOptions: { projectService: false } } },
  });
  const [result] = await eslint.lintText(code, { filePath: path.join(root, file) });
  return (result?.messages ?? []).map((message) => message.message);
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
      assert.equal((await messagesFor(file, code)).length, 1);
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
