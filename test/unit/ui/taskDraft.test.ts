import assert from 'node:assert/strict';
import fc from 'fast-check';
import { problemDraft, promptWith, selectionDraft, todoDraft, todoIn } from '../../../src/ui/entryPoints/taskDraft';

const about = { path: 'src/total.ts', firstLine: 3, lastLine: 4, text: 'const a = 1;\n// TODO: round' };

describe('a task that begins in an editor', () => {
  it('finds comments that ask for something, in the languages that there are', () => {
    assert.deepEqual(
      [
        '  // TODO: round up',
        '# FIXME(jo) handle null',
        '<!-- todo write this -->',
        '/* TODO - split */',
        ' * @todo later',
      ].map(todoIn),
      [
        { tag: 'TODO', words: 'round up' },
        { tag: 'FIXME', words: 'handle null' },
        { tag: 'TODO', words: 'write this' },
        { tag: 'TODO', words: 'split' },
        { tag: 'TODO', words: 'later' },
      ],
    );
    assert.deepEqual(['const todo = 1;', "status === 'TODO'", '// todoist', ''].map(todoIn), [
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('has the words of the comment as its title, or the file when it has none', () => {
    const draft = { prompt: 'Do what the TODO comment asks for, and take the comment out.', about, repo: '/r' };
    assert.deepEqual(todoDraft({ tag: 'TODO', words: 'round up' }, about, '/r'), { ...draft, title: 'round up' });
    assert.deepEqual(todoDraft({ tag: 'TODO', words: '' }, about, '/r'), { ...draft, title: 'TODO in src/total.ts' });
  });

  it('names the problem, who found it and its code', () => {
    const problem = { message: "Cannot find\nname 'x'.", source: 'ts', code: '2304' };
    assert.deepEqual(problemDraft([problem], about, '/r'), {
      title: "Fix: Cannot find name 'x'. (ts 2304)",
      prompt: "Fix this: Cannot find name 'x'. (ts 2304)",
      about,
      repo: '/r',
    });
    const two = problemDraft([problem, { message: 'Unused.', source: '', code: '' }], about, '/r');
    assert.equal(two.title, 'Fix 2 problems');
    assert.equal(two.prompt, "Fix this: Cannot find name 'x'. (ts 2304); Unused.");
  });

  it('leaves it to the user what is to be done with a selection', () => {
    assert.deepEqual(selectionDraft(about, '/r'), { title: '', prompt: '', about, repo: '/r' });
  });

  it('shows the agent where it is and what stands there', () => {
    assert.equal(
      promptWith('Round up.', about),
      'Round up.\n\nThis is about src/total.ts, lines 3 to 4:\n\n```\nconst a = 1;\n// TODO: round\n```\n',
    );
    assert.match(
      promptWith('Go.', { ...about, lastLine: 3, text: 'x'.repeat(30_000) }),
      /line 3:\n\n```\nx{20000}\n\[…\]\n```\n$/,
    );
  });

  it('lets no text end the excerpt that it stands in', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('`', '``', '```', '\n', 'x', '````')), (parts) => {
        const text = parts.join('');
        const prompt = promptWith('Go.', { ...about, text });
        const fence = prompt.slice(0, -1).slice(prompt.slice(0, -1).lastIndexOf('\n') + 1);
        assert.ok(!text.includes(fence));
      }),
    );
  });
});
