import { randomBytes } from 'node:crypto';
import type { AnalyticsSetup } from '../../protocol/analyticsProtocol';

export interface PageSources {
  /** What VS Code names as the source of the extension's own files in a content security policy. */
  readonly cspSource: string;
  readonly scriptUri: string;
  readonly styleUri: string;
}

/**
 * The page around the script. It may run that one script, use our own style sheet, and reach nothing. Styles made by
 * script are allowed, because the toolkit's components bring theirs so; they cannot load anything.
 */
export function analyticsHtml(setup: AnalyticsSetup, sources: PageSources): string {
  const nonce = randomBytes(16).toString('base64');
  const policy = [
    "default-src 'none'",
    `style-src ${sources.cspSource} 'unsafe-inline'`,
    `script-src 'nonce-${nonce}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return `<!DOCTYPE html>
<html lang="${escapeHtml(setup.language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="${escapeHtml(sources.styleUri)}">
<title>${escapeHtml(setup.text.title)}</title>
</head>
<body>
<script type="application/json" id="setup">${inertJson(setup)}</script>
<main id="page"></main>
<script nonce="${nonce}" src="${escapeHtml(sources.scriptUri)}"></script>
</body>
</html>`;
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** JSON that cannot end the element it stands in. */
function inertJson(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c');
}
