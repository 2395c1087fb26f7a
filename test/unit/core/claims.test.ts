import assert from 'node:assert/strict';
import { standingOf } from '../../../src/core/claims';
import type { CheckResult } from '../../../src/core/evidence';

describe('what an agent claims', () => {
  function seen(command: string, on: CheckResult['on'], exitCode: number): CheckResult {
    const digest = 'a'.repeat(64);
    const ran = { endedBy: null, output: digest, outputBytes: 0, tree: 'b'.repeat(40), durationMs: 1 };
    return { command, on, exitCode, ...ran };
  }

  const cases: [string, string | null, readonly CheckResult[], string][] = [
    [
      'is confirmed by its check',
      'npm test',
      [seen('npm test', 'result', 0), seen('npm test', 'restored', 0)],
      'confirmed',
    ],
    ['is contradicted by its check', 'npm test', [seen('npm test', 'result', 1)], 'contradicted'],
    [
      'is not confirmed by a check that only passes as the agent left it',
      'npm test',
      [seen('npm test', 'result', 0), seen('npm test', 'restored', 1)],
      'unproven',
    ],
    ['is not proven by a check that was not run', 'make', [seen('npm test', 'result', 0)], 'unproven'],
    ['is not proven without a check', null, [seen('npm test', 'result', 0)], 'unproven'],
  ];
  for (const [what, check, results, standing] of cases) {
    it(what, () => {
      assert.equal(standingOf({ statement: 'It works.', check }, results), standing);
    });
  }
});
