import { sha256 } from '../base/digest';
import type { McpServer } from '../core/mcp';

/** Names what a server is, all of it: whoever approves it approves nothing else. */
export function mcpDigest(name: string, server: McpServer): string {
  return sha256(JSON.stringify([name, ordered(server)]));
}

function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, inner]) => [key, ordered(inner)]);
}
