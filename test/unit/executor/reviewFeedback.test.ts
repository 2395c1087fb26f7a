import assert from 'node:assert/strict';
import { conflictFeedback, reviewFeedback, type ToldComment } from '../../../src/executor/reviewFeedback';

const comment: ToldComment = {
  side: 'result',
  path: 'src/a.ts',
  startLine: 3,
  endLine: 3,
  words: 'Why? ',
  lines: 'const a = 1;\n',
  isOld: false,
};
const first =
  'The user has looked at your result and sends it back. Do what they ask for and keep the rest of your work as it is. When you end your turn, Airlock runs the checks on your result again.';

describe('what an agent is told of a review', () => {
  it('has the words of the user, and each comment with its place and its lines', () => {
    const old = { ...comment, side: 'base', startLine: 1, endLine: 9, lines: '' } as const;
    assert.equal(
      reviewFeedback(' Nearly.\n', [comment, old]),
      [
        first,
        'The user says:\nNearly.',
        'Comment 1 of 2 on "src/a.ts", line 3, of your result:\n```\nconst a = 1;\n```\nWhy?',
        'Comment 2 of 2 on "src/a.ts", lines 1 to 9, as it was before your change:\nWhy?',
      ].join('\n\n'),
    );
  });

  it('says when a comment is about an earlier result', () => {
    assert.match(reviewFeedback('', [{ ...comment, isOld: true }]), /line 3, of an earlier result of yours:/);
  });

  it('lets no quoted line end the quotation, and no name break out of its line', () => {
    const told = reviewFeedback('', [{ ...comment, path: 'a"\n# x', lines: '```\n````\nx' }]);
    assert.ok(told.includes('\n`````\n```\n````\nx\n`````\n'), told);
    assert.match(told, /^A comment on "a\\"[^\n]*x", line 3/m);
  });

  it('names the files of a conflict and the branch', () => {
    assert.match(conflictFeedback('main', ['a', 'b c']), /the branch "main"[^]*\n- "a"\n- "b c"\n/);
  });
});
