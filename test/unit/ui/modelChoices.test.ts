import assert from 'node:assert/strict';
import type { ListedModel } from '../../../src/core/listedModel';
import { modelRows } from '../../../src/ui/commands/modelChoices';

function model(id: string, more: Partial<ListedModel> = {}): ListedModel {
  return { id, name: id, contextTokens: null, isDeprecated: false, ...more };
}

describe('the choice of a model', () => {
  it('has what the server lists, then the default and a name of the user’s own', () => {
    const listed = [model('big', { name: 'Big One', contextTokens: 1_000_000 }), model('old', { isDeprecated: true })];
    assert.deepEqual(modelRows(listed, 'old'), [
      { label: 'big', description: 'Big One · 1.0M tokens', choice: { kind: 'model', id: 'big' } },
      { label: 'old', description: 'deprecated · in use', choice: { kind: 'model', id: 'old' } },
      { label: 'Default', description: 'the model that Airlock takes when none is named', choice: { kind: 'default' } },
      { label: 'Another name…', description: '', choice: { kind: 'other' } },
    ]);
  });

  it('says which is in use, also when it is the default or not on the list', () => {
    const inUse = (current: string): string[] =>
      modelRows([model('a')], current).flatMap(({ label, description }) => (/in use/.test(description) ? [label] : []));
    assert.deepEqual([inUse('a'), inUse(''), inUse('mine')], [['a'], ['Default'], ['mine']]);
  });

  it('shows a hostile name on one line, with nothing hidden and no icon, and chooses it as it is', () => {
    const id = '$(warning) a\n\u202Eb';
    const [row] = modelRows([model(id)], '');
    assert.ok(row && !/\$\(|\n|\u202E/.test(row.label), row?.label);
    assert.deepEqual(row.choice, { kind: 'model', id });
  });
});
