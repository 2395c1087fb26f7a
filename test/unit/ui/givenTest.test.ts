import assert from 'node:assert/strict';
import fc from 'fast-check';
import { givenTest } from '../../../src/ui/entryPoints/givenTest';
import { testDraft } from '../../../src/ui/entryPoints/taskDraft';

const uri = { scheme: 'file', path: '/repo/test/cart.test.ts', fsPath: '/repo/test/cart.test.ts' };
const range = { start: { line: 4, character: 2 }, end: { line: 9, character: 4 } };
const suite = { id: 's', label: 'the cart', parent: { label: 'shop', parent: undefined } };
const item = { id: 't', label: 'adds up', uri, range, parent: suite };

describe('a test that a menu hands over', () => {
  it('is named with the suites round it, and lies where it is written', () => {
    assert.deepEqual(givenTest(item), {
      name: 'shop › the cart › adds up',
      uri: { scheme: 'file', path: uri.path },
      firstLine: 4,
      lastLine: 9,
      message: '',
    });
  });

  it('comes with what it says when it is a message’s', () => {
    const said = givenTest({
      test: { ...item, range: undefined },
      message: { message: { value: '3 is not 4' }, location: { uri, range } },
    });
    assert.deepEqual([said?.firstLine, said?.message], [4, '3 is not 4']);
    assert.equal(givenTest({ ...item, error: 'broken' })?.message, 'broken');
  });

  it('is none for anything else, whatever that is', () => {
    fc.assert(fc.property(fc.anything(), (argument) => givenTest(argument) === undefined));
  });

  it('becomes a task that says what it says', () => {
    const about = { path: 'test/cart.test.ts', firstLine: 5, lastLine: 10, text: 'it(…)' };
    assert.deepEqual(testDraft({ name: 'cart › adds up', message: '3 is\nnot 4' }, about, '/repo'), {
      title: 'Fix the failing test: cart › adds up',
      prompt: 'The test “cart › adds up” fails. Find out why and make it pass, without bending it. It says: 3 is not 4',
      about,
      repo: '/repo',
    });
  });
});
