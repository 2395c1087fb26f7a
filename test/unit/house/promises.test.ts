import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(__dirname, '../../..');

interface Proof {
  readonly file: string;
  readonly title: string;
}

/** The tests that a page of the documentation names: `file`: “title”, “title”; … */
function proofsIn(page: string): Proof[] {
  const text = readFileSync(path.join(root, page), 'utf8');
  return [...text.matchAll(/`(test\/[^`]+)`: ((?:“[^”]+”(?:, )?)+)/g)].flatMap(([, file = '', titles = '']) =>
    [...titles.matchAll(/“([^”]+)”/g)].map(([, title = '']) => ({ file, title })),
  );
}

function isThere({ file, title }: Proof): boolean {
  const at = path.join(root, file);
  return existsSync(at) && readFileSync(at, 'utf8').includes(`'${title}'`);
}

describe('the promises of the queue', () => {
  it('each name tests that there are', () => {
    const rows = readFileSync(path.join(root, 'docs/queue.md'), 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('| **'));
    assert.ok(rows.length >= 12);
    assert.deepEqual(
      rows.filter((row) => !row.includes('`test/')),
      [],
    );
    const proofs = proofsIn('docs/queue.md');
    assert.ok(proofs.length > 30);
    assert.deepEqual(
      proofs.filter((proof) => !isThere(proof)),
      [],
    );
  });
});
