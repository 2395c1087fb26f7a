// Writes schemas/taskDefinition.json from the schema that task definitions are read with (`npm run schema`).
import { build } from 'esbuild';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { format, resolveConfig } from 'prettier';

const root = path.resolve(import.meta.dirname, '..');
const file = path.join(root, 'schemas', 'taskDefinition.json');
const { outputFiles } = await build({
  entryPoints: [path.join(root, 'src/sources/taskDefinitions/jsonSchema.ts')],
  bundle: true,
  platform: 'node',
  format: 'cjs',
  write: false,
});
const loaded = { exports: {} };
new Function('module', 'exports', 'require', outputFiles[0].text)(
  loaded,
  loaded.exports,
  createRequire(import.meta.url),
);
const text = JSON.stringify(loaded.exports.definitionJsonSchema());
writeFileSync(file, await format(text, { ...(await resolveConfig(file)), parser: 'json' }));
