import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { getL10nJson } from '@vscode/l10n-dev';
import { CancelledError, UserError } from '../../../src/base/errors';
import { wordError } from '../../../src/ui/commands/errorWords';
import { formatCost, formatDuration, formatSpend, formatTokens } from '../../../src/ui/figures';
import { escapeMarkdown, oneLine } from '../../../src/ui/markdownText';

const root = path.resolve(import.meta.dirname, '../../..');

describe('the words of the UI', () => {
  it('are all in the bundle that is translated (npm run l10n writes it)', async function () {
    // The parser of Microsoft's tool takes its time.
    this.timeout(120_000);
    const folders = ['src/ui', 'src/extension.ts'].map((part) => path.join(root, part));
    const files = folders.flatMap((part) =>
      part.endsWith('.ts')
        ? [part]
        : fs.readdirSync(part, { recursive: true, encoding: 'utf8' }).map((name) => path.join(part, name)),
    );
    const sources = files
      .filter((file) => file.endsWith('.ts'))
      .map((file) => ({ extension: '.ts' as const, contents: fs.readFileSync(file, 'utf8') }));
    const bundle: unknown = JSON.parse(fs.readFileSync(path.join(root, 'l10n/bundle.l10n.json'), 'utf8'));
    assert.deepEqual(bundle, await getL10nJson(sources));
  });
});

describe('the words for an error', () => {
  it('are none for a cancellation', () => {
    const ofVSCode = Object.assign(new Error('Canceled'), { name: 'Canceled' });
    for (const error of [new CancelledError(), ofVSCode]) assert.deepEqual(wordError(error), { kind: 'silent' });
  });

  it('are its own when the user can act on it, with the command that helps where there is one', () => {
    assert.deepEqual(wordError(new UserError('model-key-missing', 'There is no key. Set one.')), {
      kind: 'advice',
      message: 'There is no key. Set one.',
      button: { title: 'Set API Key…', command: 'airlock.setApiKey' },
    });
    assert.deepEqual(wordError(new UserError('no-commit', 'The repository has no commit.')), {
      kind: 'advice',
      message: 'The repository has no commit.',
      button: null,
    });
  });

  it('offer the log for everything else', () => {
    assert.deepEqual(wordError(new TypeError('x is\nundefined')), {
      kind: 'fault',
      message: 'Airlock: something went wrong: x is undefined',
      button: { title: 'Show Log', command: 'airlock.showLog' },
    });
  });
});

describe('figures', () => {
  it('never guess a price', () => {
    assert.deepEqual(
      [formatCost(null), formatCost(0), formatCost(0.00042), formatCost(12.345)],
      ['cost unknown', '$0.00', '$0.0004', '$12.35'],
    );
    assert.equal(formatSpend({ costUsd: 0, unpriced: 2 }), '≥ $0.00');
  });

  it('are short', () => {
    assert.deepEqual([999, 1000, 12_345, 999_949, 999_950, 4_600_000].map(formatTokens), [
      '999',
      '1.0k',
      '12.3k',
      '999.9k',
      '1.0M',
      '4.6M',
    ]);
    assert.deepEqual([0, 820, 12_000, 59_700, 200_000, 7_500_000].map(formatDuration), [
      '0 ms',
      '820 ms',
      '12 s',
      '1 min 0 s',
      '3 min 20 s',
      '2 h 5 min',
    ]);
  });
});

describe('foreign text', () => {
  it('stays on one line and within its length', () => {
    assert.equal(oneLine('  a\n\tb  '), 'a b');
    assert.equal(oneLine('abcdef', 4), 'abc…');
  });

  it('is nothing but text in Markdown', () => {
    assert.equal(escapeMarkdown('[a](b) <i> $(x) *c* `d`'), '\\[a\\]\\(b\\) \\<i\\> \\$\\(x\\) \\*c\\* \\`d\\`');
  });
});
