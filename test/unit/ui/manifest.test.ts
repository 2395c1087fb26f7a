import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { commandEntries } from '../../../src/ui/commands/commandTable';
import {
  abilityContextKey,
  contextKeys,
  reportLanguage,
  mergeScheme,
  resultScheme,
  viewContainerId,
  viewIds,
  walkthroughId,
} from '../../../src/ui/ids';
import { settingTable } from '../../../src/ui/settings/settingTable';
import { abilities } from '../../../src/ui/tasks/abilities';

const root = path.resolve(import.meta.dirname, '../../..');
const readJson = (file: string): unknown => JSON.parse(fs.readFileSync(path.join(root, file), 'utf8'));

const menuSchema = z.array(
  z.object({ command: z.string(), when: z.string().optional(), group: z.string().optional() }),
);
const manifest = z
  .object({
    icon: z.string(),
    activationEvents: z.array(z.string()),
    extensionKind: z.array(z.string()),
    capabilities: z.object({
      untrustedWorkspaces: z.object({ supported: z.string(), restrictedConfigurations: z.array(z.string()) }),
      virtualWorkspaces: z.object({ supported: z.boolean() }),
    }),
    contributes: z.object({
      commands: z.array(z.object({ command: z.string(), title: z.string(), category: z.string() })),
      menus: z.record(z.string(), menuSchema),
      views: z.record(z.string(), z.array(z.object({ id: z.string() }))),
      viewsContainers: z.object({ activitybar: z.array(z.object({ id: z.string(), icon: z.string() })) }),
      viewsWelcome: z.array(z.object({ view: z.string(), contents: z.string(), when: z.string() })),
      languages: z.array(z.object({ id: z.string() })),
      configurationDefaults: z.record(z.string(), z.unknown()),
      configuration: z.object({
        properties: z.record(z.string(), z.looseObject({ default: z.unknown(), scope: z.string() })),
      }),
      walkthroughs: z.array(
        z.object({ id: z.string(), steps: z.array(z.object({ media: z.object({ svg: z.string() }) })) }),
      ),
    }),
  })
  .parse(readJson('package.json'));
const words = z.record(z.string(), z.string()).parse(readJson('package.nls.json'));
const { contributes } = manifest;
const wholeManifest = fs.readFileSync(path.join(root, 'package.json'), 'utf8');

