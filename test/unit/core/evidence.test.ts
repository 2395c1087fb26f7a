import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type CheckResult, type CheckSubject, summarizeChecks, verdictOf } from '../../../src/core/evidence';
import { sampleDigest, sampleTree } from './sampleEvents';

function result(on: CheckSubject, exitCode: number | null, command = 'npm test'): CheckResult {
  return {
    command,
    on,
    tree: sampleTree,
    exitCode,
    endedBy: exitCode === null ? 'timeout' : null,
    output: sampleDigest,
    outputBytes: 0,
    durationMs: 1,
  };
}

describe('the verdict', () => {
  const cases: [string, string, CheckResult[]][] = [
    ['is unchecked when there were no checks', 'unchecked', []],
    [
      'is verified when every check passed on the result both ways',
      'verified',
      [result('base', 1), result('result', 0), result('restored', 0)],
    ],
    [
      'is verified for a check that passes on the base too, which proves no change',
      'verified',
      [result('base', 0), result('result', 0), result('restored', 0)],
    ],
    ['is partial when a check passed on the result only', 'partial', [result('result', 0), result('restored', 1)]],
    ['is partial when the restored result was not checked', 'partial', [result('result', 0)]],
    [
      'is partial when the check ran out of time on the restored result',
      'partial',
      [result('result', 0), result('restored', null)],
    ],
    ['is contradicted when a check fails on the result', 'contradicted', [result('result', 1), result('restored', 0)]],
    ['is contradicted when a check ran out of time', 'contradicted', [result('result', null), result('restored', 0)]],
    ['is contradicted when a check was run on the base alone', 'contradicted', [result('base', 0)]],
    [
      'is contradicted when one of several checks fails',
      'contradicted',
      [
        result('result', 0),
        result('restored', 0),
        result('result', 2, 'npm run lint'),
        result('restored', 0, 'npm run lint'),
      ],
    ],
    [
      'is partial when one of several checks passed on the result only',
      'partial',
      [result('result', 0), result('restored', 0), result('result', 0, 'make'), result('restored', 1, 'make')],
    ],
    [
      'counts the last result of a check',
      'verified',
      [result('result', 1), result('restored', 1), result('result', 0), result('restored', 0)],
    ],
  ];
  for (const [title, verdict, results] of cases) {
    it(title, () => assert.equal(verdictOf(results), verdict));
  }

  it('is never better for one more failure', () => {
    const rank = ['contradicted', 'partial', 'verified'];
    const anyResult = fc
      .tuple(
        fc.constantFrom<CheckSubject>('result', 'restored'),
        fc.constantFrom(0, 1, null),
        fc.constantFrom('a', 'b'),
      )
      .map(([on, exitCode, command]) => result(on, exitCode, command));
    fc.assert(
      fc.property(fc.array(anyResult, { minLength: 1 }), fc.constantFrom('a', 'b'), (results, command) => {
        const worse = [...results, result('restored', 1, command)];
        assert.ok(rank.indexOf(verdictOf(worse)) <= rank.indexOf(verdictOf(results)));
      }),
    );
  });
});

describe('the summary of checks', () => {
  it('stands in the order in which commands first appear, with what is known of each', () => {
    const base = result('base', 0, 'make');
    const bent = result('result', 0, 'npm test');
    const made = result('result', 0, 'make');
    assert.deepEqual(summarizeChecks([base, bent, made]), [
      { command: 'make', onBase: base, onResult: made, onRestored: undefined, provesNoChange: true },
      { command: 'npm test', onBase: undefined, onResult: bent, onRestored: undefined, provesNoChange: false },
    ]);
  });
});
