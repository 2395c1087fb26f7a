import assert from 'node:assert/strict';
import { allowedBetas } from '../../../../src/engines/claudeCode/betas';

describe('the features of the server that a jail may name', () => {
  it('are what says how a request is to be read, each once', () => {
    const asked = 'claude-code-20250219, interleaved-thinking-2025-05-14,claude-code-20250219';
    assert.equal(allowedBetas(asked), 'claude-code-20250219,interleaved-thinking-2025-05-14');
  });

  for (const [why, name] of [
    ['the server would run something', 'code-execution-2025-08-25'],
    ['the server would reach something', 'mcp-client-2025-11-20'],
    ['the server would fetch something', 'web-search-2025-03-05'],
    ['the server would read what was kept there', 'files-api-2025-04-14'],
    ['it is billed in another way', 'fast-mode-2026-02-01'],
    ['it is billed in another way', 'context-1m-2025-08-07'],
    ['nobody knows it', 'something-new-2027-01-01'],
    ['it is no name', 'Claude-Code-20250219'],
    ['it would be another header', 'claude-code-20250219\r\nx-api-key: mine'],
  ] as const) {
    it(`are not ${JSON.stringify(name)}: ${why}`, () => {
      assert.equal(allowedBetas(name), null);
      assert.equal(allowedBetas(`${name},effort-2025-11-24`), 'effort-2025-11-24');
    });
  }

  it('may be none', () => {
    assert.equal(allowedBetas(''), null);
  });
});