describe('the manifest', () => {
  it('has exactly the commands of the table, with their titles', () => {
    const inManifest = contributes.commands.map(({ command, title, category }) => ({ command, title, category }));
    const inTable = [...commandEntries].map(([command, { title }]) => ({
      command,
      title: `%${title}%`,
      category: 'Airlock',
    }));
    assert.deepEqual(
      inManifest.toSorted((a, b) => a.command.localeCompare(b.command)),
      inTable.toSorted((a, b) => a.command.localeCompare(b.command)),
    );
  });

  it('offers each command in the palette when the table says so', () => {
    const inPalette = Object.fromEntries((contributes.menus['commandPalette'] ?? []).map((m) => [m.command, m.when]));
    const inTable = Object.fromEntries(
      [...commandEntries].flatMap(([id, { when }]) => (when === undefined ? [] : [[id, when]])),
    );
    assert.deepEqual(inPalette, inTable);
  });

  it('names only commands that there are, in menus and in welcome views', () => {
    const named = [
      ...Object.values(contributes.menus).flatMap((menu) => menu.map(({ command }) => command)),
      ...[...JSON.stringify(words).matchAll(/command:(airlock\.\w+)/g)].map(([, id]) => id),
    ];
    assert.deepEqual(
      named.filter((id) => ![...commandEntries.keys()].some((known) => known === id)),
      [],
    );
  });

  it('hides from a row what its context value does not allow', () => {
    for (const { command, when } of contributes.menus['view/item/context'] ?? []) {
      const needs = [...commandEntries].find(([id]) => id === command)?.[1].needs;
      assert.ok(needs && 'ability' in needs, command);
      assert.match(when ?? '', new RegExp(`viewItem =~ / ${needs.ability} /`), command);
    }
  });

  it('has exactly the settings of the table, with their defaults and scopes', () => {
    const inManifest = Object.entries(contributes.configuration.properties).map(([id, property]) => ({
      id,
      fallback: property.default,
      scope: property.scope,
    }));
    const inTable = Object.entries(settingTable).map(([id, { fallback, scope }]) => ({ id, fallback, scope }));
    assert.deepEqual(inManifest, inTable);
  });

  it('lets no folder choose where the key is sent, what is spent, or which repositories are worked on', () => {
    const byFolder = Object.entries(contributes.configuration.properties)
      .filter(([, { scope }]) => scope !== 'machine')
      .map(([id]) => id);
    assert.deepEqual(byFolder, ['airlock.terminal.openAutomatically']);
    assert.deepEqual(manifest.capabilities, {
      untrustedWorkspaces: { supported: 'limited', restrictedConfigurations: byFolder },
      virtualWorkspaces: { supported: false },
    });
    assert.deepEqual(manifest.extensionKind, ['workspace']);
  });

  it('uses only context keys that are set', () => {
    const known = new Set<string>([...Object.values(contextKeys), ...abilities.map(abilityContextKey)]);
    const clauses = [
      ...Object.values(contributes.menus).flatMap((menu) => menu.flatMap(({ when }) => when ?? [])),
      ...contributes.viewsWelcome.map(({ when }) => when),
    ];
    const used = clauses.flatMap((when) => [...when.matchAll(/airlock\.[\w.]+/g)].map(([key]) => key));
    assert.deepEqual(
      used.filter((key) => !known.has(key) && !Object.values<string>(viewIds).includes(key)),
      [],
    );
  });

  it('has a word for each of its keys, and no word that nobody uses', () => {
    const used = new Set([...wholeManifest.matchAll(/"%([^%"]+)%"/g)].map(([, key]) => key));
    assert.deepEqual([...used].toSorted(), Object.keys(words).toSorted());
  });

  it('names the views, the walkthrough, and pictures that are there', () => {
    assert.deepEqual(
      contributes.viewsContainers.activitybar.map(({ id }) => id),
      [viewContainerId],
    );
    assert.deepEqual(
      contributes.views[viewContainerId]?.map(({ id }) => id),
      Object.values(viewIds),
    );
    assert.deepEqual(
      contributes.walkthroughs.map(({ id }) => id),
      [walkthroughId],
    );
    for (const scheme of [resultScheme, mergeScheme]) {
      assert.ok(manifest.activationEvents.includes(`onFileSystem:${scheme}`), scheme);
    }
    assert.deepEqual(
      contributes.languages.map(({ id }) => id),
      [reportLanguage],
    );
    assert.deepEqual(Object.keys(contributes.configurationDefaults), [`[${reportLanguage}]`]);
    const pictures = [
      manifest.icon,
      ...contributes.viewsContainers.activitybar.map(({ icon }) => icon),
      ...contributes.walkthroughs.flatMap(({ steps }) => steps.map(({ media }) => media.svg)),
    ];
    assert.deepEqual(
      pictures.filter((file) => !fs.existsSync(path.join(root, file))),
      [],
    );
  });

  it('is described in the reference, command by command and setting by setting', () => {
    const commands = fs.readFileSync(path.join(root, 'docs/commands.md'), 'utf8');
    const settings = fs.readFileSync(path.join(root, 'docs/settings.md'), 'utf8');
    const missing = [
      ...[...commandEntries.keys()].filter((id) => !commands.includes(`\`${id}\``)),
      ...Object.entries(settingTable).flatMap(([id, { fallback, scope }]) => {
        const [, section = ''] = settings.split(`### \`${id}\``);
        const told = section.split('###')[0] ?? '';
        const isWhole =
          told.includes(`- Default: \`${JSON.stringify(fallback)}\``) && told.includes(`- Scope: ${scope}`);
        return isWhole ? [] : [id];
      }),
    ];
    assert.deepEqual(missing, []);
  });
});
