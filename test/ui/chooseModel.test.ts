import fs from 'node:fs';
import path from 'node:path';
import { type ModelListServer, startModelListServer, writeJson } from '../fakes/modelListServer';
import { openDemo } from './demoWindow';
import type { DemoWorld } from './demoWorld';
import { eventually, type Workbench } from './workbench';

const models = [
  { id: 'claude-sonnet-5-5', display_name: 'Claude Sonnet 5.5', max_input_tokens: 1_000_000, lifecycle: 'active' },
  { id: 'claude-opus-4-1', display_name: 'Claude Opus 4.1', max_input_tokens: 200_000, lifecycle: 'deprecated' },
];

describe('choosing a model in a real VS Code', function () {
  this.timeout(120_000);
  let world: DemoWorld;
  let server: ModelListServer;
  let workbench: Workbench;
  let hasList = true;

  before(async () => {
    server = await startModelListServer((_, response) =>
      hasList ? writeJson(response, 200, { data: models }) : writeJson(response, 404, { error: 'not found' }),
    );
  });

  openDemo(
    { tasks: [] },
    (opened) => ({ world, workbench } = opened),
    ({ env }) => ({ env: { ...env, ANTHROPIC_BASE_URL: server.baseUrl } }),
  );

  after(() => server?.close());

  const chosen = async (): Promise<string | undefined> => {
    const files = [
      path.join(world.folder, 'd', 'Machine', 'settings.json'),
      path.join(world.folder, 'd', 'User', 'settings.json'),
    ];
    const texts = files.flatMap((file) => (fs.existsSync(file) ? [fs.readFileSync(file, 'utf8')] : []));
    return texts
      .map((text) => /"airlock\.engine\.model": "([^"]*)"/.exec(text)?.[1])
      .find((name) => name !== undefined);
  };

  it('shows what the server has, which one is in use, and writes the chosen one into the setting', async () => {
    for (const theme of ['light', 'dark'] as const) {
      await workbench.setTheme(theme);
      await workbench.command('Airlock: Choose Model…');
      await workbench.offers(['claude-sonnet-5-5', 'claude-opus-4-1', 'airlock-scripted', 'Default', 'Another name…']);
      await workbench.screenshot(`choose-model-${theme}`);
      await workbench.page.keyboard.press('Escape');
    }
    await workbench.command('Airlock: Choose Model…');
    await workbench.pick('claude-sonnet-5-5');
    await eventually(chosen, (name) => name === 'claude-sonnet-5-5');
  });

  it('asks for the name where the server has no list', async () => {
    hasList = false;
    await workbench.command('Airlock: Choose Model…');
    await workbench.page.locator('.quick-input-widget').filter({ hasText: 'has no list of its models' }).waitFor();
    await workbench.screenshot('choose-model-name-dark');
    await workbench.answer('qwen3:8b');
    await eventually(chosen, (name) => name === 'qwen3:8b');
  });

  it('says what is wrong when the server cannot be asked', async () => {
    await server.close();
    await workbench.command('Airlock: Choose Model…');
    await workbench.page
      .locator('.notifications-toasts .notification-list-item-message')
      .filter({ hasText: /is not reachable \(ECONNREFUSED\)/ })
      .waitFor();
  });
});
