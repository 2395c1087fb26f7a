import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { scriptedModelName } from './scriptedModel';

const run = promisify(execFile);

/** The persona of the sample repository that has a script for its model. */
export const samplePersona = 'sample';

/** A small shop in JavaScript: one of its tests fails, one function is missing, and its README leaves something out. */
const files: Readonly<Record<string, string>> = {
  'package.json': `{
  "name": "corner-shop",
  "version": "1.0.0",
  "private": true,
  "type": "module",
  "bin": { "corner-shop": "src/main.js" },
  "scripts": { "test": "node --test" }
}
`,
  '.gitignore': 'node_modules/\n',
  '.airlock/config.yaml': 'checks:\n  - node --test\n',
  [`.airlock/personas/${samplePersona}.md`]: `---
description: Plays the sample tasks from a script that comes with Airlock. No AI, no key.
engine: scripted
model: ${scriptedModelName}
---
You play a sample task.
`,
  'README.md': `# Corner shop

Prints a receipt for a basket.

    node src/main.js basket.json
`,
  'src/cart.js': `/** Sums a basket in cents; \`discountPercent\` is taken off the whole. */
export function total(items, discountPercent = 0) {
  const sum = items.reduce((cents, item) => cents + item.cents, 0);
  return sum - sum * discountPercent / 100;
}
`,
  'src/money.js': `/** Cents as text, such as \`12.50 EUR\`. */
export function format(cents, currency = 'EUR') {
  return \`\${(cents / 100).toFixed(2)} \${currency}\`;
}
`,
  'src/receipt.js': `import { format } from './money.js';

/** One line of a receipt: the name on the left, the price on the right, \`width\` characters together. */
export function line(name, cents, width = 32) {
  const price = format(cents);
  return name + ' '.repeat(width - name.length - price.length) + price;
}
`,
  'src/main.js': `import { readFileSync } from 'node:fs';
import { total } from './cart.js';
import { format } from './money.js';
import { line } from './receipt.js';

const args = process.argv.slice(2);
const option = (name, fallback) => {
  const at = args.indexOf(name);
  return at < 0 ? fallback : args[at + 1];
};
const items = JSON.parse(readFileSync(args[0], 'utf8'));
for (const item of items) console.log(line(item.name, item.cents));
console.log(format(total(items, Number(option('--discount', 0))), option('--currency', 'EUR')));
`,
  'test/cart.test.js': `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { total } from '../src/cart.js';

test('a basket costs what its items cost, with every item counted', () => {
  const items = [{ cents: 250 }, { cents: 2, quantity: 3 }];
  assert.equal(total(items), 256);
});

test('a discount comes off in whole cents', () => {
  assert.equal(total([{ cents: 999 }], 10), 899);
});
`,
  'test/money.test.js': `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { format } from '../src/money.js';

test('cents are shown with two digits', () => {
  assert.equal(format(1250), '12.50 EUR');
});
`,
  'test/receipt.test.js': `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { line } from '../src/receipt.js';

test('a long name is cut so that the line keeps its width', () => {
  assert.equal(line('Wholegrain bread with sunflower seeds', 349).length, 32);
});
`,
};

/** Makes the sample repository in `folder`, which must not exist yet, with one commit. */
export async function makeSampleRepository(folder: string): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, content);
  }
  const git = (...args: string[]): Promise<unknown> =>
    run('git', ['-c', 'user.name=Corner Shop', '-c', 'user.email=shop@localhost', ...args], { cwd: folder });
  await git('init', '--quiet', '--initial-branch=main');
  await git('add', '--all');
  await git('commit', '--quiet', '--message=A small shop');
}
