/** Which features of the model's server a program in the jail may name (`anthropic-beta`). */

/**
 * What Claude Code asks for, as far as it only says how the body is to be read, which is screened by itself, or how the answer
 * is to be written. None of these has the server fetch, run or keep anything, and none makes a token dearer than the price
 * list says. Not in it are features such as servers' own tools (`mcp-client-…`, `code-execution-…`, `web-search-…`), files and
 * skills (`files-api-…`, `skills-…`), and what is billed in another way (`fast-mode-…`, `context-1m-…`).
 * From the betas that https://platform.claude.com/docs/en/api/beta-headers and the SDK name, and all that Claude Code 2.1.197 sends here;
 * November 2026.
 */
const allowed: ReadonlySet<string> = new Set([
  'claude-code-20250219',
  'context-management-2025-06-27',
  'effort-2025-11-24',
  'extended-cache-ttl-2025-04-11',
  'fine-grained-tool-streaming-2025-05-14',
  'interleaved-thinking-2025-05-14',
  'mid-conversation-system-2026-04-07',
  'model-context-window-exceeded-2025-08-26',
  'output-128k-2025-02-19',
  'prompt-caching-2024-07-31',
  'prompt-caching-scope-2026-01-05',
  'redact-thinking-2026-02-12',
  'structured-outputs-2025-11-13',
  'structured-outputs-2025-12-15',
  'thinking-token-count-2026-05-13',
  'token-efficient-tools-2025-02-19',
]);

/** What of such a header is passed on, each name once; `null`: no such header. */
export function allowedBetas(header: string): string | null {
  const names = new Set(header.split(',').map((name) => name.trim()));
  return [...names].filter((name) => allowed.has(name)).join(',') || null;
}
