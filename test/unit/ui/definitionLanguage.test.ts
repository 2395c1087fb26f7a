import assert from 'node:assert/strict';
import { descriptionAt, keysAt, valuesAt } from '../../../src/ui/definitions/schemaPlaces';
import { yamlKeyAt, yamlPlaceAt } from '../../../src/ui/definitions/yamlPlace';

const text = `name: Nightly
schedule:
  type: cron
task:
  prompt: |
    Do this:
    now
  context:
    product: x
on_success:
  - log: done
  - 
trigger:
  type: 
  # a comment
`;
const lines = text.split('\n');

/** The place behind the text of a line. */
function at(line: number, column = lines[line]?.length ?? 0) {
  return yamlPlaceAt(lines, line, column);
}

describe('a place in a task definition', () => {
  it('is where a key is written, with those that are there already', () => {
    assert.deepEqual(yamlPlaceAt(['name: x', '', 'task:', '  prompt: y'], 1, 0), {
      kind: 'key',
      path: [],
      siblings: ['name', 'task'],
    });
    assert.deepEqual(yamlPlaceAt(['task:', '  prompt: y', '  che'], 2, 5), {
      kind: 'key',
      path: ['task'],
      siblings: ['prompt'],
    });
  });

  it('is where a value is written', () => {
    assert.deepEqual(at(2, 8), { kind: 'value', path: ['schedule', 'type'] });
    assert.deepEqual(at(13), { kind: 'value', path: ['trigger', 'type'] });
  });

  it('is in a list’s item, however far in its dash is', () => {
    assert.deepEqual(at(11), { kind: 'key', path: ['on_success'], siblings: [] });
    assert.deepEqual(yamlPlaceAt(['on_failure:', '- '], 1, 2), { kind: 'key', path: ['on_failure'], siblings: [] });
  });

  it('is none in a text, in a comment or behind other words', () => {
    assert.deepEqual([at(6), at(14), at(0)], [undefined, undefined, { kind: 'value', path: ['name'] }]);
    assert.equal(yamlPlaceAt(['name: two words'], 0, 15), undefined);
  });

  it('is the key under the mouse', () => {
    assert.deepEqual(yamlKeyAt(lines, 2, 3), ['schedule', 'type']);
    assert.deepEqual(yamlKeyAt(lines, 10, 5), ['on_success', 'log']);
    assert.deepEqual([yamlKeyAt(lines, 2, 10), yamlKeyAt(lines, 6, 5)], [undefined, undefined]);
  });
});

describe('what may stand in a task definition', () => {
  it('is told by the schema, with what is needed', () => {
    const keys = keysAt([]);
    assert.deepEqual(
      keys.filter(({ isRequired }) => isRequired).map(({ name, holds }) => [name, holds]),
      [
        ['name', 'value'],
        ['task', 'keys'],
      ],
    );
    assert.deepEqual(
      keysAt(['trigger']).map(({ name }) => name),
      ['type', 'path', 'pattern', 'event', 'debounce', 'seconds'],
    );
    assert.deepEqual(
      keysAt(['on_success']).map(({ name }) => name),
      ['log', 'notify'],
    );
    assert.deepEqual(keysAt(['nothing']), []);
  });

  it('is one of the values of a choice', () => {
    assert.deepEqual(valuesAt(['trigger', 'type']), ['file_watch', 'interval']);
    assert.deepEqual(valuesAt(['enabled']), ['true', 'false']);
    assert.deepEqual(valuesAt(['overlap']), ['skip', 'queue', 'replace']);
    assert.deepEqual(valuesAt(['trigger', 'event']), ['created', 'modified', 'deleted']);
    assert.deepEqual(valuesAt(['name']), []);
  });

  it('is explained, with what it is when it is absent', () => {
    assert.match(descriptionAt(['overlap']) ?? '', /not over\. Default: `skip`\.$/);
    assert.match(descriptionAt(['trigger', 'debounce']) ?? '', /quiet/);
    assert.equal(descriptionAt(['nothing']), undefined);
  });
});
