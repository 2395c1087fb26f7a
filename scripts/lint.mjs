// Lints with oxlint: the rules of .oxlintrc.json, and with them the arrows of the house. Arguments go on to oxlint, as in
// `node scripts/lint.mjs src/core`.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { arrowRules } from './arrows.mjs';

const root = path.resolve(import.meta.dirname, '..');
const bin = path.join(root, 'node_modules', '.bin');
/** Beside the other one, for the globs of a configuration count from its folder. Made anew each time. */
const config = path.join(root, '.oxlintrc.arrows.json');

const rules = JSON.parse(readFileSync(path.join(root, '.oxlintrc.json'), 'utf8'));
writeFileSync(config, JSON.stringify({ ...rules, overrides: [...rules.overrides, ...arrowRules()] }, null, 2));
const { status, error } = spawnSync(path.join(bin, 'oxlint'), ['--config', config, ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
  // Where it looks for the part that knows the types.
  env: { ...process.env, PATH: `${bin}${path.delimiter}${process.env.PATH}` },
});
if (error) process.stderr.write(`oxlint could not be started: ${error.message}\n`);
process.exit(status ?? 1);
