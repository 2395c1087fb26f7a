import { readFileSync } from 'node:fs';
import type { FrameLocator } from 'playwright-core';

interface Finding {
  readonly id: string;
  readonly impact?: string | null;
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
}

/** What axe finds wrong in a webview, by the rules of WCAG 2.2 A and AA and its best practices; nothing is left out. */
export async function accessibilityProblems(frame: FrameLocator): Promise<string[]> {
  const source = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
  const findings = await frame.locator('html').evaluate(async (root: HTMLElement, script: string) => {
    // The page's policy lets no foreign script in by an element; the debugger's own evaluation is no part of the page.
    if (!('axe' in window)) (0, eval)(script);
    const { axe } = window as unknown as { axe: { run: (root: HTMLElement, options: object) => Promise<unknown> } };
    return (await axe.run(root, { resultTypes: ['violations'] })) as { violations: Finding[] };
  }, source);
  return findings.violations.map(({ id, impact, nodes }) => {
    const first = nodes.slice(0, 2).map(({ html, failureSummary }) => `${html.slice(0, 160)} ${failureSummary ?? ''}`);
    return `${id} (${impact ?? ''}), ${nodes.length} times: ${first.join(' · ')}`;
  });
}
